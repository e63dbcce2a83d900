"""PyAV, with the filter that its reformat takes by default."""

from __future__ import annotations

from typing import Iterator

from . import Frame, Size


class Peer:
    title = "PyAV"

    def __init__(self) -> None:
        import av

        self.av = av
        self.version = av.__version__

    def file(self, path: str, _codec: str, size: Size) -> Iterator[Frame]:
        with self.av.open(path) as container:
            for frame in container.decode(_one_thread(container)):
                yield _pixels(frame, size)

    def live(self, url: str, _codec: str, size: Size, rate: int) -> "Live":
        options = {"rtsp_transport": "tcp", "flags": "low_delay"}
        return Live(self.av.open(url, options=options), size, every=25 // rate if rate else 1)


class Live:
    """A container that is open."""

    def __init__(self, container, size: Size, every: int) -> None:
        self._container = container
        self._frames = container.decode(_one_thread(container))
        self._size = size
        self._every = every

    def next(self) -> Frame:
        for _ in range(self._every - 1):
            next(self._frames)
        try:
            return _pixels(next(self._frames), self._size)
        except StopIteration:
            raise EOFError from None

    look = next

    def close(self) -> None:
        self._container.close()


def _one_thread(container):
    stream = container.streams.video[0]
    stream.codec_context.thread_count = 1
    return stream


def _pixels(frame, size: Size) -> Frame:
    return frame.to_ndarray(format="rgb24", width=size.width, height=size.height)
