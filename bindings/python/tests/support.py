"""Servers, programs and waiting, for the tests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, Sequence

import mpegclient

#: The servers and scripts that the tests of all languages share.
SUPPORT = Path(__file__).resolve().parents[3] / "tests/support"

#: The system's Python, which has the bindings of GStreamer that the server needs.
SYSTEM_PYTHON = "/usr/bin/python3"

#: Seconds that anything may take on a loaded machine.
PATIENCE = 30.0


class RtspServer:
    """An RTSP server of the support kit on a free port of loopback. Leaving the ``with`` block stops it."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [SYSTEM_PYTHON, str(SUPPORT / "rtsp_server.py"), *arguments],
            stdin=subprocess.PIPE,  # it ends when this does, even if this process is killed
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        ready = self._process.stdout.readline().split()
        assert ready[:1] == ["READY"], "the RTSP server did not start"
        self.port = int(ready[1])

    def url(self, path: str = "/video", userinfo: str = "") -> str:
        """The address of a mount; ``userinfo`` is USER:PASSWORD@ or nothing."""
        return f"rtsp://{userinfo}127.0.0.1:{self.port}{path}"

    def freeze(self) -> None:
        """Stops it without closing a connection, as a cable that is pulled does."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets it go on."""
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Ends it, frozen or not."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def __enter__(self) -> RtspServer:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()


def free_port() -> int:
    """A port that nothing listens at, for now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def environment() -> Dict[str, str]:
    """That of a Python program that imports this very package, and what else PYTHONPATH holds before it."""
    package = Path(mpegclient.__file__).resolve().parents[1]
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(package)]))
    return {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def heed_interrupts() -> None:
    """Undoes what a shell does to the programs that it starts in the background: Ctrl-C is ignored there."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start_python(arguments: Sequence[str], **options: Any) -> subprocess.Popen[str]:
    """Starts Python with arguments; its output is piped."""
    piped = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment()}
    piped["preexec_fn"] = heed_interrupts
    return subprocess.Popen([sys.executable, *arguments], **{**piped, **options})


def run_python(
    arguments: Sequence[str], limit: float = 2 * PATIENCE, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Runs Python with arguments to its end, for so many seconds at most."""
    with start_python(arguments, **options) as process:
        try:
            output, errors = process.communicate(timeout=limit)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    """Waits until something is so, and fails if it never is."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.01)


def returns_within(seconds: float, call: Callable[[], Any]) -> float:
    """Calls and returns how long it took, in seconds; fails if that was longer than allowed."""
    begun = time.monotonic()
    call()
    took = time.monotonic() - begun
    assert took < seconds, f"took {took:.3f} s, {seconds} s allowed"
    return took
