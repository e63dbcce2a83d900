"""Finding and loading the shared library."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import List

import pytest

import mpegclient
from mpegclient import _library, constants
from support import run_python

IMPORT = ["-c", "import mpegclient"]


def compile_library(folder: Path, source: str) -> Path:
    """A shared library that is not ours."""
    (folder / "other.c").write_text(source)
    library = folder / "libother.so"
    subprocess.run(["gcc", "-shared", "-fPIC", folder / "other.c", "-o", library], check=True)
    return library


def import_error(library: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What importing the package says, on one line."""
    monkeypatch.setenv(_library.ENVIRONMENT, str(library))
    result = run_python(IMPORT)
    assert result.returncode != 0 and "ImportError" in result.stderr
    return " ".join(result.stderr.split())


def test_the_named_file_is_the_only_one_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    missing = tmp_path / "missing.so"
    monkeypatch.setenv(_library.ENVIRONMENT, str(missing))
    assert _library.candidates() == [str(missing)]
    assert str(missing) in import_error(missing, monkeypatch)


@pytest.mark.parametrize("value", [None, ""])
def test_else_the_packages_own_is_tried_and_then_the_systems(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.delenv(_library.ENVIRONMENT)
    if value is not None:
        monkeypatch.setenv(_library.ENVIRONMENT, value)
    packaged, system = _library.candidates()
    assert Path(packaged) == Path(mpegclient.__file__).parent / "libmpegclient.so"
    assert system == "libmpegclient.so.0"


def test_another_library_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = compile_library(tmp_path, "int nothing;")
    assert "not the mpegclient library" in import_error(other, monkeypatch)


def test_an_older_library_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    older = compile_library(tmp_path, "unsigned mpegclient_abi_version(void) { return 0; }")
    assert f"needs {constants.ABI_VERSION}" in import_error(older, monkeypatch)


def test_the_library_tells_its_versions() -> None:
    major, minor, patch = (int(part) for part in mpegclient.version().split("."))
    assert (major, minor) == tuple(int(part) for part in mpegclient.__version__.split("."))[:2]
    assert patch >= 0
    info = mpegclient.build_info()
    assert mpegclient.version() in info and "\n" not in info


def test_everything_that_is_announced_is_there() -> None:
    missing: List[str] = [name for name in mpegclient.__all__ if not hasattr(mpegclient, name)]
    assert not missing
