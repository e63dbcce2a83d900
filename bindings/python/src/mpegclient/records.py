"""What the library tells, as frozen dataclasses.

Times carry their unit in their name: ``..._ns`` is nanoseconds, and None where a time is not known. ``..._time_ns``
counts from 1970 by the clock that its comment names; ``..._monotonic_ns`` is CLOCK_MONOTONIC, as
``time.monotonic_ns()`` reads it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Optional, Tuple

import numpy as np
import numpy.typing as npt

from .constants import (
    UNKNOWN_TIME,
    BatchFlag,
    CaptureClock,
    EventKind,
    FrameFlag,
    ParameterKind,
    Phase,
    PixelFormat,
    Scope,
    State,
    Status,
)


def _time(value: int) -> Optional[int]:
    return None if value == UNKNOWN_TIME else value


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


@dataclass(frozen=True)
class FrameInfo:
    """What is known of one frame."""

    #: Number of the frame: 1 for the first that a client ever publishes, then one more for each.
    seq: int
    #: Connection that it came over, counted from 1.
    generation: int
    #: Presentation time by the stream's own clock.
    pts_ns: Optional[int]
    #: When the sender captured it, by the sender's clock.
    capture_time_ns: Optional[int]
    #: Where capture_time_ns comes from.
    capture_clock: CaptureClock
    #: When its packet arrived, by the local clock.
    arrival_time_ns: Optional[int]
    arrival_monotonic_ns: Optional[int]
    #: When it was decoded.
    decoded_monotonic_ns: Optional[int]
    #: When it became readable.
    published_monotonic_ns: Optional[int]
    #: It was decoded from a key frame.
    key: bool
    #: The picture is damaged or may be.
    corrupt: bool
    #: Frames that should lie before this one were dropped or lost.
    gap_before: bool
    #: The picture is a repetition of the one before.
    repeated: bool
    #: Width of the decoded picture before scaling, pixels.
    source_width: int
    #: Height of the decoded picture before scaling, pixels.
    source_height: int

    @classmethod
    def from_c(cls, info: Any) -> FrameInfo:
        """From an MpegClientFrameInfo."""
        return cls(
            seq=info.seq,
            generation=info.generation,
            pts_ns=_time(info.pts_ns),
            capture_time_ns=_time(info.capture_time_ns),
            capture_clock=CaptureClock(info.capture_clock),
            arrival_time_ns=_time(info.arrival_time_ns),
            arrival_monotonic_ns=_time(info.arrival_monotonic_ns),
            decoded_monotonic_ns=_time(info.decoded_monotonic_ns),
            published_monotonic_ns=_time(info.published_monotonic_ns),
            key=bool(info.flags & FrameFlag.KEY),
            corrupt=bool(info.flags & FrameFlag.CORRUPT),
            gap_before=bool(info.flags & FrameFlag.GAP_BEFORE),
            repeated=bool(info.flags & FrameFlag.REPEATED),
            source_width=info.source_width,
            source_height=info.source_height,
        )


# Not comparable: a comparison of arrays is an array.
@dataclass(frozen=True, eq=False)
class Batch:
    """Consecutive frames, oldest first."""

    #: The pictures: (n, height, width, channels) uint8, the caller's own.
    frames: npt.NDArray[np.uint8]
    #: One for each frame.
    infos: Tuple[FrameInfo, ...]
    #: Number of the first frame; those after it have the numbers after it.
    first_seq: int
    #: Connection that the newest frame came over, counted from 1.
    generation: int
    #: Seconds from the arrival of the newest frame's packet to the read; None if the arrival is not known.
    newest_age: Optional[float]
    #: Order of the channels.
    pixel_format: PixelFormat
    #: The frames came over several connections; only where the caller allowed it.
    mixed_generations: bool

    @classmethod
    def from_c(cls, batch: Any, frames: npt.NDArray[np.uint8], infos: Any) -> Batch:
        """From an MpegClientBatch, the pixels and an array of MpegClientFrameInfo."""
        age_ns = _time(batch.newest_age_ns)
        return cls(
            frames=frames,
            infos=tuple(FrameInfo.from_c(infos[index]) for index in range(batch.count)),
            first_seq=batch.first_seq,
            generation=batch.generation,
            newest_age=None if age_ns is None else age_ns / 1e9,
            pixel_format=PixelFormat(batch.pixel_format),
            mixed_generations=bool(batch.flags & BatchFlag.MIXED_GENERATIONS),
        )

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def last_seq(self) -> int:
        """Number of the newest frame; read on from here with ``after=batch.last_seq``."""
        return self.first_seq + len(self) - 1


@dataclass(frozen=True)
class StreamInfo:
    """What is known of the stream that is connected."""

    #: Index of the video stream within the source.
    stream_index: int
    #: Width of the source's picture in pixels; None while not known.
    width: Optional[int]
    #: Height of the source's picture in pixels; None while not known.
    height: Optional[int]
    #: Declared frames a second; None if none are declared. Declared rates are often wrong.
    frame_rate: Optional[Fraction]
    #: Frames a second as measured over the last frames; None while not known.
    measured_frame_rate: Optional[float]
    #: A live stream, not a file, which ends.
    is_live: bool
    #: Length; None if not known.
    duration_ns: Optional[int]
    #: Connection that this describes, counted from 1.
    generation: int
    #: Name of the codec, such as "h264".
    codec: str
    #: Pixel format of the decoded pictures in libav's words, such as "yuv420p"; empty while not known.
    pixel_format: str
    #: Container or session protocol in libav's words, such as "rtsp" or "mpegts".
    container: str
    #: What reads it: "libav", or "native" for the RTSP engine of this library.
    engine: str

    @classmethod
    def from_c(cls, info: Any) -> StreamInfo:
        """From an MpegClientStreamInfo."""
        declared = info.frame_rate_num and info.frame_rate_den
        return cls(
            stream_index=info.stream_index,
            width=info.width or None,
            height=info.height or None,
            frame_rate=Fraction(info.frame_rate_num, info.frame_rate_den) if declared else None,
            measured_frame_rate=info.measured_frame_rate or None,
            is_live=bool(info.is_live),
            duration_ns=_time(info.duration_ns),
            generation=info.generation,
            codec=_text(info.codec),
            pixel_format=_text(info.pixel_format),
            container=_text(info.container),
            engine=_text(info.engine),
        )


@dataclass(frozen=True)
class Stats:
    """Counters of one client since it was made; none is ever reset."""

    #: Slots of the ring; frame seq lies in slot seq % ring_capacity. 0 while there is no ring.
    ring_capacity: int
    #: Number of the newest frame; 0 if there never was one.
    newest_seq: int
    #: Number of the oldest readable frame; 0 if there is none.
    oldest_seq: int
    #: Packets of the chosen video stream.
    packets: int
    #: Bytes of those packets.
    bytes: int
    #: Frames that came out of the decoder.
    decoded: int
    #: Packets or frames that the decoder refused or reported as damaged.
    decode_errors: int
    #: Frames put into the ring.
    published: int
    #: Published frames marked corrupt.
    corrupt: int
    #: Frames left out to keep the frame rate asked for.
    dropped_by_rate: int
    #: Frames left out because readers held all the memory they may.
    dropped_by_lease: int
    #: Frames passed over to catch up after a start.
    dropped_at_start: int
    #: Connections made; the newest one's number is its generation.
    connects: int
    #: Attempts to connect.
    connect_attempts: int
    #: Batches handed out.
    reads: int
    #: Frames handed out.
    frames_read: int
    #: Writer threads that hung in a system call and were left behind.
    abandoned_threads: int
    #: Rings kept in memory by readers only, now.
    orphaned_rings: int
    #: Damaged frames left out, where the parameter corrupt is drop.
    dropped_corrupt: int
    #: From the last frame's capture by the sender's clock to its arrival by the local one: the difference of the clocks
    #: and the way. None while the sender has not told the time.
    clock_offset_ns: Optional[int]
    #: How much that varies from frame to frame; None as above.
    clock_jitter_ns: Optional[int]
    #: Packets of the network that were lost, as far as the source can tell: those of RTP.
    lost_packets: int

    @classmethod
    def from_c(cls, stats: Any) -> Stats:
        """From an MpegClientStats, whose members have the same names."""
        values = {name: getattr(stats, name) for name in cls.__dataclass_fields__}
        for name in ("clock_offset_ns", "clock_jitter_ns"):
            values[name] = _time(values[name])
        return cls(**values)


@dataclass(frozen=True)
class Event:
    """Something that happened to a stream."""

    kind: EventKind
    #: The client's state after it.
    state: State
    #: When, nanoseconds of the monotonic clock, as time.monotonic_ns has them.
    monotonic_ns: int
    #: Connection at the time, counted from 1; 0 before the first.
    generation: int
    #: The state before, for a change of state; how many, for frames or events lost; else 0.
    value: int
    #: What there is to say of it, without credentials; may be empty.
    text: str

    @classmethod
    def from_c(cls, event: Any) -> Event:
        """From an MpegClientEvent."""
        return cls(
            kind=EventKind(event.kind),
            state=State(event.state),
            monotonic_ns=event.monotonic_ns,
            generation=event.generation,
            value=event.value,
            text=event.text.decode("utf-8", "replace"),
        )


@dataclass(frozen=True)
class Failure:
    """The last failure of a client's stream, those in the background included."""

    status: Status
    phase: Phase
    #: libav's error code, 0 if libav was not involved.
    av_code: int
    #: RTSP or HTTP status that the server answered; None if not known.
    protocol_status: Optional[int]
    #: The same attempt may succeed later.
    retryable: bool
    #: When it happened, by the local clock.
    time_ns: Optional[int]
    #: What happened, without credentials.
    message: str

    @classmethod
    def from_c(cls, error: Any) -> Optional[Failure]:
        """From an MpegClientError; None if nothing has failed yet."""
        if error.status == Status.OK:
            return None
        return cls(
            status=Status(error.status),
            phase=Phase(error.phase),
            av_code=error.av_code,
            protocol_status=error.protocol_status or None,
            retryable=bool(error.retryable),
            time_ns=_time(error.time_ns),
            message=_text(error.message),
        )


@dataclass(frozen=True)
class ParameterInfo:
    """One row of the table of parameters."""

    key: str
    kind: ParameterKind
    #: When a change counts.
    scope: Scope
    #: The value while none is set.
    default: str
    #: The values it takes, in words.
    range: str
    #: What it does, in one sentence.
    help: str

    @classmethod
    def from_c(cls, info: Any) -> ParameterInfo:
        """From an MpegClientParameterInfo."""
        return cls(
            key=_text(info.key),
            kind=ParameterKind(info.kind),
            scope=Scope(info.scope),
            default=_text(info.default_value),
            range=_text(info.range),
            help=_text(info.help),
        )
