"""The limit: the ffmpeg program decodes and throws away."""

from __future__ import annotations

import subprocess
from typing import Any, Iterator, List

from . import Frame, Size

_DECODE = ["ffmpeg", "-nostdin", "-v", "error", "-progress", "pipe:1", "-stats_period", "0.2", "-threads", "1"]


class Peer:
    title = "decoding only"

    def __init__(self) -> None:
        self.version = subprocess.run(["ffmpeg", "-version"], capture_output=True, text=True).stdout.split()[2]

    def file(self, path: str, _codec: str, _size: Size) -> Iterator[Frame]:
        told = subprocess.run(_command(["-i", path]), check=True, capture_output=True, text=True).stdout
        for _ in range(int(told.rpartition("frame=")[2].split()[0])):
            yield None

    def live(self, url: str, _codec: str, _size: Size, _rate: int) -> "Decoding":
        return Decoding(_command(["-rtsp_transport", "tcp", "-i", url]))


class Decoding:
    """The program while it decodes a stream."""

    def __init__(self, command: List[str]) -> None:
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def next(self) -> Frame:
        """Waits until it reports that it goes on."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("frame=") and line.strip() != "frame=0":
                return None
        raise EOFError

    look = next

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def _command(source: List[Any]) -> List[str]:
    return [*_DECODE, *source, "-f", "null", "-"]
