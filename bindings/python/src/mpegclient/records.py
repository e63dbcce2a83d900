"""What the library tells, as frozen dataclasses.

Times carry their unit in their name: ``..._ns`` is nanoseconds, and None where a time is not known. ``..._time_ns``
counts from 1970 by the clock that its comment names; ``..._monotonic_ns`` is CLOCK_MONOTONIC, as
``time.monotonic_ns()`` reads it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Dict, Optional, Tuple

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


#: Stands in C for a rotation that is not known: UINT32_MAX.
_UNKNOWN_ROTATION = 2**32 - 1


def _time(value: int) -> Optional[int]:
    return None if value == UNKNOWN_TIME else value


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


# As plain numbers: reading a batch asks for them hundreds of times, and an enum's arithmetic is slow.
_KEY, _CORRUPT, _GAP_BEFORE, _REPEATED = map(
    int, (FrameFlag.KEY, FrameFlag.CORRUPT, FrameFlag.GAP_BEFORE, FrameFlag.REPEATED)
)


def _aspect(info: Any) -> Optional[Fraction]:
    is_told = info.sample_aspect_num and info.sample_aspect_den
    return Fraction(info.sample_aspect_num, info.sample_aspect_den) if is_told else None


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
    #: From a place (x, y) in the frame to the place in the decoded picture that is shown there, both in pixels from the
    #: upper left corner, so that (0.5, 0.5) is the middle of the first pixel: the rows of a matrix of two rows and three
    #: columns, as OpenCV has them. :meth:`points_to_source` and :meth:`boxes_to_source` apply it.
    to_source: Tuple[float, ...]

    @classmethod
    def from_c(cls, info: Any) -> FrameInfo:
        """From an MpegClientFrameInfo."""
        flags = info.flags
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
            key=bool(flags & _KEY),
            corrupt=bool(flags & _CORRUPT),
            gap_before=bool(flags & _GAP_BEFORE),
            repeated=bool(flags & _REPEATED),
            source_width=info.source_width,
            source_height=info.source_height,
            to_source=tuple(info.to_source),
        )

    def points_to_source(self, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """The places in the decoded picture that are shown at places in the frame.

        ``points`` holds x and y in its last axis, in pixels; so does what is returned.
        """
        matrix = np.array(self.to_source).reshape(2, 3)
        places: npt.NDArray[np.float64] = np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]
        return places

    def boxes_to_source(self, boxes: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """The boxes in the decoded picture that are shown in boxes in the frame.

        ``boxes`` holds the left, upper, right and lower edge in its last axis, in pixels; so does what is returned, also
        for streams that are turned or mirrored.
        """
        corners = self.points_to_source(np.asarray(boxes, np.float64).reshape(*np.shape(boxes)[:-1], 2, 2))
        return np.concatenate([corners.min(axis=-2), corners.max(axis=-2)], axis=-1)


# Not comparable, as batches are not: a comparison of arrays is an array.
@dataclass(frozen=True, eq=False)
class BatchInfo:
    """What is known of consecutive frames besides their pixels."""

    #: One for each frame, oldest first.
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
    #: The frames are evenly spaced: none is missing between them, and no distance between two of them, by their
    #: presentation times, differs from the mean by more than a quarter. Always so for a single frame.
    is_uniform: bool
    #: The largest distance between two frames that follow each other, by their presentation times; None for fewer than
    #: two frames, or where a time is not known.
    largest_gap_ns: Optional[int]

    @staticmethod
    def members_from_c(batch: Any, infos: Any) -> Dict[str, Any]:
        """From an MpegClientBatch and an array of MpegClientFrameInfo."""
        age_ns = _time(batch.newest_age_ns)
        return {
            "infos": tuple(FrameInfo.from_c(infos[index]) for index in range(batch.count)),
            "first_seq": batch.first_seq,
            "generation": batch.generation,
            "newest_age": None if age_ns is None else age_ns / 1e9,
            "pixel_format": PixelFormat(batch.pixel_format),
            "mixed_generations": bool(batch.flags & BatchFlag.MIXED_GENERATIONS),
            "is_uniform": bool(batch.flags & BatchFlag.UNIFORM),
            "largest_gap_ns": _time(batch.largest_gap_ns),
        }

    def __len__(self) -> int:
        return len(self.infos)

    @property
    def last_seq(self) -> int:
        """Number of the newest frame; read on from here with ``after=batch.last_seq``."""
        return self.first_seq + len(self) - 1


@dataclass(frozen=True, eq=False)
class Batch(BatchInfo):
    """Consecutive frames, oldest first."""

    #: The pictures: (n, height, width, channels) uint8, the caller's own.
    frames: npt.NDArray[np.uint8]

    @classmethod
    def from_c(cls, batch: Any, frames: npt.NDArray[np.uint8], infos: Any) -> Batch:
        """From an MpegClientBatch, the pixels and an array of MpegClientFrameInfo."""
        return cls(frames=frames, **cls.members_from_c(batch, infos))


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
    #: Width of a stored pixel over its height, by the stream or the parameter sample_aspect_ratio; None while not known, and
    #: if neither of them has one: then pixels are square.
    sample_aspect_ratio: Optional[Fraction]
    #: Degrees clockwise that pictures are turned by, by the stream or the parameter rotation; None while not known, which is
    #: until the first picture is decoded unless the parameter is set.
    rotation: Optional[int]
    #: Left and right are exchanged before that; None while not known.
    is_mirrored: Optional[bool]
    #: Matrix that colours are converted by, in libav's words, such as "bt709"; "gbr" for RGB; empty while not known.
    color_matrix: str
    #: Range that they are converted from: "tv" for limited, "pc" for full; empty while not known.
    color_range: str
    #: Primaries in libav's words, such as "bt2020"; empty if the stream does not say. They are left as they are.
    color_primaries: str
    #: Transfer function in libav's words, such as "smpte2084"; empty if the stream does not say. It is left as it is.
    color_transfer: str
    #: The pictures are of high dynamic range (PQ or HLG, ITU-R BT.2100). The frames keep their transfer function and
    #: primaries, and look pale where they are shown as if they were not. None while not known.
    is_hdr: Optional[bool]
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
            sample_aspect_ratio=_aspect(info),
            rotation=None if info.rotation == _UNKNOWN_ROTATION else info.rotation,
            is_mirrored=None if info.rotation == _UNKNOWN_ROTATION else bool(info.is_mirrored),
            color_matrix=_text(info.color_matrix),
            color_range=_text(info.color_range),
            color_primaries=_text(info.color_primaries),
            color_transfer=_text(info.color_transfer),
            is_hdr=bool(info.is_hdr) if info.pixel_format else None,
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
    #: Leases that are out, now: those of earlier setups included.
    leases: int
    #: Since the oldest of them was taken; 0 if there is none.
    oldest_lease_age_ns: int
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
    #: Frames published once more to keep a constant rate, where the parameter rate_mode is cfr.
    repeated: int
    #: Times that the timestamps of a live stream were found not to keep pace with the arrival of its frames.
    clock_faults: int

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
