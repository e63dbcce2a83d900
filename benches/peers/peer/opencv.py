"""OpenCV's VideoCapture on FFmpeg."""

from __future__ import annotations

import os
from typing import Iterator

from . import Frame, Size


class Peer:
    title = "OpenCV"
    #: Bilinear, the default of cv2.resize; it aliases when shrinking.
    interpolation = "INTER_LINEAR"

    def __init__(self) -> None:
        os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "rtsp_transport;tcp|flags;low_delay"
        import cv2

        cv2.setNumThreads(1)
        self.cv2 = cv2
        self.version = cv2.__version__

    def file(self, path: str, _codec: str, size: Size) -> Iterator[Frame]:
        capture = Capture(self, path, size, skip=0)
        try:
            while True:
                yield capture.next()
        except EOFError:
            capture.close()

    def live(self, url: str, _codec: str, size: Size, rate: int) -> "Capture":
        return Capture(self, url, size, skip=25 // rate - 1 if rate else 0)


class Capture:
    """A capture that is open."""

    def __init__(self, peer: Peer, source: str, size: Size, skip: int) -> None:
        self._cv2 = peer.cv2
        self._size = size
        self._skip = skip
        self._interpolation = getattr(peer.cv2, peer.interpolation)
        self._capture = self._cv2.VideoCapture(source, self._cv2.CAP_FFMPEG, [self._cv2.CAP_PROP_N_THREADS, 1])
        if not self._capture.isOpened():
            raise EOFError("not opened")

    def next(self) -> Frame:
        # Grabbed pictures are decoded, not converted.
        for _ in range(self._skip):
            if not self._capture.grab():
                raise EOFError
        is_read, frame = self._capture.read()
        if not is_read:
            raise EOFError
        small = self._cv2.resize(frame, self._size, interpolation=self._interpolation)
        return self._cv2.cvtColor(small, self._cv2.COLOR_BGR2RGB)

    look = next

    def close(self) -> None:
        self._capture.release()
