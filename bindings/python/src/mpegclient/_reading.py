"""One read of frames: looks at what there is, and waits for more where that is not enough."""

from __future__ import annotations

import contextlib
import ctypes
from typing import Any, Awaitable, Callable, ContextManager, Generic, Iterator

from . import errors
from ._c import library
from ._taking import Taken, Taking
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
    return in_slices(lambda timeout_ms: look(client, cancel, after, timeout_ms), deadline, between)


def look(client: ContextManager[Any], cancel: ContextManager[Any], after: int, timeout_ms: int) -> int:
    """Waits once for a frame newer than ``after``; returns the number of the newest."""
    newest = ctypes.c_uint64()
    with client as pointer, cancel as token:
        library.mpegclient_wait(pointer, after, timeout_ms, token, ctypes.byref(newest))
    return newest.value


class Reading(Generic[Taken]):
    """A call of mpegclient_extract_frames or mpegclient_acquire_frames, with the same outcome but cut into slices.

    It takes what there is without waiting. If that is not enough it waits for the frame that would make it enough and
    takes again, so that a wait costs two or three attempts, however long it lasts.
    """

    def __init__(
        self,
        client: ContextManager[Any],
        cancel: ContextManager[Any],
        taking: Taking[Taken],
        deadline: Deadline,
        between: Callable[[], None],
    ) -> None:
        """Takes what wait takes, and how the frames are taken."""
        self._client = client
        self._cancel = cancel
        self._taking = taking
        self._deadline = deadline
        self._between = between

    def run(self) -> Taken:
        """Reads, and waits in this thread."""
        for after in self._attempts():
            with self._accepting_the_end():
                wait(self._client, self._cancel, after, self._deadline, self._between)
        return self._taking.result()

    async def run_async(self, wait_for: Callable[[int, Deadline], Awaitable[int]]) -> Taken:
        """Reads, and lets others run while ``wait_for`` waits for a frame newer than a number."""
        for after in self._attempts():
            with self._accepting_the_end():
                await wait_for(after, self._deadline)
        return self._taking.result()

    def _attempts(self) -> Iterator[int]:
        """Tries until there is a result; between two attempts gives the number of the frame to wait for a newer than."""
        newest_seen = 0
        options, batch = self._taking.options, self._taking.batch
        while True:
            is_last_attempt = self._deadline.is_over
            try:
                self._take()
            except errors.Timeout:
                if is_last_attempt:
                    raise
                after = options.after_seq
            except errors.Stale:
                if is_last_attempt:
                    raise
                after = look(self._client, self._cancel, 0, 0)
            else:
                newest = batch.first_seq + batch.count - 1
                if is_last_attempt or self._is_enough(newest_seen):
                    return
                newest_seen = newest
                self._taking.let_go()
                after = newest if options.order == Order.NEXT else batch.first_seq + options.count - 2
            yield after

    def _is_enough(self, newest_seen: int) -> bool:
        """Whether waiting would not bring more."""
        options, batch = self._taking.options, self._taking.batch
        # Read in order, frames end where a new connection begins: newer ones are there, but do not belong to these.
        is_cut = options.order == Order.NEXT and batch.first_seq + batch.count - 1 == newest_seen
        return bool(batch.count == options.count or is_cut)

    def _take(self) -> None:
        self._between()
        with self._client as pointer, self._cancel as token:
            self._taking.options.cancel = token
            self._taking.take(pointer)

    @contextlib.contextmanager
    def _accepting_the_end(self) -> Iterator[None]:
        """If no frame is to come in time, the next attempt is the last and takes what there is."""
        try:
            yield
        except (errors.Timeout, errors.Stopped, errors.Ended, errors.StreamFailed):
            self._deadline = Deadline(0)
