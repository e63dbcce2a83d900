"""The C library as ctypes sees it: the structs, one table of prototypes, and the loaded library with the table applied.

The tests compare all of it with the header, so whoever changes the one is told to change the other.
"""

from __future__ import annotations

import ctypes
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_char,
    c_char_p,
    c_double,
    c_int32,
    c_int64,
    c_size_t,
    c_uint8,
    c_uint32,
    c_uint64,
    c_void_p,
)
from typing import Any, Callable, NamedTuple, Optional, Tuple

from . import _library, errors
from ._exit import ends_this_thread
from .constants import Phase


# ---- Objects and callbacks ----


class MpegClient(Structure):
    """A stream. Only the library knows what it holds."""


class MpegClientLease(Structure):
    """Frames that are held. Only the library knows what it holds."""


class MpegClientCancel(Structure):
    """A cancel token. Only the library knows what it holds."""


ClientPointer = POINTER(MpegClient)
LeasePointer = POINTER(MpegClientLease)
CancelPointer = POINTER(MpegClientCancel)
MpegClientLogCallback = CFUNCTYPE(None, c_int32, c_char_p, c_void_p)


# ---- Structs ----


class _SizedStructure(Structure):
    """A struct whose first member, struct_size, tells the library which version of it the caller knows."""

    def __init__(self, **members: Any) -> None:
        super().__init__(struct_size=ctypes.sizeof(self), **members)


class MpegClientParameterInfo(_SizedStructure):
    """One row of the table of parameters."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("kind", c_int32),
        ("scope", c_int32),
        ("reserved", c_uint32),
        ("key", c_char_p),
        ("default_value", c_char_p),
        ("range", c_char_p),
        ("help", c_char_p),
    ]


class MpegClientStreamInfo(_SizedStructure):
    """What is known of the stream."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("stream_index", c_uint32),
        ("width", c_uint32),
        ("height", c_uint32),
        ("frame_rate_num", c_uint32),
        ("frame_rate_den", c_uint32),
        ("measured_frame_rate", c_double),
        ("is_live", c_uint32),
        ("is_hdr", c_uint32),
        ("sample_aspect_num", c_uint32),
        ("sample_aspect_den", c_uint32),
        ("rotation", c_uint32),
        ("is_mirrored", c_uint32),
        ("duration_ns", c_int64),
        ("generation", c_uint64),
        ("codec", c_char * 32),
        ("pixel_format", c_char * 32),
        ("container", c_char * 32),
        ("color_matrix", c_char * 32),
        ("color_range", c_char * 32),
        ("color_primaries", c_char * 32),
        ("color_transfer", c_char * 32),
        ("engine", c_char * 16),
    ]


class MpegClientStats(_SizedStructure):
    """Counters."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("ring_capacity", c_uint32),
        ("newest_seq", c_uint64),
        ("oldest_seq", c_uint64),
        ("packets", c_uint64),
        ("bytes", c_uint64),
        ("decoded", c_uint64),
        ("decode_errors", c_uint64),
        ("published", c_uint64),
        ("corrupt", c_uint64),
        ("dropped_by_rate", c_uint64),
        ("dropped_by_lease", c_uint64),
        ("dropped_at_start", c_uint64),
        ("connects", c_uint64),
        ("connect_attempts", c_uint64),
        ("reads", c_uint64),
        ("frames_read", c_uint64),
        ("abandoned_threads", c_uint64),
        ("leases", c_uint64),
        ("oldest_lease_age_ns", c_int64),
        ("orphaned_rings", c_uint64),
        ("dropped_corrupt", c_uint64),
        ("clock_offset_ns", c_int64),
        ("clock_jitter_ns", c_int64),
        ("lost_packets", c_uint64),
        ("repeated", c_uint64),
        ("clock_faults", c_uint64),
    ]


class MpegClientError(_SizedStructure):
    """The last failure of a stream."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("status", c_int32),
        ("phase", c_int32),
        ("av_code", c_int32),
        ("protocol_status", c_int32),
        ("retryable", c_uint32),
        ("time_ns", c_int64),
        ("message", c_char * 512),
    ]


class MpegClientReadOptions(_SizedStructure):
    """What to read."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("order", c_int32),
        ("count", c_uint32),
        ("flags", c_uint32),
        ("after_seq", c_uint64),
        ("timeout_ms", c_int64),
        ("max_age_ms", c_int64),
        ("view", c_uint32),
        ("reserved", c_uint32),
        ("cancel", CancelPointer),
    ]


class MpegClientFrameInfo(Structure):
    """What is known of one frame."""

    _fields_ = [
        ("seq", c_uint64),
        ("generation", c_uint64),
        ("pts_ns", c_int64),
        ("capture_time_ns", c_int64),
        ("arrival_time_ns", c_int64),
        ("arrival_monotonic_ns", c_int64),
        ("decoded_monotonic_ns", c_int64),
        ("published_monotonic_ns", c_int64),
        ("capture_clock", c_int32),
        ("flags", c_uint32),
        ("source_width", c_uint32),
        ("source_height", c_uint32),
        ("to_source", c_double * 6),
    ]


class MpegClientBatch(_SizedStructure):
    """What was read."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("count", c_uint32),
        ("data", POINTER(c_uint8)),
        ("buffer_needed", c_uint64),
        ("height", c_uint32),
        ("width", c_uint32),
        ("channels", c_uint32),
        ("pixel_format", c_int32),
        ("frame_stride", c_uint64),
        ("row_stride", c_uint64),
        ("device", c_int32),
        ("flags", c_uint32),
        ("first_seq", c_uint64),
        ("generation", c_uint64),
        ("newest_age_ns", c_int64),
        ("largest_gap_ns", c_int64),
    ]


class MpegClientEvent(_SizedStructure):
    """Something that happened to a stream."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("kind", c_int32),
        ("state", c_int32),
        ("reserved", c_uint32),
        ("monotonic_ns", c_int64),
        ("generation", c_uint64),
        ("value", c_int64),
        ("text", c_char * 128),
    ]


# ---- Results: a C type, and what becomes of the value before a caller sees it ----


class Result(NamedTuple):
    """What a function returns."""

    restype: Any
    errcheck: Optional[Callable[[Any, Any, Any], Any]] = None


def _raise_failure(status: int, _function: Any, _arguments: Any) -> None:
    # Without a name for it here: an exception that its own traceback leads to would keep alive, until the garbage is
    # collected, what the frames below hold, leases among it.
    if status != 0:
        if ends_this_thread():
            raise SystemExit
        raise _failure(status)


def _failure(status: int) -> errors.Error:
    error = errors.from_status(status, library.mpegclient_last_error())
    known = MpegClientError()
    library.mpegclient_thread_error(ctypes.byref(known))
    error.phase = Phase(known.phase)
    error.av_code = known.av_code
    error.protocol_status = known.protocol_status or None
    error.retryable = bool(known.retryable)
    return error


def _decode(text: bytes, _function: Any, _arguments: Any) -> str:
    return text.decode("utf-8", "replace")


def _refuse_null(pointer: Any, _function: Any, _arguments: Any) -> Any:
    if not pointer:
        raise errors.OutOfMemory(library.mpegclient_last_error())
    return pointer


NOTHING = Result(None)
UINT32 = Result(c_uint32)
SIZE = Result(c_size_t)
TEXT = Result(c_char_p, _decode)
STATUS = Result(c_int32, _raise_failure)
NEW_CLIENT = Result(ClientPointer, _refuse_null)
NEW_CANCEL = Result(CancelPointer, _refuse_null)


# ---- Prototypes ----


class Prototype(NamedTuple):
    """One function of the header."""

    name: str
    result: Result
    arguments: Tuple[Any, ...]


def _row(name: str, result: Result, *arguments: Any) -> Prototype:
    return Prototype(name, result, arguments)


# fmt: off
PROTOTYPES = (
    _row("mpegclient_version_number", UINT32),
    _row("mpegclient_version", TEXT),
    _row("mpegclient_abi_version", UINT32),
    _row("mpegclient_build_info", TEXT),
    _row("mpegclient_status_string", TEXT, c_int32),
    _row("mpegclient_state_string", TEXT, c_int32),
    _row("mpegclient_phase_string", TEXT, c_int32),
    _row("mpegclient_redact", STATUS, c_char_p, c_char_p, c_size_t, POINTER(c_size_t)),
    _row("mpegclient_last_error", TEXT),
    _row("mpegclient_thread_error", STATUS, POINTER(MpegClientError)),
    _row("mpegclient_set_log_level", STATUS, c_int32),
    _row("mpegclient_set_log_callback", STATUS, MpegClientLogCallback, c_void_p),
    _row("mpegclient_set_parameter", STATUS, ClientPointer, c_char_p, c_char_p),
    _row("mpegclient_set_parameter_int", STATUS, ClientPointer, c_char_p, c_int64),
    _row("mpegclient_get_parameter", STATUS, ClientPointer, c_char_p, c_char_p, c_size_t, POINTER(c_size_t)),
    _row("mpegclient_parameter_count", SIZE),
    _row("mpegclient_parameter_describe", STATUS, c_size_t, POINTER(MpegClientParameterInfo)),
    _row("mpegclient_new", NEW_CLIENT),
    _row("mpegclient_free", NOTHING, ClientPointer),
    _row("mpegclient_setup", STATUS, ClientPointer, c_char_p, c_int64, CancelPointer),
    _row("mpegclient_start", STATUS, ClientPointer),
    _row("mpegclient_terminate", STATUS, ClientPointer),
    _row("mpegclient_clear", STATUS, ClientPointer),
    _row("mpegclient_interrupt", STATUS, ClientPointer, c_int32),
    _row("mpegclient_state", STATUS, ClientPointer, POINTER(c_int32)),
    _row("mpegclient_stream_info", STATUS, ClientPointer, POINTER(MpegClientStreamInfo)),
    _row("mpegclient_stats", STATUS, ClientPointer, POINTER(MpegClientStats)),
    _row("mpegclient_client_error", STATUS, ClientPointer, POINTER(MpegClientError)),
    _row("mpegclient_describe", STATUS, ClientPointer, c_char_p, c_size_t, POINTER(c_size_t)),
    _row("mpegclient_output_shape", STATUS, ClientPointer, c_int64, CancelPointer,
         POINTER(c_uint32), POINTER(c_uint32), POINTER(c_uint32), POINTER(c_size_t)),
    _row("mpegclient_wait", STATUS, ClientPointer, c_uint64, c_int64, CancelPointer, POINTER(c_uint64)),
    _row("mpegclient_extract_frames", STATUS, ClientPointer, POINTER(MpegClientReadOptions), POINTER(c_uint8),
         c_size_t, POINTER(MpegClientFrameInfo), c_size_t, POINTER(MpegClientBatch)),
    _row("mpegclient_frame_info", STATUS, ClientPointer, c_uint64, POINTER(MpegClientFrameInfo), c_size_t),
    _row("mpegclient_acquire_frames", STATUS, ClientPointer, POINTER(MpegClientReadOptions), POINTER(LeasePointer),
         POINTER(MpegClientFrameInfo), c_size_t, POINTER(MpegClientBatch)),
    _row("mpegclient_lease_release", NOTHING, LeasePointer),
    _row("mpegclient_next_event", STATUS, ClientPointer, POINTER(MpegClientEvent)),
    _row("mpegclient_event_fd", STATUS, ClientPointer, POINTER(c_int32)),
    _row("mpegclient_event_arm", STATUS, ClientPointer, c_uint64),
    _row("mpegclient_wait_any", STATUS, POINTER(ClientPointer), POINTER(c_uint64), c_size_t, c_int64, CancelPointer,
         POINTER(c_size_t)),
    _row("mpegclient_cancel_new", NEW_CANCEL),
    _row("mpegclient_cancel_trigger", STATUS, CancelPointer),
    _row("mpegclient_cancel_reset", STATUS, CancelPointer),
    _row("mpegclient_cancel_free", NOTHING, CancelPointer),
)
# fmt: on


def _apply_prototypes(loaded: ctypes.CDLL) -> ctypes.CDLL:
    for name, (restype, errcheck), arguments in PROTOTYPES:
        function = getattr(loaded, name)
        function.argtypes = arguments
        function.restype = restype
        if errcheck is not None:
            function.errcheck = errcheck
    return loaded


#: The loaded library. Its functions raise mpegclient.errors.Error by themselves.
library = _apply_prototypes(_library.load())


def read_text(function: Callable[..., None], *arguments: Any) -> str:
    """Calls a function that fills a buffer with text, and again with a larger one while the text does not fit."""
    needed = c_size_t(1024)
    while True:
        buffer = ctypes.create_string_buffer(needed.value)
        try:
            function(*arguments, buffer, len(buffer), ctypes.byref(needed))
        except errors.BufferTooSmall:
            continue
        return buffer.value.decode("utf-8", "replace")
