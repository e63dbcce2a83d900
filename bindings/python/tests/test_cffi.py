"""The example with cffi, which makes its binding from the header itself."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from support import RtspServer, free_port

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "examples/extract_cffi.py"


def test_the_example_shows_frames_that_move_forward(server: RtspServer, tmp_path: Path) -> None:
    picture = tmp_path / "picture.ppm"
    command = [sys.executable, EXAMPLE, server.url(), picture]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    ranges = re.findall(r"^\(5, 360, 480, 3\) seq (\d+)\.\.(\d+), pts .* s, age .* ms$", printed, flags=re.MULTILINE)
    newest = [int(last) for _, last in ranges]
    assert len(newest) == 10 and newest == sorted(set(newest)), printed
    assert all(int(first) + 4 == int(last) for first, last in ranges)
    head = b"P6\n480 360\n255\n"
    pixels = picture.read_bytes()
    assert pixels.startswith(head) and len(pixels) == len(head) + 360 * 480 * 3
    assert len(set(pixels)) > 100


def test_the_example_says_what_failed() -> None:
    command = [sys.executable, EXAMPLE, f"rtsp://bob:hunter2@127.0.0.1:{free_port()}/video"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 1
    assert "setup" in result.stderr and "refused" in result.stderr and "hunter2" not in result.stderr


def test_the_binding_has_every_function_and_number_of_the_header(tmp_path: Path) -> None:
    program = tmp_path / "names.py"
    program.write_text(f"import sys; sys.path.insert(0, {str(EXAMPLE.parent)!r})\nfrom extract_cffi import lib\nprint(*dir(lib))")
    names = subprocess.run([sys.executable, program], capture_output=True, text=True, check=True, timeout=60).stdout.split()
    functions = (ROOT / "tests/abi/symbols.txt").read_text().split()
    numbers = re.findall(r"^#define (MPEGCLIENT_\w+) -?\d+$", (ROOT / "include/mpegclient.h").read_text(), flags=re.MULTILINE)
    assert sorted(names) == sorted(functions + numbers)
