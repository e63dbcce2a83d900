"""What is known of a stream, section by section, as JSON and as text.

A section is a dictionary or a record. Nothing here knows the members of a record, so that one which a record gains is
told without a change here. Units are in the names: ``..._ns`` is nanoseconds.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from enum import Enum
from fractions import Fraction
from typing import Any, Dict, List, Mapping

Report = Mapping[str, Any]


def as_json(report: Report) -> str:
    """One JSON object. Numbers of the header are by their names, fractions "n/d", what is not known null."""
    return json.dumps(plain(report), indent=2)


def plain(value: Any) -> Any:
    """A value in the types of JSON."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def as_text(report: Report) -> str:
    """A paragraph for each section, a line for each thing known."""
    lines: List[str] = []
    for title, section in plain(report).items():
        if section is None:
            continue
        if not isinstance(section, (dict, list)):
            lines.append(f"{_label(title)}: {section}")
            continue
        lines.append(f"\n{_label(title)}")
        lines += _rows(section) if isinstance(section, dict) else [f"  {_event(item)}" for item in section]
    return "\n".join(lines)


def _rows(section: Dict[str, Any]) -> List[str]:
    rows = {_label(name): _words(name, value) for name, value in section.items()}
    width = max(map(len, rows), default=0)
    return [f"  {label.ljust(width)}  {value}" for label, value in rows.items()]


def _event(item: Any) -> str:
    return "  ".join(_words(name, value) for name, value in item.items()) if isinstance(item, dict) else str(item)


def _label(name: str) -> str:
    return name.removesuffix("_ns").replace("_", " ")


def _words(name: str, value: Any) -> str:
    """A value for a person; the end of its name tells the unit."""
    if value is None or value == "":
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and name.endswith("_ns"):
        return _duration(value)
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, (list, dict)):
        return json.dumps(value)
    return str(value)


def _duration(nanoseconds: int) -> str:
    milliseconds = nanoseconds / 1e6
    return f"{milliseconds:.1f} ms" if abs(milliseconds) < 1000 else f"{milliseconds / 1000:.3f} s"

