"""decord, which reads files only."""

from __future__ import annotations

from typing import Iterator

from . import Frame, Live, Size


class Peer:
    title = "decord"

    def __init__(self) -> None:
        import decord

        self.decord = decord
        self.version = decord.__version__

    def file(self, path: str, _codec: str, size: Size) -> Iterator[Frame]:
        reader = self.decord.VideoReader(path, width=size.width, height=size.height, num_threads=1)
        for _ in range(len(reader)):
            yield reader.next().asnumpy()

    def live(self, url: str, codec: str, size: Size, rate: int) -> Live:
        raise NotImplementedError("files only")
