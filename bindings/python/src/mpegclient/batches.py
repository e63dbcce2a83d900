"""Batch after batch, for loops."""

from __future__ import annotations

from typing import Awaitable, Callable, NoReturn

from . import errors
from .records import Batch


class Batches:
    """A client's frames, batch after batch, each newer than the one before. ::

        for batch in client.batches(5): ...
        async for batch in client.batches(5): ...

    Made by Client.batches, which says more. One loop at a time may run over it; once that was left, by an exception
    too, another goes on after the last batch.
    """

    def __init__(
        self, read: Callable[[int], Batch], read_async: Callable[[int], Awaitable[Batch]], after: int
    ) -> None:
        """Takes functions that read the frames after a number, and the number to begin after."""
        self._read = read
        self._read_async = read_async
        self._after = after
        self._has_begun = False

    def __iter__(self) -> Batches:
        return self

    def __next__(self) -> Batch:
        try:
            return self._passed(self._read(self._after))
        except (errors.Ended, errors.Stopped) as end:
            self._require_begun(end)
            raise StopIteration from None

    def __aiter__(self) -> Batches:
        return self

    async def __anext__(self) -> Batch:
        try:
            return self._passed(await self._read_async(self._after))
        except (errors.Ended, errors.Stopped) as end:
            self._require_begun(end)
            raise StopAsyncIteration from None

    def _passed(self, batch: Batch) -> Batch:
        self._after, self._has_begun = batch.last_seq, True
        return batch

    def _require_begun(self, end: errors.Error) -> None:
        """A stream that was never started has not come to its end."""
        if isinstance(end, errors.Stopped) and not self._has_begun:
            raise end

    def __reduce__(self) -> NoReturn:
        raise TypeError("Batches cannot be pickled or copied: they read from a client. Make them in the other process")
