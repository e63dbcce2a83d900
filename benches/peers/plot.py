"""The results as a picture: a panel for each row, a bar for each peer, a line for each spread."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402 (the backend has to be chosen first)

from report import TITLES, rows_of  # noqa: E402
from results import LIMIT, OURS, PEERS, Row  # noqa: E402

COLUMNS = 3

_OTHERS = ["tab:blue", "tab:cyan", "tab:orange", "tab:brown", "tab:red", "tab:purple", "tab:pink"]
_COLOURS = {LIMIT: "tab:gray", OURS: "tab:green", **dict(zip(PEERS, _OTHERS))}

#: Where the largest value is so many times the smallest, it would hide the rest.
_WIDE = 30


def draw(told: Dict[str, Any], path: Path) -> None:
    """Draws the rows in which several can be compared, and the cost of many streams."""
    rows = [row for row in rows_of(told) if not row.key.startswith("many") and sum(bool(cell.values) for cell in row.cells.values()) > 1]
    many = [row for row in rows_of(told) if row.key.startswith("many_")]
    count = len(rows) + 2
    figure, axes = pyplot.subplots(-(-count // COLUMNS), COLUMNS, figsize=(6 * COLUMNS, 3.2 * -(-count // COLUMNS)))
    panels = list(axes.flat)
    for row, panel in zip(rows, panels):
        _bars(row, panel)
    _lines([row for row in many if "memory" not in row.key], panels[len(rows)], "many streams, CPU a stream, % of a core")
    _lines([row for row in many if "memory" in row.key], panels[len(rows) + 1], "many streams, PSS a stream, MB")
    for panel in panels[count:]:
        panel.set_visible(False)
    figure.suptitle(f"{told['date']}, {told['machine']}")
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    pyplot.close(figure)


def _bars(row: Row, panel: Any) -> None:
    peers = [peer for peer in TITLES if peer in row.cells and row.cells[peer].values]
    cells = [row.cells[peer] for peer in peers]
    medians = [cell.median or 0.0 for cell in cells]
    spread = [[value - min(cell.values) for value, cell in zip(medians, cells)],
              [max(cell.values) - value for value, cell in zip(medians, cells)]]  # fmt: skip
    colours = [_COLOURS[peer] for peer in peers]
    panel.barh([TITLES[peer] for peer in peers], medians, xerr=spread, color=colours, capsize=3)
    panel.invert_yaxis()
    panel.set_title(f"{row.title}\n{row.unit}", fontsize=8)
    panel.tick_params(labelsize=8)
    values = [value for cell in cells for value in cell.values]
    if max(values) > _WIDE * min(values) > 0:
        panel.set_xscale("log")


def _lines(rows: List[Row], panel: Any, title: str) -> None:
    for peer in TITLES:
        points = [(int(row.key.rpartition("_")[2]), row.cells[peer].median) for row in rows if peer in row.cells and row.cells[peer].values]
        if points:
            panel.plot(*zip(*points), marker="o", label=TITLES[peer], color=_COLOURS[peer])
    panel.set_xscale("log", base=2)
    panel.set_ylim(bottom=0)
    panel.set_title(title, fontsize=8)
    panel.legend(fontsize=7)
