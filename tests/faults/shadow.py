"""A second client beside each of a cell's, in C and behind a tool such as valgrind, which lives through the same faults.

The cell's own client is measured; of this one only is asked that the tool finds nothing wrong with it.
"""

import os
import shlex
import subprocess
import threading

from programs import end_with_parent

#: The command that stands before the address: the tool, its options, and tests/c/watch.c as a program.
COMMAND = "MPEGCLIENT_SHADOW"

#: Seconds that it may take to begin, to show frames, and to end: tools are slow.
PATIENCE = 60.0

#: One sender, one receiver: a second client would take the stream away from the first.
ALONE = ("srt", "udp")


def is_wanted(protocol):
    return COMMAND in os.environ and protocol.name not in ALONE


class Shadow:
    """The program at work. It ends when its standard input does."""

    def __init__(self, url, parameters):
        pairs = [f"{name}={value}" for name, value in parameters.items()]
        command = [*shlex.split(os.environ[COMMAND]), url, *pairs]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self._process = subprocess.Popen(command, text=True, preexec_fn=end_with_parent, **pipes)
        self._told = {"CONNECTING": threading.Event(), "SEEN": threading.Event()}
        self._complaints = ""
        self._readers = [threading.Thread(target=read, daemon=True) for read in (self._read, self._read_complaints)]
        for reader in self._readers:
            reader.start()
        self.wait_for("CONNECTING")

    def _read(self):
        for line in self._process.stdout:
            if line.strip() in self._told:
                self._told[line.strip()].set()

    def _read_complaints(self):
        self._complaints = self._process.stderr.read()

    def wait_for(self, mark):
        """Waits until it tells something, in vain if it never does: what it was told in vain the tool says itself."""
        self._told[mark].wait(PATIENCE)

    def end(self):
        """Ends it; returns what was wrong with it, if anything was."""
        self._process.stdin.close()
        try:
            status = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return "the client behind the tool did not end"
        finally:
            for reader in self._readers:
                reader.join(PATIENCE)
            self._process.stdout.close()
            self._process.stderr.close()
        return f"the client behind the tool: {self._complaints[-4000:]}" if status else None
