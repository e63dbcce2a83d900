"""Stands in for the MpegClient of the mpegCoder package: a program changes its import and nothing else. ::

    from mpegclient import mpegcoder as mpegCoder

    d = mpegCoder.MpegClient()
    d.setParameter(widthDst=480, heightDst=360, dstFrameRate=(5, 1), readSize=5, cacheSize=12)
    if d.FFmpegSetup(b"rtsp://localhost:8554/video"):
        d.start()
        frames = d.ExtractFrame()      # (5, 360, 480, 3) uint8, RGB
        d.terminate()
        d.clear()

The names are mpegCoder's. What is better than there: every parameter has a default, no call hangs, a stream that is
lost is connected again, and a frame that is given is a real one. New programs are better served by
:class:`mpegclient.Client`.
"""

from __future__ import annotations

import contextlib
import sys
from fractions import Fraction
from typing import Any, Callable, Dict, Optional, Tuple, Union

import numpy as np
import numpy.typing as npt

from . import errors
from ._convert import ParameterValue, Url
from .client import Client, _using
from .constants import LogLevel, Order, State
from .log import set_log_level
from .records import StreamInfo

__all__ = ["MpegClient", "setGlobal"]

#: mpegCoder's parameters, and what they are called here.
_PARAMETERS = {
    "videoAddress": "url",
    "widthDst": "width",
    "heightDst": "height",
    "dstFrameRate": "frame_rate",
    "readSize": "read_size",
    "cacheSize": "cache_size",
    "nthread": "threads",
}

_LOG_LEVELS = {0: LogLevel.QUIET, 1: LogLevel.INFO, 2: LogLevel.DEBUG}

#: The states in which ExtractFrame has nothing to give but None. Frames may come again from the last two.
_LOST = (State.IDLE, State.READY, State.STOPPED, State.ENDED, State.FAILED, State.STALLED, State.RECONNECTING)

#: What FFmpegSetup answers with False: the stream's failures, and the end of the attempt from another thread.
_SETUP_FAILURES = (errors.ConnectError, errors.Timeout, errors.Stopped)

# Failures of FFmpegSetup are worth a line, libav's chatter is not, until setGlobal says otherwise.
_dump_level = 1


def setGlobal(dumpLevel: int = 1) -> None:
    """Sets how much is written to the standard error stream, for the whole process.

    0: nothing. 1: why FFmpegSetup failed, connections made and lost. 2: also all that libav has to say.
    """
    global _dump_level
    if dumpLevel not in _LOG_LEVELS:
        raise errors.InvalidArgument(f"dumpLevel is {dumpLevel}, expected 0, 1 or 2")
    set_log_level(_LOG_LEVELS[dumpLevel])
    _dump_level = dumpLevel


#: Seconds that FFmpegSetup waits at most for the first picture of a stream whose size nothing else shows.
_SIZE_TIMEOUT = 5.0


class _Lost(Exception):
    """The stream is in one of the states that mean None."""


class MpegClient:
    """The newest frames of one live video stream. Every method may be called on any thread."""

    def __init__(self) -> None:
        self._client = Client()
        # ExtractFrame gives only frames after this one: those from before a start are not the present.
        self._last_before_start = 0
        # A live stream is decoded from FFmpegSetup on, but has no frames for the caller before its start.
        self._is_started = False

    # ---- Parameters ----

    def setParameter(
        self,
        widthDst: Optional[int] = None,
        heightDst: Optional[int] = None,
        dstFrameRate: Union[None, Tuple[int, int], Fraction, int] = None,
        readSize: Optional[int] = None,
        cacheSize: Optional[int] = None,
        nthread: Optional[int] = None,
        videoAddress: Optional[Url] = None,
    ) -> None:
        """Sets those parameters that are given; all but readSize count at the next FFmpegSetup.

        ``widthDst`` and ``heightDst`` are pixels, 0 for the source's. ``dstFrameRate`` is (num, den) frames a second,
        (0, 1) for all. ``readSize`` is how many frames ExtractFrame gives, ``cacheSize`` how many are kept, ``nthread``
        the decoder's threads, ``videoAddress`` the default address.

        Raises errors.InvalidArgument, a ValueError.
        """
        given: Dict[str, Optional[ParameterValue]] = {
            "widthDst": widthDst,
            "heightDst": heightDst,
            "dstFrameRate": dstFrameRate,
            "readSize": readSize,
            "cacheSize": cacheSize,
            "nthread": nthread,
            "videoAddress": videoAddress,
        }
        for name, value in given.items():
            if value is not None:
                self._client.parameters[_PARAMETERS[name]] = value

    def getParameter(self, name: Optional[str] = None) -> Any:
        """One value by name, or a dictionary of those that describe the stream.

        By name: videoAddress (str), widthDst, heightDst, readSize, cacheSize, nthread (int), dstFrameRate (num, den);
        width, height (int, the source's), coderName (str), srcFrameRate (float, frames a second), duration (float,
        seconds), estFrameNum (int), frameCount (int, frames put into the buffer so far). None for what is not known,
        such as the duration of a live stream, and for other names.

        The dictionary has videoAddress and codecName as bytes, as mpegCoder does, nthread, widthDst and heightDst if
        they are set, and, once they are known, width, height and frameRate (num, den). mpegCoder's bitRate, GOPSize and
        maxBframe are left out: a client that only watches the stream does not know them.
        """
        return self._all_values() if name is None else self._value(name)

    def resetPath(self, videoAddress: Url) -> None:
        """Sets the default address, which FFmpegSetup uses when it is given none."""
        self.setParameter(videoAddress=videoAddress)

    # ---- Life cycle ----

    def FFmpegSetup(self, videoAddress: Optional[Url] = None) -> bool:
        """Connects; True on success. The address becomes the default one.

        Where only the first picture shows the size, it waits for that for 5 s at most, so that width and height are known
        after it.

        Never raises for a failure of the stream: it writes one line without credentials to the standard error stream
        unless setGlobal has said dumpLevel=0, and returns False. A parameter that cannot be used raises
        errors.InvalidArgument, a ValueError.
        """
        try:
            self._client.setup(videoAddress or None)
        except _SETUP_FAILURES as failure:
            if _dump_level >= 1:
                print(f"mpegclient: FFmpegSetup failed: {failure}", file=sys.stderr)
            return False
        self._is_started = False
        self._learn_size()
        return True

    def _learn_size(self) -> None:
        """Waits for the size of a live stream that only its first picture shows, as mpegCoder does."""
        stream = self._stream_info()
        if stream is None or stream.width is not None or not stream.is_live:
            return
        with contextlib.suppress(errors.Error):
            self._client.start()
            self._client.wait(1, timeout=_SIZE_TIMEOUT)

    def start(self) -> None:
        """Begins to put frames into the buffer. Raises errors.BadState before FFmpegSetup."""
        if not (self._is_started and self._client.state.is_living):
            self._last_before_start = self._client.stats().newest_seq
        self._client.start()
        self._is_started = True

    def terminate(self) -> None:
        """Stops within half a second; start may follow."""
        self._client.terminate()

    def clear(self) -> None:
        """Stops and closes the stream within half a second; the parameters stay and FFmpegSetup may follow."""
        self._client.clear()

    # ---- Frames ----

    def ExtractFrame(self, readSize: int = 0) -> Optional[npt.NDArray[np.uint8]]:
        """The newest ``readSize`` frames, oldest first: (n, height, width, 3) uint8, RGB; 0: the parameter readSize.

        None as soon as the stream is stopped, ended, failed, stalled or lost; frames again once it runs. Waits at most
        the parameter read_timeout (3 s) until that many frames of this connection exist, then gives what there is: fewer
        frames, or none at all as an array of shape (0, height, width, 3), with 0 for a height and width that nothing
        has told yet.

        Raises errors.InvalidArgument, a ValueError, for a readSize above cacheSize.
        """
        try:
            return self._newest_frames(readSize or None)
        except (_Lost, errors.BadState, errors.Stopped, errors.Ended, errors.StreamFailed):
            return None

    def _newest_frames(self, count: Optional[int]) -> npt.NDArray[np.uint8]:
        client = self._client
        deadline = client._read_deadline(None)
        after = self._last_before_start
        try:
            while True:
                options = client._read_options(count, Order.LATEST, after, None, False)
                batch = client._read(options, deadline, _using(None), self._require_stream)
                if batch.generation == client.stats().connects:
                    return batch.frames
                # Still those of the connection before, which was lost: wait for newer ones.
                after = batch.last_seq
        except errors.Timeout:
            return self._no_frames()

    def _require_stream(self) -> None:
        if not self._is_started or self._client.state in _LOST:
            raise _Lost

    def _no_frames(self) -> npt.NDArray[np.uint8]:
        try:
            shape = self._client.shape(timeout=0)
        except errors.Timeout:
            shape = (0, 0, 3)
        return np.empty((0, *shape), np.uint8)

    # ---- What is known ----

    def dumpFile(self) -> None:
        """Prints the description."""
        print(self._client.describe())

    def __str__(self) -> str:
        return self._client.describe()

    def __repr__(self) -> str:
        state = self._client.state
        state = State.READY if state is State.RUNNING and not self._is_started else state
        return f"<mpegclient.mpegcoder.MpegClient {state.name}>"

    def _value(self, name: str) -> Any:
        if name in _PARAMETERS:
            value = self._client.parameters[_PARAMETERS[name]]
            return (value.numerator, value.denominator) if isinstance(value, Fraction) else value
        if name == "frameCount":
            return self._client.stats().published
        stream = self._stream_info()
        if stream is None or name not in _STREAM_VALUES:
            return None
        return _STREAM_VALUES[name](stream)

    def _all_values(self) -> Dict[str, Any]:
        stream = self._stream_info()
        values = {
            "videoAddress": self._value("videoAddress").encode(),
            "codecName": stream.codec.encode() if stream else b"",
            "nthread": self._value("nthread"),
            "widthDst": self._value("widthDst") or None,
            "heightDst": self._value("heightDst") or None,
            "width": stream and stream.width,
            "height": stream and stream.height,
            "frameRate": stream and stream.frame_rate and stream.frame_rate.as_integer_ratio(),
        }
        return {name: value for name, value in values.items() if value is not None}

    def _stream_info(self) -> Optional[StreamInfo]:
        try:
            return self._client.stream_info()
        except errors.BadState:
            return None


def _source_rate(stream: StreamInfo) -> Optional[float]:
    return float(stream.frame_rate) if stream.frame_rate else stream.measured_frame_rate


def _duration(stream: StreamInfo) -> Optional[float]:
    return None if stream.duration_ns is None else stream.duration_ns / 1e9


def _estimated_frames(stream: StreamInfo) -> Optional[int]:
    rate, duration = _source_rate(stream), _duration(stream)
    return None if rate is None or duration is None else round(rate * duration)


_STREAM_VALUES: Dict[str, Callable[[StreamInfo], Any]] = {
    "width": lambda stream: stream.width,
    "height": lambda stream: stream.height,
    "coderName": lambda stream: stream.codec,
    "srcFrameRate": _source_rate,
    "duration": _duration,
    "estFrameNum": _estimated_frames,
}
