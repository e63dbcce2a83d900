"""From what callers write to what the library takes."""

from __future__ import annotations

from fractions import Fraction
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mpegclient import errors
from mpegclient._convert import c_text, frame_count, parameter_text, sequence_number
from mpegclient._waiting import Deadline, milliseconds


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("rtsp://kamera/straße", "rtsp://kamera/straße".encode()),
        (b"rtsp://camera/1", b"rtsp://camera/1"),
        (Path("/tmp/clip.mp4"), b"/tmp/clip.mp4"),
        (Path("clip.mp4"), b"./clip.mp4"),
        (Path("2024-01-01T12:00:00.mp4"), b"./2024-01-01T12:00:00.mp4"),
        (Path(os.fsdecode(b"http:caf\xe9.mp4")), b"./http:caf\xe9.mp4"),
        ("undecodable \udcff", b"undecodable \xff"),
    ],
)
def test_an_address_may_be_text_bytes_or_a_path(url: Any, expected: bytes) -> None:
    assert c_text(url, "url") == expected


@pytest.mark.parametrize("url", ["rtsp://camera/1\0", b"\0", 5, None])
def test_what_c_would_misread_is_refused(url: Any) -> None:
    with pytest.raises(errors.InvalidArgument, match="url"):
        c_text(url, "url")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("tcp", b"tcp"),
        (480, b"480"),
        (np.int64(480), b"480"),
        (-1, b"-1"),
        (True, b"on"),
        (False, b"off"),
        ((30000, 1001), b"30000/1001"),
        (Fraction(25), b"25/1"),
        (2**70, b"1180591620717411303424"),
    ],
)
def test_a_parameter_becomes_text(value: Any, expected: bytes) -> None:
    assert parameter_text("name", value) == expected


@pytest.mark.parametrize("value", [1.5, None, (1,), (1, 2, 3), (1.5, 2), [5, 1]])
def test_a_parameter_of_another_type_is_refused_by_name(value: Any) -> None:
    with pytest.raises(errors.InvalidArgument, match="frame_rate"):
        parameter_text("frame_rate", value)


@pytest.mark.parametrize("count", [0, -1, 2**32])
def test_a_count_that_c_would_wrap_around_is_refused(count: int) -> None:
    with pytest.raises(errors.InvalidArgument):
        frame_count(count)


@pytest.mark.parametrize("seq", [-1, 2**64])
def test_a_number_of_a_frame_that_c_would_wrap_around_is_refused(seq: int) -> None:
    with pytest.raises(errors.InvalidArgument, match="after"):
        sequence_number(seq, "after")


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, 0), (0.0001, 1), (0.25, 250), (float("inf"), 10**12), (1e300, 10**12)]
)
def test_seconds_become_milliseconds(seconds: float, expected: int) -> None:
    assert milliseconds(seconds) == expected


@pytest.mark.parametrize("seconds", [-0.001, float("-inf"), float("nan")])
def test_what_is_no_time_is_refused(seconds: float) -> None:
    for convert in (milliseconds, Deadline):
        with pytest.raises(errors.InvalidArgument, match="timeout"):
            convert(seconds)
