"""The exceptions, one for each failure status of the C library.

Every one is an :class:`Error` with the library's own words as its message, which hold no credentials. Those that mean
what a builtin exception means are that too: ``except TimeoutError`` catches :class:`Timeout`.
"""

from __future__ import annotations

from typing import Dict, Optional, Type

from .constants import Phase, Status


class Error(Exception):
    """A call of the library failed. Itself it is raised only for a status that this package does not know."""

    #: Number of the failure; a class has that of its row in BY_STATUS.
    status: int = Status.INTERNAL
    #: The step of the stream's life that failed; Phase.NONE for a failure of the call itself.
    phase: Phase = Phase.NONE
    #: libav's error code, 0 if libav was not involved.
    av_code: int = 0
    #: RTSP or HTTP status that the server answered; None if not known.
    protocol_status: Optional[int] = None
    #: The same attempt may succeed later.
    retryable: bool = False

    def __init__(self, message: str = "", status: Optional[int] = None) -> None:
        super().__init__(message)
        if status is not None:
            self.status = status

    @property
    def status_name(self) -> str:
        """The status as the C header calls it, without MPEGCLIENT_ERROR_."""
        return Status(self.status).name


class InvalidArgument(Error, ValueError):
    """An argument is not valid; the message names it, its value and what was expected."""


class UnknownParameter(InvalidArgument):
    """No parameter has this name; the message lists those there are."""


class BufferTooSmall(Error):
    """A buffer is too small. Callers of this package never see it: it makes the buffers."""


class BadState(Error):
    """The call does not fit the client's state, or the client is closed."""


class Busy(Error):
    """Another thread is in setup, start, terminate or clear of this client."""


class Forked(Error):
    """The client was made before fork and cannot be used in the child: make a new one there."""


class Timeout(Error, TimeoutError):
    """The time allowed ran out. The stream may still be well."""


class Stale(Error):
    """The newest frame is older than allowed."""


class Stopped(Error):
    """The stream is not started, or was terminated."""


class Ended(Error):
    """The stream came to its end and has no frame left for this call."""


class Interrupted(Error):
    """The client is interrupted; see Client.interrupt."""


class Cancelled(Error):
    """The cancel token was triggered."""


class NoFrame(Error):
    """The frame asked for is not in the ring, or not any more."""


class NoEvent(Error):
    """No event is waiting. Callers of this package never see it: next_event returns None."""


class StreamFailed(Error):
    """The stream has failed for good; Client.last_failure tells why."""


class ConnectError(Error):
    """A stream could not be opened or was lost; the subclasses tell how."""


class ResolveFailed(ConnectError):
    """The host name could not be resolved."""


class Refused(ConnectError):
    """Nothing listens at the address."""


class Unreachable(ConnectError):
    """The network does not reach the server."""


class Unauthorized(ConnectError):
    """The server wants other credentials (401, 403)."""


class NotFound(ConnectError):
    """The server or the file system has no such stream (404)."""


class ServerGone(ConnectError):
    """The server closed or lost the connection."""


class Stalled(ConnectError):
    """No packet came within the parameter stall_timeout."""


class NoVideo(ConnectError):
    """The source has no video stream."""


class Unsupported(ConnectError):
    """This build of FFmpeg lacks the protocol, format or decoder."""


class BadData(ConnectError):
    """The data could not be understood."""


class IoFailed(ConnectError):
    """Reading failed in another way."""


class Untrusted(ConnectError):
    """The server's certificate cannot be verified."""


class OutOfMemory(Error, MemoryError):
    """Memory could not be had."""


class SystemFailed(Error):
    """The operating system refused a thread, a descriptor or a mapping."""


class Internal(Error):
    """A defect in the library was caught. The client is FAILED; please report it."""


#: The one table from statuses to exceptions.
BY_STATUS: Dict[Status, Type[Error]] = {
    Status.INVALID_ARGUMENT: InvalidArgument,
    Status.UNKNOWN_PARAMETER: UnknownParameter,
    Status.BUFFER_TOO_SMALL: BufferTooSmall,
    Status.BAD_STATE: BadState,
    Status.BUSY: Busy,
    Status.FORKED: Forked,
    Status.TIMEOUT: Timeout,
    Status.STALE: Stale,
    Status.STOPPED: Stopped,
    Status.ENDED: Ended,
    Status.INTERRUPTED: Interrupted,
    Status.CANCELLED: Cancelled,
    Status.NO_FRAME: NoFrame,
    Status.NO_EVENT: NoEvent,
    Status.FAILED: StreamFailed,
    Status.RESOLVE_FAILED: ResolveFailed,
    Status.REFUSED: Refused,
    Status.UNREACHABLE: Unreachable,
    Status.UNAUTHORIZED: Unauthorized,
    Status.NOT_FOUND: NotFound,
    Status.SERVER_GONE: ServerGone,
    Status.STALLED: Stalled,
    Status.NO_VIDEO: NoVideo,
    Status.UNSUPPORTED: Unsupported,
    Status.BAD_DATA: BadData,
    Status.IO: IoFailed,
    Status.UNTRUSTED: Untrusted,
    Status.OUT_OF_MEMORY: OutOfMemory,
    Status.SYSTEM: SystemFailed,
    Status.INTERNAL: Internal,
}

for _status, _error in BY_STATUS.items():
    _error.status = _status


def from_status(status: int, message: str) -> Error:
    """Makes the exception of a status, also of one that this package does not know."""
    return BY_STATUS.get(Status(status), Error)(message, status)
