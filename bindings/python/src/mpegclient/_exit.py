"""The end of the interpreter, at which clients are closed under the threads that still read."""

from __future__ import annotations

import atexit
import os
import threading
import weakref

_process = 0


class _Anchor:
    """Something to make a first finalizer for."""


def _begin() -> None:
    global _process
    _process = os.getpid()


def ends_this_thread() -> bool:
    """Whether the interpreter exits and this is a daemon thread, which is to end without a word.

    Other threads have been joined by then, but for the main one, which runs what is left to do.
    """
    return _process == os.getpid() and threading.current_thread() is not threading.main_thread()


# Before the clients' finalizers: functions are called in the reverse order of their registration, and those of all
# finalizers are registered with the first one.
weakref.finalize(_Anchor(), int)
atexit.register(_begin)
