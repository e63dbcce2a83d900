"""The two ways to take frames out of the ring: copied, and lent where they lie."""

from __future__ import annotations

import ctypes
import weakref
from typing import Any, Dict, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from . import errors
from ._c import LeasePointer, MpegClientBatch, MpegClientFrameInfo, MpegClientReadOptions, library
from .lease import Lease
from .records import Batch

Taken = TypeVar("Taken")

#: Frames that memory is taken for before the library has accepted their number.
_MOST_AT_FIRST = 64


class Taking(Generic[Taken]):
    """Takes the frames that are there, at once, as often as it is asked to; the last ones are kept."""

    def __init__(self, options: MpegClientReadOptions) -> None:
        """What to take; the count must be set. Waiting is not done here, whatever the options say."""
        self.options = options
        self.batch = MpegClientBatch()

    def take(self, client: Any) -> None:
        """Takes frames from the client of this pointer."""
        raise NotImplementedError

    def let_go(self) -> None:
        """Gives up what was taken and is not wanted."""

    def result(self) -> Taken:
        """What was taken last."""
        raise NotImplementedError


class Room:
    """What a client's frames took last, so that the next read need not ask the library first."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self.frame_bytes = 0


class Copying(Taking[Batch]):
    """Copies frames into an array of its own."""

    def __init__(self, options: MpegClientReadOptions, room: Room) -> None:
        super().__init__(options)
        self._room = room
        # Nothing is allocated for a count that the library has not accepted yet: it may be any.
        is_known = room.frame_bytes > 0 and options.count <= _MOST_AT_FIRST
        self._make_room(options.count if is_known else 0)

    def _make_room(self, count: int) -> None:
        self._pixels: npt.NDArray[np.uint8] = np.empty(count * self._room.frame_bytes, np.uint8)
        self._infos: Any = (MpegClientFrameInfo * count)() if count else None

    def take(self, client: Any) -> None:
        try:
            self._extract(client)
        except errors.BufferTooSmall:
            # Only the library knows the shape that belongs to these frames.
            self._room.frame_bytes = self.batch.buffer_needed // self.options.count
            self._make_room(self.options.count)
            self.take(client)

    def _extract(self, client: Any) -> None:
        library.mpegclient_extract_frames(
            client,
            ctypes.byref(self.options),
            self._pixels.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8)),
            self._pixels.nbytes,
            self._infos,
            ctypes.sizeof(MpegClientFrameInfo),
            ctypes.byref(self.batch),
        )

    def result(self) -> Batch:
        batch, pixels = self.batch, self._pixels
        # In place: nobody else knows the array yet, and one that owns its memory can be resized by its user too. The
        # room for frames that did not come goes.
        pixels.resize((batch.count, batch.height, batch.width, batch.channels), refcheck=False)
        return Batch.from_c(batch, pixels, self._infos)


class Lending(Taking[Lease]):
    """Lends frames that stay where they are."""

    def __init__(self, options: MpegClientReadOptions) -> None:
        super().__init__(options)
        self._memory = LentMemory()
        self._infos = (MpegClientFrameInfo * options.count)()

    def take(self, client: Any) -> None:
        self._memory = LentMemory()
        library.mpegclient_acquire_frames(
            client,
            ctypes.byref(self.options),
            ctypes.byref(self._memory.lease),
            self._infos,
            ctypes.sizeof(MpegClientFrameInfo),
            ctypes.byref(self.batch),
        )

    def let_go(self) -> None:
        self._memory = LentMemory()

    def result(self) -> Lease:
        return Lease.from_c(self.batch, self._memory.array(self.batch), self._infos)


class LentMemory:
    """The owner of lent pixels: every array that shows them refers to it, and with the last one the lease goes back.

    NumPy takes it for an array by its __array_interface__.
    """

    def __init__(self) -> None:
        # Before there is a lease, so that no exception can strike in between; releasing none does nothing.
        self.lease = LeasePointer()
        finalizer = weakref.finalize(self, library.mpegclient_lease_release, self.lease)
        # At the program's end arrays may be looked at until the last moment. The memory ends with the process.
        finalizer.atexit = False

    def array(self, batch: MpegClientBatch) -> npt.NDArray[np.uint8]:
        """The pixels of a batch of this lease, which nobody may write to."""
        self.__array_interface__: Dict[str, Any] = {
            "version": 3,
            "typestr": "|u1",
            "shape": (batch.count, batch.height, batch.width, batch.channels),
            "strides": (batch.frame_stride, batch.row_stride, batch.channels, 1),
            "data": (ctypes.cast(batch.data, ctypes.c_void_p).value, True),
        }
        return np.asarray(self)
