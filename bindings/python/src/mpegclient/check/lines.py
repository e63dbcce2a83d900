"""The view without a terminal: one line for each step."""

from __future__ import annotations

from typing import List, Optional, TextIO

from ..constants import State
from ..programs import words
from ..programs.model import Model, Read, Write
from ..records import Failure, FrameInfo


def write_line(write: Write) -> str:
    """The line of a frame put into the ring."""
    info = write.info
    fields = [
        f"write frame {info.seq}",
        f"slot {write.slot} of {write.capacity}",
        f"pts {words.seconds(info.pts_ns)}",
        f"age {words.milliseconds(write.age)}",
        *properties(info),
    ]
    return "  ".join(fields)


def properties(info: FrameInfo) -> List[str]:
    """What is special about a frame."""
    marks = {"key": info.key, "corrupt": info.corrupt, "gap before": info.gap_before, "repeated": info.repeated}
    return [mark for mark, is_set in marks.items() if is_set]


def read_line(read: Read) -> str:
    """The line of an extraction."""
    slots = ",".join(map(str, read.slots))
    return (
        f"read  frames {read.first_seq} to {read.last_seq}  slots {slots}  "
        f"newest is {words.milliseconds(read.newest_age)} old"
    )


def missed_line(seq: int) -> str:
    """The line of a frame that was overwritten too soon."""
    return f"missed frame {seq}: it was overwritten before it could be looked at"


def state_line(state: State, failure: Optional[Failure]) -> str:
    """The line of a new state, with the failure that led to it."""
    cause = ""
    if failure is not None and state in (State.STALLED, State.RECONNECTING, State.FAILED):
        cause = f": {failure.message}"
    return f"state {state.name}{cause}"


def counters_line(model: Model) -> str:
    """The line of the counters."""
    stats = model.stats
    if stats is None:
        return "nothing was received"
    return (
        f"received {stats.packets} packets, {words.bytes_of(stats.bytes)}; decoded {stats.decoded} frames, "
        f"{stats.decode_errors} errors; wrote {stats.published}, {stats.dropped_by_rate} left out by rate; "
        f"{model.reads} extractions; {stats.connects} connections in {stats.connect_attempts} attempts; "
        f"missed {model.missed}"
    )


class LineView:
    """Writes the lines to a file and loses none."""

    def __init__(self, output: TextIO) -> None:
        self._output = output

    def __enter__(self) -> LineView:
        return self

    def __exit__(self, *_exception: object) -> None:
        pass

    def wrote(self, _model: Model, write: Write) -> None:
        """Shows a write."""
        self._print(write_line(write))

    def missed(self, _model: Model, seq: int) -> None:
        """Shows that a write was missed."""
        self._print(missed_line(seq))

    def read(self, _model: Model, read: Read) -> None:
        """Shows an extraction."""
        self._print(read_line(read))

    def changed(self, model: Model, failure: Optional[Failure]) -> None:
        """Shows a new state."""
        self._print(state_line(model.state, failure))

    def idle(self, _model: Model) -> None:
        """Nothing happened for a moment."""

    def _print(self, line: str) -> None:
        print(line, file=self._output, flush=True)
