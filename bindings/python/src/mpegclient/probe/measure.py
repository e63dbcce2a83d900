"""What the frames of some seconds tell of a stream: its rate, its key frames, its times. No clock, no client."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import List, Optional, Sequence

from ..constants import CaptureClock
from ..records import FrameInfo


@dataclass(frozen=True)
class Rate:
    """Frames a second, and how evenly they come."""

    #: Frames that were looked at, all of one connection.
    frames: int
    #: By the stream's own clock; None while not known.
    by_timestamps: Optional[float]
    #: By the moments of arrival; None while not known.
    by_arrival: Optional[float]
    #: The longest time between two frames by the stream's own clock.
    longest_interval_ns: Optional[int]
    #: How far the time between two arrivals is from that between their timestamps, on average (the quantity that RFC
    #: 3550, 6.4.1 smooths).
    arrival_jitter_ns: Optional[int]


@dataclass(frozen=True)
class KeyFrames:
    """Frames that decoding can begin at."""

    seen: int
    #: Frames from one to the next, at most; None until two were seen.
    distance_frames: Optional[int]
    #: The same as time by the stream's own clock.
    distance_ns: Optional[int]


@dataclass(frozen=True)
class Capture:
    """What is known of the moments of capture."""

    #: Where they come from.
    clock: CaptureClock
    #: Frames whose moment is known.
    frames: int
    #: From capture by the sender's clock to arrival by the local one, for the newest frame: the difference of the
    #: clocks and the way.
    to_arrival_ns: Optional[int]


def newest_connection(infos: Sequence[FrameInfo]) -> List[FrameInfo]:
    """The frames that came over the newest frame's connection; the times of others do not compare with them."""
    return [info for info in infos if info.generation == infos[-1].generation]


def rate(infos: Sequence[FrameInfo]) -> Rate:
    """Measures the rate of frames of one connection, oldest first."""
    stamps = _intervals([info.pts_ns for info in infos])
    arrivals = _intervals([info.arrival_monotonic_ns for info in infos])
    both = [(stamp, arrival) for stamp, arrival in zip(stamps, arrivals) if stamp is not None and arrival is not None]
    return Rate(
        frames=len(infos),
        by_timestamps=_rate(stamps),
        by_arrival=_rate(arrivals),
        longest_interval_ns=max((stamp for stamp in stamps if stamp is not None), default=None),
        arrival_jitter_ns=round(fmean(abs(arrival - stamp) for stamp, arrival in both)) if both else None,
    )


def key_frames(infos: Sequence[FrameInfo]) -> KeyFrames:
    """Measures the distances between key frames of one connection, oldest first."""
    keys = [info for info in infos if info.key]
    times = [interval for interval in _intervals([info.pts_ns for info in keys]) if interval is not None]
    return KeyFrames(
        seen=len(keys),
        distance_frames=max((after.seq - before.seq for before, after in zip(keys, keys[1:])), default=None),
        distance_ns=max(times, default=None),
    )


def capture(infos: Sequence[FrameInfo]) -> Capture:
    """Looks for the moments of capture."""
    known = [info for info in infos if info.capture_time_ns is not None]
    if not known:
        return Capture(CaptureClock.NONE, 0, None)
    captured, arrived = known[-1].capture_time_ns, known[-1].arrival_time_ns
    way = None if captured is None or arrived is None else arrived - captured
    return Capture(known[-1].capture_clock, len(known), way)


def _intervals(times: Sequence[Optional[int]]) -> List[Optional[int]]:
    return [None if before is None or after is None else after - before for before, after in zip(times, times[1:])]


def _rate(intervals: Sequence[Optional[int]]) -> Optional[float]:
    known = [interval for interval in intervals if interval is not None]
    return len(known) * 1e9 / sum(known) if sum(known) > 0 else None
