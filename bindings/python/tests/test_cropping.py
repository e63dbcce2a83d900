"""The part of the coded picture that a stream declares to be shown, to the pixel, on all four sides."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np
import pytest

from live import Pixels, run_ffmpeg, running
from mpegclient import Order
from reference import FORMATS, convert, picture_bytes
from support import PATIENCE, RtspServer
from test_converter import check, read_all

SIZE = (160, 96)

#: Pixels cut off: left, right, top, bottom.
Crop = Tuple[int, int, int, int]

X264 = ["-c:v", "libx264", "-qp", 0, "-preset", "ultrafast", "-x264-params", "aud=1:keyint=1"]
X265 = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "lossless=1:log-level=error:aud=1:repeat-headers=1"]
ENCODERS: Dict[str, List[Any]] = {"h264": X264, "hevc": X265}

#: Values on both sides of every alignment that a decoder might prefer.
EVEN: List[Crop] = [(2, 0, 0, 0), (6, 10, 2, 4), (14, 2, 6, 0), (30, 0, 0, 2), (34, 36, 4, 6), (62, 30, 32, 34)]
ODD: List[Crop] = [(1, 0, 0, 0), (5, 7, 3, 1), (15, 1, 0, 9), (31, 33, 17, 0), (63, 64, 1, 2)]

#: Crop units (H.264, equations 7-19 to 7-22; H.265, clause 7.4.3.2.1): whole chroma samples, and pairs of rows for
#: interlaced H.264.
STREAMS: List[Tuple[str, str, List[Any], List[Crop]]] = [
    ("h264", "yuv420p", [], EVEN),
    ("h264", "yuv420p", ["-flags", "+ildct", "-top", 1], [(6, 10, 4, 8), (62, 2, 0, 12)]),
    ("h264", "yuv422p", [], [(2, 4, 1, 3), (30, 6, 5, 0)]),
    ("h264", "yuv444p", [], ODD),
    ("h264", "gray", [], ODD),
    ("h264", "yuv420p10le", [], EVEN),
    ("hevc", "yuv420p", [], EVEN),
    ("hevc", "yuv444p", [], ODD),
    ("hevc", "gray", [], ODD),
    ("hevc", "yuv420p10le", [], EVEN),
]


def picture(pixel_format: str) -> bytes:
    """Values that change from each sample to the next, so that a shift of one shows."""
    count, depth = picture_bytes(pixel_format, SIZE), FORMATS[pixel_format].depth
    chance = np.random.default_rng(3)
    return chance.integers(60, 190, count, np.uint8).tobytes() if depth == 8 else (
        chance.integers(240, 760, count // 2, np.uint16).astype("<u2").tobytes())  # fmt: skip


def cut(data: bytes, pixel_format: str, crop: Crop) -> Tuple[bytes, Tuple[int, int]]:
    """The bytes of what is left of a planar picture, and its size."""
    left, right, top, bottom = crop
    form, at, parts = FORMATS[pixel_format], 0, []
    dtype = np.uint8 if form.depth == 8 else np.uint16
    for index in range(1 if form.model == "gray" else 3):
        across, down = form.pitch if index else (1, 1)
        wide, high = SIZE[0] // across, SIZE[1] // down
        plane = np.frombuffer(data, dtype, wide * high, at).reshape(high, wide)
        at += plane.nbytes
        rows = plane[top // down : high - bottom // down]
        parts.append(rows[:, left // across : wide - right // across].tobytes())
    return b"".join(parts), (SIZE[0] - left - right, SIZE[1] - top - bottom)


def encoded(file: Path, codec: str, pixel_format: str, options: List[Any], pictures: List[bytes]) -> Path:
    source = ["-f", "rawvideo", "-pix_fmt", pixel_format, "-s", f"{SIZE[0]}x{SIZE[1]}", "-i", "-"]
    run_ffmpeg(*source, *ENCODERS[codec], *options, "-f", codec, file, feed=pictures)
    return file


def cropped(coded: Path, codec: str, crop: Crop, name: str) -> Path:
    """The stream with other offsets in its sequence parameter sets."""
    sides = ":".join(f"crop_{side}={pixels}" for side, pixels in zip(("left", "right", "top", "bottom"), crop))
    output = coded.with_name(name)
    raw = ["-f", codec] if output.suffix == f".{codec}" else []
    run_ffmpeg("-i", coded, "-c", "copy", "-bsf:v", f"{codec}_metadata={sides}", *raw, output)
    return output


@pytest.mark.parametrize(("codec", "pixel_format", "options", "crops"), STREAMS)
def test_what_the_parameter_sets_cut_off_is_cut_off_to_the_pixel(
    codec: str, pixel_format: str, options: List[Any], crops: List[Crop], tmp_path: Path
) -> None:
    data = picture(pixel_format)
    coded = encoded(tmp_path / "coded", codec, pixel_format, options, [data])
    for crop in crops:
        for container in (codec, "mp4"):
            file = cropped(coded, codec, crop, f"cropped.{container}")
            clip, (inner, size) = read_all(file), cut(data, pixel_format, crop)
            what = f"{crop} of {pixel_format} in {container}"
            assert clip.frames.shape[1:3] == size[::-1], what
            assert (clip.stream.width, clip.stream.height) == size, what
            info = clip.infos[0]
            assert (info.source_width, info.source_height) == size, what
            corners = info.points_to_source([(0, 0), size])
            assert np.allclose(corners, [(0, 0), size]), what
            expected = convert(inner, pixel_format, size, size, full_range=clip.stream.color_range == "pc")
            check(clip.frames[0], expected, what)


@pytest.mark.parametrize("engine", ["native", "libav"])
@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_what_is_cut_off_is_cut_off_over_rtsp(codec: str, engine: str, tmp_path: Path) -> None:
    crop, data = (38, 10, 6, 4), picture("yuv420p")
    pictures = [data] * 10
    coded = encoded(tmp_path / "coded", codec, "yuv420p", ["-bf", 0], pictures)
    file = cropped(coded, codec, crop, f"cropped.{codec}")
    inner, size = cut(data, "yuv420p", crop)
    expected = convert(inner, "yuv420p", size, size)
    name = {"hevc": "h265"}.get(codec, codec)
    with RtspServer(f"/video={file},{name},25") as server:
        with running(server.url(), rtsp_engine=engine) as client:
            batch = client.read(1, order=Order.NEXT, after=0, timeout=PATIENCE)
            frame: Pixels = batch.frames[0]
            assert frame.shape[:2] == size[::-1]
            check(frame, expected, f"{codec} by {engine}")
            stream = client.stream_info()
            assert (stream.width, stream.height, stream.engine) == (*size, engine)
