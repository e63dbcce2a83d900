"""mpegCoder's MpegClient, whose interface this library replaces."""

from __future__ import annotations

import time
from typing import Iterator

from . import Frame, Size

#: Seconds to wait for a picture at most, and between two looks for one.
_PATIENCE, _PAUSE = 20.0, 0.002


class Peer:
    title = "mpegCoder"

    def __init__(self) -> None:
        import mpegCoder

        self.module = mpegCoder
        self.version = mpegCoder.__version__

    def file(self, path: str, _codec: str, size: Size) -> Iterator[Frame]:
        decoder = self.module.MpegDecoder()
        decoder.setParameter(widthDst=size.width, heightDst=size.height, nthread=1)
        if not decoder.FFmpegSetup(path.encode()):
            raise EOFError("not opened")
        while True:
            frame = decoder.ExtractFrame()
            if frame is None:
                break
            yield from frame
        decoder.clear()

    def live(self, url: str, _codec: str, size: Size, rate: int) -> "Live":
        return Live(self.module, url, size, rate or 25)


class Live:
    """A client that runs."""

    def __init__(self, module, url: str, size: Size, rate: int) -> None:
        self._client = module.MpegClient()
        self._client.setParameter(widthDst=size.width, heightDst=size.height, dstFrameRate=(rate, 1), readSize=1,
                                  cacheSize=12, nthread=1)  # fmt: skip
        if not self._client.FFmpegSetup(url.encode()):
            raise EOFError("not opened")
        self._client.start()
        self._last = b""

    def next(self) -> Frame:
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            frame = self.look()
            # It tells nothing of a picture: only the pixels tell whether it is another one.
            if frame is not None and frame.any() and frame.tobytes() != self._last:
                self._last = frame.tobytes()
                return frame
            time.sleep(_PAUSE)
        raise EOFError

    def look(self) -> Frame:
        frames = self._client.ExtractFrame(1)
        return None if frames is None or not len(frames) else frames[-1]

    def close(self) -> None:
        self._client.terminate()
        self._client.clear()
