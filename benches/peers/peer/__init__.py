"""The peers, one file each, behind one interface.

A peer's module has a class ``Peer``. Making one imports what it needs and raises ImportError where that is missing.
Every peer decodes with one thread, so that processor times compare, and adds no delay that it can be told not to add. (libavformat's nobuffer is left out: it takes nothing off the delay, but throws
away what was read for probing, and with it the first key frame.)
"""

from __future__ import annotations

from typing import Dict, Iterator, NamedTuple, Optional, Protocol

import numpy as np
import numpy.typing as npt

Frame = Optional[npt.NDArray[np.uint8]]


class Size(NamedTuple):
    """Width and height of the frames that are wanted."""

    width: int
    height: int


class Live(Protocol):
    """A stream that is open."""

    def next(self) -> Frame:
        """Waits for the next picture, (height, width, 3); raises EOFError if none comes any more."""

    def look(self) -> Frame:
        """The picture that a program is given which asks only now and then."""

    def close(self) -> None:
        """Ends it."""


class Peer(Protocol):
    """A way to the pictures of a stream."""

    #: Its name in tables.
    title: str
    #: Which release it is.
    version: str

    def file(self, path: str, codec: str, size: Size) -> Iterator[Frame]:
        """Every picture of a file, (height, width, 3) in RGB."""

    def live(self, url: str, codec: str, size: Size, rate: int) -> Live:
        """Opens an RTSP stream over TCP; ``rate`` pictures a second are wanted of 25, 0: all."""


#: Module of each peer, and what is measured of it. The first is the limit, the second this library.
TASKS: Dict[str, str] = {
    "limit": "file live",
    "mpegclient": "file live age batch many",
    "opencv": "file live age many",
    "opencv_area": "file",
    "pyav": "file live age many",
    "decord": "file",
    "gstreamer": "file live age many",
    "ffmpeg_pipe": "file live age",
    "mpegcoder": "file live age",
}
