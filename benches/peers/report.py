"""The results as JSON, as a table in Markdown, and as the section of the README."""

from __future__ import annotations

import json
import platform
import time
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any, Dict, List

from peer import TASKS
from results import LIMIT, OURS, PEERS, Cell, Row

#: The title of each peer, whether it is installed or not.
TITLES = {peer: str(import_module(f"peer.{peer}").Peer.title) for peer in TASKS}

#: What encloses the section of the README.
BEGIN, END = "<!-- make bench README=1 writes what follows -->", "<!-- until here -->"


def as_dict(rows: List[Row], versions: Dict[str, str], noise: List[float], load: List[float], media: str) -> Dict[str, Any]:
    """All there is to know of a run."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "machine": _machine(),
        "media": media,
        "versions": {TITLES[peer]: version for peer, version in versions.items()},
        "noise": {"median": median(noise), "min": min(noise), "max": max(noise), "unit": "s of a fixed piece of work"},
        "load": {"min": min(load), "max": max(load)},
        "rows": {row.key: row.as_dict() for row in rows},
    }


def rows_of(told: Dict[str, Any]) -> List[Row]:
    """The rows of a run."""
    return [Row.from_dict(key, row) for key, row in told["rows"].items()]


def markdown(told: Dict[str, Any]) -> str:
    """The whole table: medians, the spread in brackets, ratios."""
    rows = rows_of(told)
    lines = [f"Measured {told['date']} on {told['machine']}; {told['media']}.", "", _noise(told), ""]
    lines += ["| what | unit | " + " | ".join(TITLES.values()) + " |", "|---|---|" + "---|" * len(TITLES)]
    lines += [f"| {row.title} | {row.unit} | " + " | ".join(_cell(row, peer) for peer in TITLES) + " |" for row in rows]
    lines += ["", "Medians, in brackets the smallest and the largest value. x: ratio to decoding only where that was measured, else "
              "to mpegclient. -: there is no such thing to measure.", ""]  # fmt: skip
    lines += ["Releases: " + ", ".join(f"{title} {version}" for title, version in told["versions"].items()) + "."]
    lines += [f"Not installed: {', '.join(_missing(rows))}."] if _missing(rows) else []
    lines += [f"{TITLES[peer]}, {row.title}: {cell.missing}" for row in rows for peer, cell in row.cells.items()
              if cell.missing not in (None, "not installed", "no such call")]  # fmt: skip
    return "\n".join(lines) + "\n"


def readme(told: Dict[str, Any], text: str) -> str:
    """The README with the short table in its place."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit("the README has no place for the table")
    return f"{before}{begin}\n{_short(told)}{end}{after}"


def _short(told: Dict[str, Any]) -> str:
    rows = {row.key: row for row in rows_of(told)}
    peers = [peer for peer in PEERS if any(peer in row.cells and row.cells[peer].values for row in rows.values())]
    columns = [OURS, *peers]
    lines = [f"| {told['date']} | " + " | ".join(TITLES[peer] for peer in columns) + " |", "|---|" + "---|" * len(columns)]
    for row in rows.values():
        if sum(bool(cell.values) for peer, cell in row.cells.items() if peer != LIMIT) > 1 and _is_short(row.key):
            lines.append(f"| {_short_title(row)} | " + " | ".join(_short_cell(row, peer) for peer in columns) + " |")
    missing = f" Not installed: {', '.join(_missing(list(rows.values())))}." if _missing(list(rows.values())) else ""
    alone = "; ".join(f"{row.title}: {_number(row.cells[OURS].median)} {row.unit}" for row in rows.values()
                      if row.key.startswith(("lent", "copied", "array", "memory_c")) and row.cells[OURS].values)  # fmt: skip
    lines += ["", f"Measured on {told['machine']}, {told['media']}.{missing} {_noise(told)} {alone}.", ""]
    return "\n".join(lines)


def _is_short(key: str) -> bool:
    # Of the many streams as many as two processors bear with every peer.
    is_many = key.startswith("many")
    return key in ("many_16", "many_memory_16") if is_many else not key.startswith(("speed", "memory_whole", "cost_", "beyond_h"))


def _short_title(row: Row) -> str:
    return f"{row.title}, x decoding only" if row.has_limit else f"{row.title}, {row.unit}"


def _short_cell(row: Row, peer: str) -> str:
    cell = row.cells.get(peer, Cell())
    if not cell.values:
        return "failed" if cell.missing else "-"
    ratio = row.ratio(peer)
    return f"{ratio:.2f}" if row.has_limit and ratio is not None else _number(cell.median)


def _cell(row: Row, peer: str) -> str:
    cell = row.cells.get(peer)
    if cell is None:
        return "-"
    if not cell.values:
        return cell.missing if cell.missing in ("not installed", "no such call") else "failed"
    ratio = row.ratio(peer)
    spread = f" ({_number(min(cell.values))}-{_number(max(cell.values))})" if len(cell.values) > 1 else ""
    return f"{_number(cell.median)}{spread}" + ("" if ratio is None else f" x{ratio:.2f}")


def _number(value: Any) -> str:
    return "-" if value is None else f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def _noise(told: Dict[str, Any]) -> str:
    noise = told["noise"]
    below, above = (round((noise[bound] / noise["median"] - 1) * 100) for bound in ("min", "max"))
    load = told["load"]
    busy = "" if load["max"] < 4 else " On so busy a machine ages, first frames and wall clock say little."
    return (f"Noise: the same work took {below:+d} to {above:+d} % of its median, and the load average was {load['min']:.0f} to "
            f"{load['max']:.0f}, of which this run makes about 1.{busy}")  # fmt: skip


def _missing(rows: List[Row]) -> List[str]:
    return sorted({TITLES[peer] for row in rows for peer, cell in row.cells.items() if cell.missing == "not installed"})


def _machine() -> str:
    models = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    names = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    return f"{len(models)} x {models[0] if models else platform.machine()}, {names.get('PRETTY_NAME', 'Linux').strip(chr(34))}"


def write(told: Dict[str, Any], folder: Path) -> None:
    """Writes results.json and results.md."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(told, indent=1) + "\n")
    (folder / "results.md").write_text(markdown(told))
