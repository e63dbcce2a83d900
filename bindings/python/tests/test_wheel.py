"""A wheel carries the library, for any Python but one platform, and works without anything beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

import mpegclient

PACKAGE = Path(__file__).resolve().parents[1]


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy, because building leaves folders behind."""
    copy = tmp_path / "python"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("tests", "build", "*.egg-info", "__pycache__"))
    return copy


def build(sources: Path, folder: Path, **environment: str) -> Path:
    """Builds a wheel into a folder."""
    clean = {name: value for name, value in os.environ.items() if name != "MPEGCLIENT_LIBRARY"}
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, sources]
    subprocess.run(command, check=True, env={**clean, **environment})
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_a_wheel_carries_the_library(sources: Path, tmp_path: Path) -> None:
    wheel = build(sources, tmp_path, MPEGCLIENT_LIBRARY=os.environ["MPEGCLIENT_LIBRARY"])
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    assert wheel.name == f"mpegclient-{mpegclient.__version__}-py3-none-{platform}.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "installed")
    programs = {f"mpegclient/{name}/program.py" for name in ("check", "probe")}
    assert {"mpegclient/libmpegclient.so", "mpegclient/py.typed", *programs} <= set(names)
    program = "import mpegclient; print(mpegclient.__file__, mpegclient.version())"
    alone = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path / "installed")}
    result = subprocess.run([sys.executable, "-c", program], env=alone, capture_output=True, text=True)
    assert result.stdout.split() == [str(tmp_path / "installed/mpegclient/__init__.py"), mpegclient.version()], result.stderr


if "MPEGCLIENT_TEST_ALL" in os.environ:

    @pytest.mark.parametrize("mode", ["--onedir", "--onefile"])
    def test_a_frozen_program_carries_the_library(sources: Path, tmp_path: Path, mode: str) -> None:
        wheel = build(sources, tmp_path, MPEGCLIENT_LIBRARY=os.environ["MPEGCLIENT_LIBRARY"])
        # Unpacked, its entry points are found like those of a package that is installed.
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(tmp_path / "installed")
        (tmp_path / "program.py").write_text("import mpegclient; print(mpegclient.version())")
        alone = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(tmp_path / "installed")}
        command = [sys.executable, "-m", "PyInstaller", mode, "--name", "program", "program.py"]
        made = subprocess.run(command, cwd=tmp_path, env=alone, capture_output=True, text=True)
        assert made.returncode == 0, made.stderr
        program = tmp_path / "dist" / ("program/program" if mode == "--onedir" else "program")
        result = subprocess.run([program], env={"HOME": str(tmp_path)}, capture_output=True, text=True)
        assert (result.stdout.strip(), result.stderr) == (mpegclient.version(), "")


def test_without_a_library_a_wheel_is_for_every_platform(sources: Path, tmp_path: Path) -> None:
    wheel = build(sources, tmp_path)
    assert wheel.name == f"mpegclient-{mpegclient.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        assert not any(name.endswith(".so") for name in archive.namelist())
