"""The newest N frames of any live video stream, as one array, at any moment.

    from mpegclient import Client

    with Client("rtsp://camera/1", width=480, height=360, frame_rate=(5, 1), read_size=5) as client:
        client.setup()
        client.start()
        frames = client.read_latest()      # numpy.ndarray, (5, 360, 480, 3), uint8

:class:`Client` is the whole of it; :mod:`mpegclient.errors` has the exceptions, :mod:`mpegclient.mpegcoder` stands in
for the mpegCoder package; ``python -m mpegclient check URL`` shows a stream at work, ``python -m mpegclient probe URL``
tells what is known of it.
"""

from . import _c, errors
from ._convert import c_text
from ._version import __version__
from .batches import Batches
from .client import CancelToken, Client, wait_any
from .constants import (
    CaptureClock,
    EventKind,
    LogLevel,
    Order,
    ParameterKind,
    Phase,
    PixelFormat,
    Scope,
    State,
    Status,
)
from .errors import Error
from .lease import Lease
from .log import log_to, set_log_callback, set_log_level
from ._parameters import Parameters, parameters
from .records import Batch, BatchInfo, Event, Failure, FrameInfo, ParameterInfo, Stats, StreamInfo

__all__ = [
    "Batch",
    "BatchInfo",
    "Batches",
    "CancelToken",
    "CaptureClock",
    "Client",
    "Error",
    "Event",
    "EventKind",
    "Failure",
    "FrameInfo",
    "Lease",
    "LogLevel",
    "Order",
    "ParameterInfo",
    "ParameterKind",
    "Parameters",
    "Phase",
    "PixelFormat",
    "Scope",
    "State",
    "Stats",
    "Status",
    "StreamInfo",
    "__version__",
    "build_info",
    "errors",
    "log_to",
    "parameters",
    "redact",
    "set_log_callback",
    "set_log_level",
    "version",
    "wait_any",
]


def version() -> str:
    """The version of the loaded C library, such as "0.1.0"; that of this package is __version__."""
    return str(_c.library.mpegclient_version())


def redact(text: str) -> str:
    """A text without the credentials in it.

    Of addresses it keeps scheme, host, port, path and harmless values of the query; what is hidden becomes ``***``. The
    texts of this package have been through it already.
    """
    return _c.read_text(_c.library.mpegclient_redact, c_text(text, "text"))


def build_info() -> str:
    """How the loaded C library was built: its version, FFmpeg's versions and licence, in one line."""
    return str(_c.library.mpegclient_build_info())
