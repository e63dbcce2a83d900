"""A client's events and its descriptor, and waiting for frames through it in an event loop."""

from __future__ import annotations

import asyncio
import collections
import ctypes
import os
import threading
from dataclasses import replace
from typing import Callable, Deque, List, Optional

from . import errors
from ._c import MpegClientEvent, library
from ._handle import Handle
from ._waiting import SLICE, Deadline
from .constants import EventKind
from .records import Event

#: A number that no frame has.
NO_FRAMES = 2**64 - 1

#: Events that are kept at most, as many as the library keeps.
_MOST_EVENTS = 64


class Doorbell:
    """The descriptor of a client, shared by all who wait through it.

    It is readable while a frame newer than the armed one is there, or an event. Who waits for a frame in an event loop
    has to take the events out of its way, and keeps them for whoever asks for events.

    Threads: everything may be called on any thread, and loops of several threads may wait at the same time.
    """

    def __init__(self, handle: Handle) -> None:
        """The doorbell of the client behind a handle."""
        self._handle = handle
        self._lock = threading.RLock()  # a signal handler may ask for events while its thread does
        self._armed = NO_FRAMES  # what the user wants to be told of
        self._awaited: List[int] = []  # the numbers that loops await frames after
        self._events: Deque[Event] = collections.deque()
        self._lost = 0

    def descriptor(self) -> int:
        """The descriptor, which is the client's."""
        descriptor = ctypes.c_int32()
        with self._handle as client:
            library.mpegclient_event_fd(client, ctypes.byref(descriptor))
        return descriptor.value

    def arm(self, after: int) -> None:
        """Has the descriptor become readable once a frame newer than ``after`` is there."""
        with self._lock:
            self._armed = after
            self._arm_earliest()

    def _arm_earliest(self) -> None:
        with self._handle as client:
            library.mpegclient_event_arm(client, min([self._armed, *self._awaited]))

    async def wait(self, look: Callable[[], int], after: int, deadline: Deadline) -> int:
        """Waits until ``look`` finds a frame newer than ``after``, and returns what it returns.

        ``look`` raises errors.Timeout while there is none, which leaves here once the time is over.
        """
        while True:
            try:
                return look()
            except errors.Timeout:
                if deadline.is_over:
                    raise
            # What rings no bell, such as an interrupt, is seen at the next look.
            await self._rings(after, min(SLICE, deadline.remaining))

    async def _rings(self, after: int, seconds: float) -> None:
        """Waits until the descriptor is readable, for so many seconds at most."""
        loop = asyncio.get_running_loop()
        rung: asyncio.Future[None] = loop.create_future()
        # A descriptor of its own for each who waits: a loop has one callback for each number.
        descriptor = os.dup(self.descriptor())
        try:
            loop.add_reader(descriptor, _finish, rung)
            self._await_frame(after)
            try:
                await asyncio.wait([rung], timeout=seconds)
            finally:
                self._forget_frame(after)
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)
        self._keep_events()

    def _await_frame(self, after: int) -> None:
        with self._lock:
            self._awaited.append(after)
            self._arm_earliest()

    def _forget_frame(self, after: int) -> None:
        with self._lock:
            self._awaited.remove(after)
            self._arm_earliest()

    def _keep_events(self) -> None:
        with self._lock:
            for event in iter(self._take_event, None):
                if len(self._events) == _MOST_EVENTS:
                    self._events.popleft()
                    self._lost += 1
                self._events.append(event)

    def next_event(self) -> Optional[Event]:
        """The oldest event that nobody has asked for, a loss before those that were kept."""
        with self._lock:
            if not self._events:
                return self._take_event()
            if self._lost:
                lost, self._lost = self._lost, 0
                return replace(self._events[0], kind=EventKind.QUEUE_OVERFLOW, value=lost, text="")
            return self._events.popleft()

    def _take_event(self) -> Optional[Event]:
        event = MpegClientEvent()
        try:
            with self._handle as client:
                library.mpegclient_next_event(client, ctypes.byref(event))
        except errors.NoEvent:
            return None
        return Event.from_c(event)


def _finish(rung: asyncio.Future[None]) -> None:
    if not rung.done():
        rung.set_result(None)
