"""The contact sheet: the extracted frames in one picture, a row for each extraction."""

from __future__ import annotations

from pathlib import Path
from typing import List, Sequence, Tuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from ..programs import words
from ..records import Batch, FrameInfo

#: Pixels that a frame is wide at most, so that ten of them make a sheet that can be looked at.
THUMBNAIL_WIDTH = 320
MARGIN = 8
LABEL_HEIGHT = 18


def label(info: FrameInfo) -> str:
    """The words under a frame: its number, its time by the stream's clock, when it arrived."""
    return f"frame {info.seq}   {words.seconds(info.pts_ns)}   {words.time_of_day(info.arrival_time_ns)}"


def thumbnail(frame: npt.NDArray[np.uint8]) -> Image.Image:
    """A frame (height, width, 3) in a size for the sheet; never enlarged."""
    image = Image.fromarray(frame)
    height = round(image.height * THUMBNAIL_WIDTH / image.width)
    return image if image.width <= THUMBNAIL_WIDTH else image.resize((THUMBNAIL_WIDTH, max(1, height)))


class ContactSheet:
    """Keeps small copies of the frames of the last extractions, and draws them."""

    def __init__(self, rows: int = 4) -> None:
        """``rows`` is how many extractions are kept."""
        self._rows: List[List[Tuple[Image.Image, str]]] = []
        self._most = rows

    def add(self, batch: Batch) -> None:
        """Takes an extraction in."""
        self._rows.append([(thumbnail(frame), label(info)) for frame, info in zip(batch.frames, batch.infos)])
        del self._rows[: -self._most]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self._rows

    def draw(self) -> Image.Image:
        """The sheet."""
        cell_width = max(image.width for image, _ in self._cells()) + MARGIN
        cell_height = max(image.height for image, _ in self._cells()) + LABEL_HEIGHT + MARGIN
        columns = max(map(len, self._rows))
        size = (columns * cell_width + MARGIN, len(self._rows) * cell_height + MARGIN)
        sheet = Image.new("RGB", size, "white")
        for row, cells in enumerate(self._rows):
            for column, (image, text) in enumerate(cells):
                place = (MARGIN + column * cell_width, MARGIN + row * cell_height)
                _draw_cell(sheet, place, image, text)
        return sheet

    def save(self, path: Path) -> Path:
        """Writes the sheet as PNG; returns where it is."""
        self.draw().save(path, format="PNG")
        return path.resolve()

    def _cells(self) -> Sequence[Tuple[Image.Image, str]]:
        return [cell for row in self._rows for cell in row]


def _draw_cell(sheet: Image.Image, place: Tuple[int, int], image: Image.Image, text: str) -> None:
    sheet.paste(image, place)
    below = (place[0], place[1] + image.height + 2)
    ImageDraw.Draw(sheet).text(below, text, fill="black", font=ImageFont.load_default())
