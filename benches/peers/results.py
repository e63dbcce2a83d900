"""What was measured, and what becomes of it: rows of cells, one for each peer."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Any, Dict, List, Optional

from peer import TASKS

LIMIT, OURS, *PEERS = TASKS


@dataclass
class Cell:
    """The values of one peer, one for each run or frame; or why there are none."""

    values: List[float] = field(default_factory=list)
    missing: Optional[str] = None

    @property
    def median(self) -> Optional[float]:
        """The value in the middle; None where there is none."""
        return median(self.values) if self.values else None


@dataclass
class Row:
    """One measurement."""

    key: str
    title: str
    unit: str
    #: Whether its values compare with those of the limit, or of ours where there is no limit.
    has_limit: bool = False
    cells: Dict[str, Cell] = field(default_factory=dict)

    def add(self, peer: str, result: Dict[str, Any], values: List[float]) -> None:
        """Takes in what a run found; the reason where it found nothing."""
        cell = self.cells.setdefault(peer, Cell())
        reason = result.get("missing") or result.get("failed")
        if reason:
            cell.missing = "not installed" if "missing" in result else str(reason)
        cell.values += values

    def ratio(self, peer: str) -> Optional[float]:
        """A peer's median by the limit's, or by ours where nothing is known of the limit."""
        base = self.cells.get(LIMIT if self.has_limit else OURS, Cell()).median
        value = self.cells.get(peer, Cell()).median
        return value / base if base and value is not None else None

    def as_dict(self) -> Dict[str, Any]:
        """For JSON."""
        cells = {}
        for peer, cell in self.cells.items():
            spread = {"min": min(cell.values), "max": max(cell.values)} if cell.values else {}
            cells[peer] = {"median": cell.median, **spread, "ratio": self.ratio(peer), "runs": len(cell.values),
                           "missing": cell.missing, "values": cell.values}  # fmt: skip
        return {"title": self.title, "unit": self.unit, "ratio_to": LIMIT if self.has_limit else OURS, "peers": cells}

    @classmethod
    def from_dict(cls, key: str, told: Dict[str, Any]) -> Row:
        """The way back."""
        cells = {peer: Cell(cell["values"], cell["missing"]) for peer, cell in told["peers"].items()}
        return cls(key, told["title"], told["unit"], told["ratio_to"] == LIMIT, cells)
