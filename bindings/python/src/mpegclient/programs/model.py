"""What the checking program shows: the slots of the ring, the writer, the region that was read. No clock, no output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Optional

from ..constants import State
from ..records import Batch, FrameInfo, Stats


def slot_of(seq: int, capacity: int) -> int:
    """The slot that a frame lies in."""
    return seq % capacity


def age_seconds(info: FrameInfo, now_ns: int) -> Optional[float]:
    """Seconds from the arrival of a frame's packet to a time of CLOCK_MONOTONIC; None if the arrival is not known."""
    return None if info.arrival_monotonic_ns is None else (now_ns - info.arrival_monotonic_ns) / 1e9


@dataclass(frozen=True)
class Write:
    """The writer has put a frame into a slot."""

    info: FrameInfo
    slot: int
    capacity: int
    #: Seconds since the frame's packet arrived, when this was noticed.
    age: Optional[float]


@dataclass(frozen=True)
class Read:
    """A reader has extracted frames: the read region."""

    first_seq: int
    last_seq: int
    #: The slots of the region, oldest frame first.
    slots: List[int]
    #: Seconds since the newest frame's packet arrived.
    newest_age: Optional[float]


@dataclass(frozen=True)
class Slot:
    """One slot of the ring."""

    number: int
    #: Number of the frame in it; None if there is none that can be read.
    seq: Optional[int]
    #: Its frame was decoded from a key frame.
    is_key: bool
    #: The next frame goes here.
    is_writers: bool
    #: It belongs to the region that was read last.
    is_read: bool


class Model:
    """All that is known of one stream and its ring, from the steps in the order in which they were noticed."""

    def __init__(self) -> None:
        self.state = State.IDLE
        self.stats: Optional[Stats] = None
        self.last_write: Optional[Write] = None
        self.last_read: Optional[Read] = None
        self.writes = 0
        self.missed = 0
        self.reads = 0
        self._frames: Dict[int, FrameInfo] = {}  # slot: the frame written to it last

    @property
    def capacity(self) -> int:
        """Slots of the ring, 0 while there is none."""
        return self.stats.ring_capacity if self.stats else 0

    @property
    def has_unread_writes(self) -> bool:
        """Whether frames were written after the last extraction."""
        if self.last_write is None:
            return False
        return self.last_read is None or self.last_write.info.seq > self.last_read.last_seq

    def update(self, state: State, stats: Stats) -> bool:
        """Takes in the state and the counters; tells whether the state is another."""
        if stats.ring_capacity != self.capacity:
            # A new ring: what lay in the slots of the old one is gone.
            self._frames.clear()
        is_changed = state != self.state
        self.state, self.stats = state, stats
        return is_changed

    def wrote(self, info: FrameInfo, now_ns: int) -> Write:
        """The writer has put a frame into the ring, whose capacity is known by now."""
        write = Write(info, slot_of(info.seq, self.capacity), self.capacity, age_seconds(info, now_ns))
        self._frames[write.slot] = info
        self.last_write = write
        self.writes += 1
        return write

    def missed_write(self) -> None:
        """A frame was overwritten before it could be looked at."""
        self.missed += 1

    def read(self, batch: Batch) -> Read:
        """A reader has extracted frames."""
        slots = [slot_of(seq, self.capacity) for seq in range(batch.first_seq, batch.last_seq + 1)]
        self.last_read = Read(batch.first_seq, batch.last_seq, slots, batch.newest_age)
        self.reads += 1
        return self.last_read

    def slots(self) -> List[Slot]:
        """The ring, slot by slot."""
        if self.stats is None or self.capacity == 0:
            return []
        return [self._slot(number, self.stats) for number in range(self.capacity)]

    def _slot(self, number: int, stats: Stats) -> Slot:
        info = self._frames.get(number)
        # Slots beyond cache_size hold frames that are no longer readable: the reserve that the writer works in.
        if info is not None and not stats.oldest_seq <= info.seq:
            info = None
        read = self.last_read
        return Slot(
            number=number,
            seq=info.seq if info else None,
            is_key=bool(info and info.key),
            is_writers=number == slot_of(stats.newest_seq + 1, self.capacity),
            is_read=bool(info and read and read.first_seq <= info.seq <= read.last_seq),
        )
