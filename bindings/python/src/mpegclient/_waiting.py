"""Waiting in C while Python's signal handlers go on working.

Python runs signal handlers, and so raises KeyboardInterrupt, between bytecodes of the main thread. A thread that sits
in C for seconds does not get there, so that waits are cut into slices.
"""

from __future__ import annotations

import math
import threading
import time
from typing import Callable, List, TypeVar

from . import errors

T = TypeVar("T")

#: Seconds that one wait in C lasts at most; the delay of Ctrl-C. Longer than streams of a few frames a second take for
#: one, so that most frames cost one wait.
SLICE = 0.25

#: Seconds beyond which a time is the same as any longer one; thirty years, and well within the C type.
_LONGEST = 1e9


class Deadline:
    """The end of the time that a call has."""

    def __init__(self, seconds: float) -> None:
        """Begins now; ``seconds`` may be infinite. Raises InvalidArgument if it is negative or no number."""
        _require_duration(seconds)
        self._end = time.monotonic() + seconds

    @property
    def remaining(self) -> float:
        """Seconds left, 0 once it has passed."""
        return max(0.0, self._end - time.monotonic())

    @property
    def is_over(self) -> bool:
        """Whether it has passed."""
        return self.remaining == 0


def milliseconds(seconds: float) -> int:
    """Whole milliseconds, rounded up so that a short time does not become none.

    Raises InvalidArgument as Deadline does.
    """
    _require_duration(seconds)
    return math.ceil(min(seconds, _LONGEST) * 1000)


def _require_duration(seconds: float) -> None:
    # Not "seconds < 0", which is false for what is no number.
    if not seconds >= 0:
        raise errors.InvalidArgument(f"timeout is {seconds}, expected seconds, 0 or more")


def in_slices(call: Callable[[int], T], deadline: Deadline, between: Callable[[], None]) -> T:
    """Calls ``call(timeout_ms)`` until it returns, or fails otherwise than by errors.Timeout, or the time is over.

    ``between`` runs before each slice and may raise to end the wait.
    """
    while True:
        between()
        remaining = deadline.remaining
        try:
            return call(milliseconds(min(remaining, SLICE)))
        except errors.Timeout:
            if remaining <= SLICE:
                raise


def in_thread(call: Callable[[], None], cancel: Callable[[], None]) -> None:
    """Runs a call that cannot be cut into slices in a thread of its own and waits for it.

    An exception that strikes the waiting thread, such as KeyboardInterrupt, runs ``cancel`` and leaves here once the
    call has returned. An exception of the call leaves here too.
    """
    failures: List[BaseException] = []
    done = threading.Event()

    def run() -> None:
        try:
            call()
        except BaseException as failure:
            failures.append(failure)
        finally:
            done.set()

    # A daemon, so that a second Ctrl-C, which ends the wait below, also ends the program.
    threading.Thread(target=run, name="mpegclient-setup", daemon=True).start()
    try:
        _wait(done)
    except BaseException:
        cancel()
        _wait(done)
        raise
    if failures:
        # Popped, because the exception refers to this frame and would otherwise be referred to by it.
        raise failures.pop()


def _wait(done: threading.Event) -> None:
    while not done.wait(SLICE):
        pass
