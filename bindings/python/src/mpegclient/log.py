"""What the library logs, for the whole process. It is quiet until told otherwise."""

from __future__ import annotations

import atexit
import logging
import os
from typing import Callable, Optional, Union

from ._c import MpegClientLogCallback, library
from .constants import LogLevel

#: Receives a line without its line break.
LogCallback = Callable[[LogLevel, str], object]

_receiver: Optional[LogCallback] = None


def set_log_level(level: int) -> None:
    """Sets how much is logged: a LogLevel. Without a callback the lines go to the standard error stream."""
    library.mpegclient_set_log_level(level)


def set_log_callback(callback: Optional[LogCallback]) -> None:
    """Has a function receive the log lines instead of the one before; None: the standard error stream again.

    It is called on threads of the library's own, several at once if need be, and must not call this package. What it
    raises is reported as an unraisable exception and goes no further. A line on its way may still reach the function
    before.
    """
    global _receiver
    if callback is not None:
        _receiver = callback
    library.mpegclient_set_log_callback(_NO_CALLBACK if callback is None else _CALLBACK, None)


def log_to(logger: Union[logging.Logger, str] = "mpegclient") -> None:
    """Has the log lines go to a logger of the logging module; its own level counts beside that of set_log_level."""
    target = logging.getLogger(logger) if isinstance(logger, str) else logger

    def pass_on(level: LogLevel, line: str) -> None:
        target.log(_LOGGING_LEVELS.get(level, logging.DEBUG), "%s", line)

    set_log_callback(pass_on)


_LOGGING_LEVELS = {
    LogLevel.ERROR: logging.ERROR,
    LogLevel.WARNING: logging.WARNING,
    LogLevel.INFO: logging.INFO,
    LogLevel.DEBUG: logging.DEBUG,
}


def _receive(level: int, line: bytes, _user_data: object) -> None:
    if _receiver is not None:
        _receiver(LogLevel(level), line.decode("utf-8", "replace"))


# One C function for the life of the process: a thread of the library may be on its way into it at any time, so that
# one made for each callback could never be given back.
_CALLBACK = MpegClientLogCallback(_receive)
_NO_CALLBACK = MpegClientLogCallback()

_PROCESS = os.getpid()


@atexit.register
def _stop_receiving() -> None:
    """Before the interpreter is taken down: a thread that called into it then would be killed within the library."""
    # Not in a forked child, which has no such thread, but maybe a lock that one of the parent's held.
    if _receiver is not None and os.getpid() == _PROCESS:
        set_log_callback(None)
