"""The checking program as a person runs it, on a real RTSP stream, with and without a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Callable, List

import pytest
from PIL import Image

from support import PATIENCE, RtspServer, environment, free_port, run_python, start_python

CHECK = ["-m", "mpegclient", "check"]


def check(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs it without a terminal."""
    return run_python([*CHECK, *arguments])


def check_without_terminal(*arguments: str) -> str:
    """Runs it without a terminal; returns all it wrote. It must succeed."""
    result = check(*arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout + result.stderr


def read_terminal(terminal: int) -> str:
    """What a terminal receives until its other end is closed, or nothing more comes for too long."""
    received = b""
    try:
        while select.select([terminal], [], [], PATIENCE)[0]:
            received += os.read(terminal, 65536)
    except OSError:
        pass  # the way a terminal tells that its other end is closed
    return received.decode()


def check_in_terminal(*arguments: str) -> str:
    """Runs it in a terminal of 40 rows and 100 columns; returns what that received. It must succeed."""
    terminal, its_end = pty.openpty()
    fcntl.ioctl(its_end, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    command = [sys.executable, *CHECK, *arguments]
    its = {"stdin": its_end, "stdout": its_end, "stderr": its_end, "env": {**environment(), "TERM": "xterm-256color"}}
    with subprocess.Popen(command, **its) as process:  # type: ignore[call-overload]
        os.close(its_end)
        try:
            received = read_terminal(terminal)
            assert process.wait(PATIENCE) == 0, received
        finally:
            process.kill()
            os.close(terminal)
    return received


def is_png(path: Path) -> bool:
    """Whether it can be opened as one, to its last byte."""
    with Image.open(path) as image:
        image.load()
        return image.format == "PNG"


def test_without_a_terminal_there_is_one_line_a_write(server: RtspServer, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    options = "--seconds 3 --every 0.7 --rate 5 --width 160 --height 120 --read-size 3 --cache-size 6".split()
    result = check(server.url(userinfo="bob:hunter2@"), *options, "--output", str(sheet))
    assert result.returncode == 0, result.stderr
    assert "hunter2" not in result.stdout + result.stderr and result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0] == "connecting to " + server.url(userinfo="***@")
    assert lines[-1] == f"contact sheet: {sheet}"
    writes = [re.match(r"write frame (\d+)  slot (\d+) of (\d+)  pts (.*?)  age (\d+) ms", line) for line in lines]
    numbers = [(int(write[1]), int(write[2]), int(write[3])) for write in writes if write]
    assert [seq for seq, _, _ in numbers] == list(range(1, len(numbers) + 1)), "a write was not shown"
    assert len(numbers) >= 10
    assert all(slot == seq % capacity for seq, slot, capacity in numbers)
    reads = [line for line in lines if line.startswith("read  frames")]
    assert len(reads) >= 3
    with Image.open(sheet) as image:
        assert image.format == "PNG" and image.width > 3 * 160 and image.height > len(reads[:4]) * 120


def test_in_a_terminal_the_ring_is_drawn(server: RtspServer, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    received = check_in_terminal(server.url(), "--seconds", "2", "--rate", "5", "--output", str(sheet))
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", received)
    assert "ring" in text and "writer's next slot" in text and "RUNNING" in text
    for seq in range(1, 6):
        assert f"write frame {seq} " in text
    assert "\x1b[" in received and is_png(sheet)


def test_in_a_terminal_lines_may_be_asked_for(media: Path, tmp_path: Path) -> None:
    received = check_in_terminal(str(media / "short.mp4"), "--lines", "--output", str(tmp_path / "sheet.png"))
    assert "\x1b[" not in received and "write frame 25 " in received and "state ENDED" in received


@pytest.mark.parametrize(("module", "run"), [("rich", check_in_terminal), ("PIL", check_without_terminal)])
def test_a_missing_package_is_named_and_not_needed(
    media: Path, tmp_path: Path, module: str, run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A module of its name that cannot be imported, found before the real one.
    (tmp_path / f"{module}.py").write_text("raise ImportError('not installed')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    sheet = tmp_path / "sheet.png"
    output = run(str(media / "short.mp4"), "--output", str(sheet))
    assert "pip install 'mpegclient[check]'" in output and "write frame 25 " in output
    assert sheet.exists() == (module != "PIL")


def failure(*arguments: str) -> List[str]:
    """The lines on the standard error stream of a run that fails."""
    result = check(*arguments)
    assert result.returncode == 1, result.stdout
    return result.stderr.splitlines()


def test_a_failure_is_told_in_plain_words(server: RtspServer, start_server: Callable[..., RtspServer]) -> None:
    what, phase, advice = failure(f"rtsp://bob:hunter2@127.0.0.1:{free_port()}/video")
    assert "refused" in what and "connecting" in phase and "nothing listens" in advice and "hunter2" not in what
    what, phase, answer, advice = failure(server.url("/nothing"))
    assert "404" in answer and "path" in advice
    guarded = start_server("--user", "bob", "--password", "hunter2")
    what, phase, answer, advice = failure(guarded.url())
    assert "authenticating" in phase and "401" in answer and "password" in advice


def test_a_stream_without_a_picture_is_a_failure(media: Path, start_server: Callable[..., RtspServer]) -> None:
    server = start_server(f"/keyless={media / 'keyless.h264'},h264,25")
    what, advice = failure(server.url("/keyless"), "--seconds", "1")
    assert "WAITING_KEYFRAME" in what and "key frame" in advice


def test_a_sheet_that_cannot_be_written_is_a_failure(media: Path, tmp_path: Path) -> None:
    (why,) = failure(str(media / "short.mp4"), "--output", str(tmp_path))
    assert "contact sheet could not be written" in why


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["rtsp://camera/1", "--rate", "fast"],
        ["rtsp://camera/1", "--rate", "5/0"],
        ["rtsp://camera/1", "--seconds", "-1"],
        ["rtsp://camera/1", "--every", "0"],
        ["rtsp://camera/1", "--transport", "pigeon"],
        ["rtsp://camera/1", "--output", "/no/such/folder/sheet.png"],
        ["rtsp://camera/1", "--width", "-1"],
        ["rtsp://camera/1", "--read-size", "13"],
        [""],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_told_apart(arguments: List[str]) -> None:
    result = check(*arguments)
    assert result.returncode == 2 and result.stderr and "Traceback" not in result.stderr


def test_ctrl_c_ends_it_with_everything_it_has(server: RtspServer, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    arguments = [*CHECK, server.url(), "--seconds", "0", "--every", "0.3", "--output", str(sheet)]
    with start_python(arguments) as process:
        try:
            assert process.stdout is not None
            while not process.stdout.readline().startswith("read"):
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=PATIENCE)
        except BaseException:
            process.kill()
            raise
    assert process.returncode == 0 and errors == ""
    assert output.splitlines()[-1] == f"contact sheet: {sheet}"
    assert is_png(sheet)
