"""The view in a terminal, drawn anew at each step."""

from __future__ import annotations

from collections import deque
from typing import Deque, List, Optional

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ..programs import words
from ..programs.model import Model, Read, Slot, Write
from ..records import Failure
from . import lines

#: Steps of the writer that stay on the screen.
HISTORY = 8

_WRITER, _READ, _KEY, _EMPTY = "black on yellow", "black on green", "bold", "dim"


def cell(slot: Slot, width: int) -> Text:
    """A slot as it is drawn: the number of its frame, a K if that is a key frame."""
    label = "-" if slot.seq is None else f"{slot.seq}{'K' if slot.is_key else ''}"
    style = _WRITER if slot.is_writers else _READ if slot.is_read else _EMPTY if slot.seq is None else ""
    return Text(label.center(width), style=f"{style} {_KEY}" if slot.is_key and style != _EMPTY else style)


def ring(slots: List[Slot], columns: int) -> Text:
    """All slots in order, in as many rows as it takes; each row begins with the number of its first slot."""
    width = max((len(str(slot.seq)) for slot in slots if slot.seq is not None), default=1) + 3
    margin = len(str(len(slots))) + 2
    in_row = max(1, (columns - margin) // width)
    rows = []
    for first in range(0, len(slots), in_row):
        row = Text(f"{first}:".rjust(margin - 1) + " ", style="dim")
        row.append_text(Text("").join(cell(slot, width) for slot in slots[first : first + in_row]))
        rows.append(row)
    return Text("\n").join(rows)


def legend() -> Text:
    """What the colours mean."""
    text = Text("  ")
    for label, style in ((" writer's next slot ", _WRITER), (" last read region ", _READ), (" no frame ", _EMPTY)):
        text.append(label, style=style).append("  ")
    return text.append("K key frame", style=_KEY)


class TerminalView:
    """Draws the model with rich."""

    def __init__(self, title: str, console: Optional[Console] = None) -> None:
        """``title`` stands at the top; ``console`` is for tests."""
        self._title = title
        self._console = console or Console()
        self._history: Deque[Text] = deque(maxlen=HISTORY)
        self._cause: Optional[str] = None
        # Each step is drawn when it happens; a timer of rich's own would draw at other times.
        self._live = Live(console=self._console, auto_refresh=False)

    def __enter__(self) -> TerminalView:
        self._live.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._live.__exit__(None, None, None)

    def wrote(self, model: Model, write: Write) -> None:
        """Shows a write."""
        self._history.append(Text(lines.write_line(write)))
        self.idle(model)

    def missed(self, model: Model, seq: int) -> None:
        """Shows that a write was missed."""
        self._history.append(Text(lines.missed_line(seq), style="red"))
        self.idle(model)

    def read(self, model: Model, read: Read) -> None:
        """Shows an extraction."""
        self._history.append(Text(lines.read_line(read), style="green"))
        self.idle(model)

    def changed(self, model: Model, failure: Optional[Failure]) -> None:
        """Shows a new state."""
        self._history.append(Text(lines.state_line(model.state, failure), style="yellow"))
        self.idle(model)

    def idle(self, model: Model) -> None:
        """Draws."""
        self._live.update(self.draw(model), refresh=True)

    def draw(self, model: Model) -> RenderableType:
        """The whole picture."""
        inside = self._console.width - 4
        history = Text("\n").join([*self._history, *[Text()] * (HISTORY - len(self._history))])
        return Group(
            Panel(_summary(model), title=self._title, title_align="left"),
            Panel(Group(ring(model.slots(), inside), legend()), title="ring", title_align="left"),
            Panel(history, title="steps", title_align="left"),
        )


def _summary(model: Model) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for _ in range(4):
        table.add_column(no_wrap=True)
    stats, write, read = model.stats, model.last_write, model.last_read
    table.add_row("state", Text(model.state.name, style="bold"), "extractions", str(model.reads))
    if write:
        age = words.milliseconds(write.age)
        table.add_row("newest frame", f"{write.info.seq}", "its pts, age", f"{words.seconds(write.info.pts_ns)}, {age}")
    if read:
        region = f"{read.first_seq} to {read.last_seq}"
        table.add_row("last read", region, "its newest", f"{words.milliseconds(read.newest_age)} old")
    if stats:
        table.add_row("received", f"{stats.packets} packets, {words.bytes_of(stats.bytes)}",
                      "decoded", f"{stats.decoded}, {stats.decode_errors} errors")  # fmt: skip
        table.add_row("written", f"{stats.published}, {model.missed} missed here",
                      "left out by rate", str(stats.dropped_by_rate))  # fmt: skip
        table.add_row("connections", f"{stats.connects} in {stats.connect_attempts} attempts",
                      "corrupt", str(stats.corrupt))  # fmt: skip
    return table
