"""The numbers of the C header as enumerations, one for each group: MPEGCLIENT_STATE_RUNNING is State.RUNNING.

A library newer than this package may return numbers that are not listed here. They become members that are called
UNKNOWN_<number> and keep their value, so that nothing fails only because the library has learnt something.
"""

from __future__ import annotations

import enum
from typing import Optional

#: Number of the header that this package was written against. A library with a smaller one lacks something.
ABI_VERSION = 1

#: A time that is not known (INT64_MIN, libav's AV_NOPTS_VALUE). Python callers see None in its place.
UNKNOWN_TIME = -(2**63)


class _Open(enum.IntEnum):
    """An enumeration that takes numbers it does not list."""

    @classmethod
    def _missing_(cls, value: object) -> Optional[_Open]:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_ = f"UNKNOWN_{value}"
        member._value_ = value
        return member


class Status(_Open):
    """How a call ended. See :mod:`mpegclient.errors` for the exception that each failure becomes."""

    OK = 0
    INVALID_ARGUMENT = -1
    UNKNOWN_PARAMETER = -2
    BUFFER_TOO_SMALL = -3
    BAD_STATE = -20
    BUSY = -21
    FORKED = -22
    TIMEOUT = -40
    STALE = -41
    STOPPED = -42
    ENDED = -43
    INTERRUPTED = -44
    CANCELLED = -45
    NO_FRAME = -46
    NO_EVENT = -47
    FAILED = -60
    RESOLVE_FAILED = -61
    REFUSED = -62
    UNREACHABLE = -63
    UNAUTHORIZED = -64
    NOT_FOUND = -65
    SERVER_GONE = -66
    STALLED = -67
    NO_VIDEO = -68
    UNSUPPORTED = -69
    BAD_DATA = -70
    IO = -71
    UNTRUSTED = -72
    OUT_OF_MEMORY = -80
    SYSTEM = -81
    INTERNAL = -90


class State(_Open):
    """Where a client stands in its life."""

    IDLE = 0
    CONNECTING = 1
    READY = 2
    WAITING_KEYFRAME = 3
    RUNNING = 4
    STALLED = 5
    RECONNECTING = 6
    STOPPED = 7
    ENDED = 8
    FAILED = 9

    @property
    def is_living(self) -> bool:
        """Whether frames may still come without another call. So may they in a state that is not known here."""
        return self not in (State.IDLE, State.READY, State.STOPPED, State.ENDED, State.FAILED)


class Phase(_Open):
    """The step of a stream's life in which something failed."""

    NONE = 0
    RESOLVE = 1
    CONNECT = 2
    AUTH = 3
    SETUP = 4
    PROBE = 5
    READ = 6
    DECODE = 7
    CONVERT = 8


class EventKind(_Open):
    """What kind of thing happened to a stream."""

    STATE_CHANGED = 1
    FORMAT_CHANGED = 2
    RECONNECTED = 3
    FRAMES_DROPPED = 4
    QUEUE_OVERFLOW = 5
    NO_KEY_FRAME = 6
    CLOCK_UNRELIABLE = 7


class Order(_Open):
    """Which frames a read gives: the newest, or the oldest after a number, for reading without loss."""

    LATEST = 0
    NEXT = 1


class PixelFormat(_Open):
    """Order of the channels, 8 bits each."""

    RGB24 = 0
    BGR24 = 1
    RGBA = 2
    GRAY8 = 3


class Device(_Open):
    """Where the frames lie."""

    CPU = 0


class CaptureClock(_Open):
    """Where a frame's time of capture comes from."""

    NONE = 0
    RTCP = 1


class ParameterKind(_Open):
    """What values a parameter takes."""

    TEXT = 0
    SECRET = 1
    INTEGER = 2
    RATIONAL = 3
    CHOICE = 4
    COLOR = 5


class Scope(_Open):
    """When a change of a parameter counts: at the next setup, or at the next call that uses it."""

    SETUP = 0
    NOW = 1


class LogLevel(_Open):
    """How much is logged; each level includes those before it."""

    QUIET = 0
    ERROR = 1
    WARNING = 2
    INFO = 3
    DEBUG = 4


class FrameFlag(enum.IntFlag):
    """Properties of a frame."""

    KEY = 1
    CORRUPT = 2
    GAP_BEFORE = 4
    REPEATED = 8


class ReadFlag(enum.IntFlag):
    """What a read may do beyond the ordinary."""

    MIX_GENERATIONS = 1


class BatchFlag(enum.IntFlag):
    """Properties of a batch."""

    MIXED_GENERATIONS = 1
    UNIFORM = 2
