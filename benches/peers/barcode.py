"""A number drawn into pictures as black and white cells, so that a program can tell which picture it was given."""

from __future__ import annotations

from typing import Optional

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

#: Bits of a number.
BITS = 12

#: A white and a black cell that show that this is the bar, the bits, and how many of them are set modulo 4.
CELLS = 2 + BITS + 2

#: The bar takes this part of a picture's height, at its top.
HEIGHT = 1 / 12


def _cells(number: int) -> npt.NDArray[np.uint8]:
    bits = [(number >> bit) & 1 for bit in range(BITS)]
    parity = sum(bits) % 4
    return np.array([1, 0, *bits, parity & 1, parity >> 1], np.uint8)


def bar(number: int, width: int, height: int) -> Pixels:
    """The bar (height, width) in grey that shows a number."""
    columns = np.arange(width) * CELLS // width
    return np.broadcast_to(_cells(number)[columns] * np.uint8(255), (height, width))


def read(frame: Pixels) -> Optional[int]:
    """The number in the top of a frame (height, width, channels) of any size; None if there is none."""
    height, width = frame.shape[:2]
    row = frame[round(height * HEIGHT / 2)].mean(axis=1)
    # The middle of each cell, away from the edges that scaling and compression blur.
    middles = ((np.arange(CELLS) + 0.5) * width / CELLS).astype(int)
    cells = (row[middles] > 128).astype(np.uint8)
    number = int(cells[2:2 + BITS] @ (1 << np.arange(BITS)))
    return number if (cells == _cells(number)).all() else None
