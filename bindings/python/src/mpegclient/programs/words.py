"""How numbers are written for a person."""

from __future__ import annotations

import time
from typing import Optional


def seconds(nanoseconds: Optional[int]) -> str:
    """A time of the stream's clock."""
    return "unknown" if nanoseconds is None else f"{nanoseconds / 1e9:.3f} s"


def time_of_day(nanoseconds: Optional[int]) -> str:
    """A time since 1970, in this machine's time zone."""
    if nanoseconds is None:
        return "unknown"
    whole, rest = divmod(nanoseconds // 1_000_000, 1000)
    return f"{time.strftime('%H:%M:%S', time.localtime(whole))}.{rest:03}"


def milliseconds(duration: Optional[float]) -> str:
    """A duration that was given in seconds."""
    return "unknown" if duration is None else f"{duration * 1000:.0f} ms"


def bytes_of(count: int) -> str:
    """An amount of data."""
    amount, units = float(count), ["bytes", "kB", "MB", "GB", "TB"]
    while amount >= 1000 and len(units) > 1:
        amount /= 1000
        units.pop(0)
    return f"{amount:.0f} {units[0]}" if units[0] == "bytes" else f"{amount:.1f} {units[0]}"
