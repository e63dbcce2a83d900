"""Frames that are looked at where they lie, without copying."""

from __future__ import annotations

import os
from typing import Any, NoReturn, Optional, Tuple

import numpy as np
import numpy.typing as npt

from . import errors
from .records import BatchInfo

#: kDLCPU of DLPack, and the number of the one such device.
DLPACK_CPU = (1, 0)

#: The first version of DLPack that can say that an array is read-only.
DLPACK_READ_ONLY_SINCE = (1, 0)


class Lease(BatchInfo):
    """Consecutive frames lent by the ring, oldest first: their pixels are read where the decoder's thread put them. ::

        with client.acquire(5) as lease:
            lease.frames                       # (5, height, width, channels) uint8, read-only
            tensor = torch.from_dlpack(lease)  # or any other library that knows DLPack

    The pixels never change while anything refers to them, whatever becomes of the client: each array that shows them,
    a slice that outlives the ``with`` included, holds the lease, and with the last one it goes back. Held leases cost
    memory, never freshness; stats() counts them and tells the age of the oldest.

    Threads: everything may be used on any thread. A child that was forked must not look at its parent's frames: the
    memory is shared, and the parent's writer goes on.
    """

    def __init__(self, frames: npt.NDArray[np.uint8], **info: Any) -> None:
        """Takes over an array that owns the lease, and what BatchInfo takes."""
        super().__init__(**info)
        self._frames: Optional[npt.NDArray[np.uint8]] = frames
        self._process = os.getpid()

    @classmethod
    def from_c(cls, batch: Any, frames: npt.NDArray[np.uint8], infos: Any) -> Lease:
        """From an MpegClientBatch, the pixels and an array of MpegClientFrameInfo."""
        return cls(frames, **cls.members_from_c(batch, infos))

    @property
    def frames(self) -> npt.NDArray[np.uint8]:
        """The pictures: (n, height, width, channels) uint8, read-only; C-contiguous but for odd shapes, whose frames the
        ring pads to whole pages. Copy it to keep it for long.

        Raises errors.BadState once the lease was released, errors.Forked in a child.
        """
        if os.getpid() != self._process:
            raise errors.Forked("the lease was taken before fork: copy the frames first, or read them in the child")
        frames = self._frames
        if frames is None:
            raise errors.BadState("the lease is released")
        return frames

    def release(self) -> None:
        """Gives the frames back, as soon as no array refers to them any more; does nothing the second time.

        Leaving a ``with`` block releases, and so does the end of the last reference.
        """
        self._frames = None

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.release()

    def __dlpack_device__(self) -> Tuple[int, int]:
        """Main memory, in DLPack's numbers."""
        return DLPACK_CPU

    def __dlpack__(
        self,
        *,
        stream: Optional[Any] = None,
        max_version: Optional[Tuple[int, int]] = None,
        dl_device: Optional[Tuple[int, int]] = None,
        copy: Optional[bool] = None,
    ) -> Any:
        """The frames as a DLPack capsule, for from_dlpack of NumPy, PyTorch, JAX and others.

        A consumer of DLPack 1.0 or later gets the pixels themselves, marked read-only, and holds the lease for as long
        as it has them. One that does not say so cannot be told that it must not write, and gets a copy: that is JAX,
        up to 0.10 at least, which names no version and takes capsules of the old kind alone. So does any with NumPy
        before 2.1, which does not export what is read-only. Raises BufferError where a copy is needed and ``copy`` is
        False, or for another device.
        """
        if stream is not None:
            raise BufferError(f"stream is {stream}, expected None for frames in main memory")
        if dl_device is not None and tuple(dl_device) != DLPACK_CPU:
            raise BufferError(f"dl_device is {tuple(dl_device)}, expected {DLPACK_CPU}, main memory")
        frames = self.frames
        if not copy and max_version is not None and max_version >= DLPACK_READ_ONLY_SINCE:
            try:
                return frames.__dlpack__(max_version=max_version)  # type: ignore[call-arg, unused-ignore]
            except TypeError:
                pass  # an older NumPy, which knows no versions
        if copy is False:
            raise BufferError("read-only frames can only be copied for this consumer or by this version of NumPy")
        return frames.copy().__dlpack__()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Lease cannot be pickled or copied: it holds memory of the ring. Copy its frames instead")
