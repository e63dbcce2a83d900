"""One read of frames: waits in slices, then copies."""

from __future__ import annotations

import ctypes
from typing import Any, Callable, ContextManager, Tuple

import numpy as np
import numpy.typing as npt

from . import errors
from ._c import MpegClientBatch, MpegClientFrameInfo, MpegClientReadOptions, library
from ._waiting import Deadline, in_slices
from .constants import Order


def wait(
    client: ContextManager[Any],
    cancel: ContextManager[Any],
    after: int,
    deadline: Deadline,
    between: Callable[[], None],
) -> int:
    """Waits in slices for a frame newer than ``after``; returns the number of the newest."""
    newest = ctypes.c_uint64()

    def one_slice(timeout_ms: int) -> int:
        with client as pointer, cancel as token:
            library.mpegclient_wait(pointer, after, timeout_ms, token, ctypes.byref(newest))
        return newest.value

    return in_slices(one_slice, deadline, between)


class Reading:
    """A call of mpegclient_extract_frames, with the same outcome but cut into slices.

    It copies what there is without waiting. If that is not enough it waits in slices for the frame that would make it
    enough and copies again, so that a wait costs two or three copies, however long it lasts.
    """

    def __init__(
        self,
        client: ContextManager[Any],
        cancel: ContextManager[Any],
        options: MpegClientReadOptions,
        deadline: Deadline,
        between: Callable[[], None],
    ) -> None:
        """Takes what wait takes, and options whose count is set; their timeout and token are set here."""
        self._client = client
        self._cancel = cancel
        self._options = options
        self._deadline = deadline
        self._between = between
        self._batch = MpegClientBatch()
        # Nothing is allocated until the library has accepted the count and told the size: only it knows a shape that
        # belongs to these frames.
        self._pixels: npt.NDArray[np.uint8] = np.empty(0, np.uint8)
        self._infos: Any = None

    def run(self) -> Tuple[MpegClientBatch, npt.NDArray[np.uint8], Any]:
        """Returns the batch, its pixels as (n, height, width, channels), and an array of infos, of which n are set."""
        newest_seen = 0
        while True:
            is_last_attempt = self._deadline.is_over
            try:
                self._extract()
            except errors.Timeout:
                if is_last_attempt:
                    raise
                after = self._options.after_seq
            except errors.Stale:
                if is_last_attempt:
                    raise
                after = self._newest_seq()
            else:
                newest = self._batch.first_seq + self._batch.count - 1
                if is_last_attempt or self._is_enough(newest_seen):
                    return self._batch, self._shaped_pixels(), self._infos
                newest_seen = newest
                after = self._one_before_enough(newest)
            self._wait(after)

    def _is_enough(self, newest_seen: int) -> bool:
        """Whether waiting would not bring more."""
        newest = self._batch.first_seq + self._batch.count - 1
        # Read in order, frames end where a new connection begins: newer ones are there, but do not belong to these.
        is_cut = self._options.order == Order.NEXT and newest == newest_seen
        return bool(self._batch.count == self._options.count or is_cut)

    def _one_before_enough(self, newest: int) -> int:
        if self._options.order == Order.NEXT:
            return newest
        return int(self._batch.first_seq + self._options.count - 2)

    def _wait(self, after: int) -> None:
        """Waits for a frame; if none is to come in time, the next attempt takes what there is."""
        try:
            wait(self._client, self._cancel, after, self._deadline, self._between)
        except (errors.Timeout, errors.Stopped, errors.Ended, errors.StreamFailed):
            self._deadline = Deadline(0)

    def _newest_seq(self) -> int:
        with self._client as pointer, self._cancel as token:
            newest = ctypes.c_uint64()
            library.mpegclient_wait(pointer, 0, 0, token, ctypes.byref(newest))
        return newest.value

    def _extract(self) -> None:
        try:
            self._call_library()
        except errors.BufferTooSmall:
            self._pixels = np.empty(self._batch.buffer_needed, np.uint8)
            self._infos = (MpegClientFrameInfo * self._options.count)()
            self._extract()

    def _call_library(self) -> None:
        self._between()
        with self._client as pointer, self._cancel as token:
            self._options.cancel = token
            library.mpegclient_extract_frames(
                pointer,
                ctypes.byref(self._options),
                self._pixels.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8)),
                self._pixels.nbytes,
                self._infos,
                ctypes.sizeof(MpegClientFrameInfo),
                ctypes.byref(self._batch),
            )

    def _shaped_pixels(self) -> npt.NDArray[np.uint8]:
        """The pixels without the room for frames that did not come, in the shape that the batch tells."""
        batch, pixels = self._batch, self._pixels
        # In place: nobody else knows the array yet, and one that owns its memory can be resized by its user too.
        pixels.resize((batch.count, batch.height, batch.width, batch.channels), refcheck=False)
        return pixels
