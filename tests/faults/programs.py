"""Programs that the cells run, and the ports that they listen at."""

import ctypes
import os
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

#: The system's Python, which has the bindings of GStreamer that the RTSP server needs.
SYSTEM_PYTHON = "/usr/bin/python3"

#: Seconds that the start of a program may take on a loaded machine.
PATIENCE = 20.0

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def end_with_parent():
    """Has the kernel kill the calling process when the one that started it ends, however it does."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Program:
    """A program in a process group of its own, so that it is frozen and killed together with what it started."""

    def __init__(self, *command, **options):
        self._process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,  # the support kit's servers end with it
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=end_with_parent,
            **options,
        )
        self._reader = None

    def wait_for(self, mark):
        """Waits for a line that matches on the program's standard output; what follows is thrown away."""
        found = threading.Event()
        lines = self._process.stdout

        def read():
            for line in lines:
                if re.search(mark, line):
                    found.set()

        self._reader = threading.Thread(target=read, daemon=True)
        self._reader.start()
        if not found.wait(PATIENCE):
            raise RuntimeError(f"{self._process.args} did not say {mark!r}")
        return self

    def send(self, number):
        """Sends a signal to the whole group."""
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            pass

    def freeze(self):
        self.send(signal.SIGSTOP)

    def thaw(self):
        self.send(signal.SIGCONT)

    def kill(self):
        self.send(signal.SIGKILL)
        self._process.wait()
        self._process.stdin.close()
        if self._reader is not None:
            self._reader.join()
        self._process.stdout.close()


def free_port():
    """A port that nothing listens at, for now; free for TCP and UDP."""
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        udp.bind(tcp.getsockname())
        return tcp.getsockname()[1]


def is_bound(port, carrier="tcp"):
    """Whether a server waits at a port. Asked of the kernel: a connection might be taken for the client's."""
    listening = {"tcp": "0A", "udp": "07"}[carrier]
    rows = [line.split() for line in Path(f"/proc/net/{carrier}").read_text().splitlines()[1:]]
    return any(int(row[1].split(":")[1], 16) == port and row[3] == listening for row in rows)


def wait_until(is_so, what, seconds=PATIENCE):
    """Waits until something is so; raises TimeoutError if it never is."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited in vain until {what}")
        time.sleep(0.01)
