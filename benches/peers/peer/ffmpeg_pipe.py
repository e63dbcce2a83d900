"""The ffmpeg program, whose raw pictures are read from a pipe."""

from __future__ import annotations

import subprocess
from typing import Iterator, List

import numpy as np

from . import Frame, Size, limit


class Peer:
    title = "ffmpeg pipe"

    def __init__(self) -> None:
        self.version = limit.Peer().version

    def file(self, path: str, _codec: str, size: Size) -> Iterator[Frame]:
        pipe = Pipe(["-i", path], size, rate=0)
        try:
            while True:
                yield pipe.next()
        except EOFError:
            pipe.close()

    def live(self, url: str, _codec: str, size: Size, rate: int) -> "Pipe":
        return Pipe(["-flags", "low_delay", "-rtsp_transport", "tcp", "-i", url], size, rate)


class Pipe:
    """The program while it runs."""

    def __init__(self, source: List[str], size: Size, rate: int) -> None:
        self._size = size
        thin = f"fps={rate}," if rate else ""
        command = ["ffmpeg", "-nostdin", "-v", "error", "-threads", "1", *source, "-vf", f"{thin}scale={size.width}:{size.height}",
                   "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]  # fmt: skip
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)

    def next(self) -> Frame:
        assert self._process.stdout is not None
        wanted = self._size.width * self._size.height * 3
        pixels = self._process.stdout.read(wanted)
        if len(pixels) < wanted:
            raise EOFError
        return np.frombuffer(pixels, np.uint8).reshape(self._size.height, self._size.width, 3)

    look = next

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
