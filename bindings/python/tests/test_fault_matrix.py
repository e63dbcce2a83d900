"""The fault matrix's quick cells, one test each; see tests/faults/matrix.py, which runs and prints all of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Dict

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.append(str(ROOT / "tests/faults"))

import matrix  # noqa: E402 (its folder has to be known first)


@pytest.fixture(scope="module")
def results(request: pytest.FixtureRequest) -> Dict[str, Dict[str, Any]]:
    """What the cells measured that are to be tested. They run side by side: one after another would take minutes."""
    wanted = [item.callspec.params.get("cell") for item in request.session.items if hasattr(item, "callspec")]
    results: Dict[str, Dict[str, Any]] = matrix.run([name for name in wanted if name])
    return results


@pytest.mark.parametrize("cell", matrix.chosen(True, "*"))
def test_fault(cell: str, results: Dict[str, Dict[str, Any]]) -> None:
    assert results[cell]["problems"] == []
