"""Colours, scaling and geometry, against a conversion in float64 that has nothing from the library."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import numpy as np
import pytest

from live import Pixels, run_ffmpeg
from mpegclient import Client, Order, errors
from reference import FORMATS, brightness, ceil_div, convert

#: Levels that a channel may be off: the requirement. What is measured is half of that.
TOLERANCE = 2.0

Size = Tuple[int, int]


def picture_bytes(pixel_format: str, size: Size) -> int:
    """Bytes of a picture, as ffmpeg packs it."""
    width, height = size
    probe = FORMATS[pixel_format]
    if pixel_format == "pal8":
        return width * height + 1024
    if pixel_format == "monow":
        return ceil_div(width, 8) * height
    if pixel_format in ("yuyv422", "uyvy422"):
        return ceil_div(width, 2) * 4 * height
    if pixel_format == "rgb565le":
        return width * height * 2
    sample = 1 if probe.depth == 8 else 2
    if pixel_format == "0rgb":
        return width * height * 4
    chroma = 2 * ceil_div(width, probe.pitch[0]) * ceil_div(height, probe.pitch[1])
    colors = {"yuv": width * height + chroma, "rgb": 3 * width * height, "gray": width * height}[probe.model]
    return (colors + (width * height if probe.has_alpha else 0)) * sample


def random_picture(pixel_format: str, size: Size, seed: int) -> bytes:
    """Any values that the format can hold."""
    chance = np.random.default_rng(seed)
    count, depth = picture_bytes(pixel_format, size), FORMATS[pixel_format].depth
    if depth == 8:
        return chance.integers(0, 256, count, np.uint8).tobytes()
    values = chance.integers(0, 2**depth, count // 2, np.uint16)
    values <<= 6 if pixel_format == "p010le" else 0
    return values.astype(">u2" if pixel_format.endswith("be") else "<u2").tobytes()


def read_all(file: Path, **parameters: Any) -> Tuple[Pixels, Any, Any]:
    """All frames of a clip, their infos, and what is known of the stream."""
    with Client(str(file), overflow="block", cache_size=4, **parameters) as client:
        client.setup(timeout=20)
        client.start()
        frames, infos, last = [], [], 0
        while True:
            try:
                batch = client.read(1, order=Order.NEXT, after=last, timeout=20)
            except errors.Ended:
                return np.concatenate(frames), infos, client.stream_info()
            frames.append(batch.frames)
            infos.extend(batch.infos)
            last = batch.last_seq


def check(frame: Pixels, expected: Any, pixel_format: str, what: str, matrix: str = "bt601") -> float:
    """Compares a frame with what it should be; returns how far off the worst pixel is."""
    shown = frame.astype(float)
    if pixel_format == "gray8":
        off = np.abs(shown[..., 0] - brightness(expected, matrix).clip(0, 255))
    else:
        order = [2, 1, 0] if pixel_format == "bgr24" else [0, 1, 2]
        off = np.abs(shown[..., order] - expected.clip(0, 255))
        if pixel_format == "rgba":
            assert (frame[..., 3] == 255).all(), what
    worst = float(off.max())
    assert worst <= TOLERANCE, f"{what}: {worst:.2f} levels off"
    return worst
