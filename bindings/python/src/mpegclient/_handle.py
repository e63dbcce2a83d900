"""Keeps a C object alive while calls use it."""

from __future__ import annotations

import os
import threading
from typing import Any, Callable, List

from . import errors
from ._exit import ends_this_thread


class Handle:
    """A C object that is freed once it is closed and the last call that uses it has returned.

    The library wants that no call runs while an object is freed. Each call therefore goes through here::

        with handle as pointer:
            library.mpegclient_start(pointer)

    and the last one to leave a closed handle frees the object. Nobody waits for that inside a call, so that close also
    works in a signal handler that interrupts a call of the same thread.

    Threads: everything may be called on any thread at any time.
    """

    #: Seconds that close waits for other threads' calls. They are unblocked and return in a moment; only a call whose
    #: end was lost, because an exception struck between two of its bytecodes, lets this time run out.
    PATIENCE = 2.0

    def __init__(
        self, name: str, pointer: Any, unblock: Callable[[Any], None], free: Callable[[Any], None]
    ) -> None:
        """Takes over a pointer.

        ``name`` is what messages call the object, ``unblock`` makes calls in progress return soon, ``free`` gives the
        object back.
        """
        self._name = name
        self._pointer = pointer
        self._unblock = unblock
        self._free = free
        self._process = os.getpid()
        self._changed = threading.Condition()
        self._users: List[int] = []  # the thread of each call in progress
        self._is_closed = False
        self._is_being_freed = False
        self._is_freed = False

    @property
    def is_closed(self) -> bool:
        """Whether close was called."""
        return self._is_closed

    def __enter__(self) -> Any:
        # Before the lock, which another thread may have held when the process forked.
        if self._is_forked():
            raise errors.Forked(f"the {self._name} was made before fork: make a new one in the child")
        # First a user, then the look at _is_closed: a signal handler that closes in between must find this call.
        with self._changed:
            self._users.append(threading.get_ident())
            is_usable = not self._is_closed
        if not is_usable:
            self._leave()
            if ends_this_thread():
                raise SystemExit
            raise errors.BadState(f"the {self._name} is closed")
        return self._pointer

    def __exit__(self, *_exception: object) -> None:
        self._leave()

    def close(self) -> None:
        """Refuses calls from now on, ends those in progress and frees the object; does nothing the second time.

        Returns once the object is freed, except inside a call of the same thread, which frees it when it leaves.
        In a forked child it does nothing: the object belongs to the parent.
        """
        if self._is_forked():
            return
        with self._changed:
            is_first, self._is_closed = not self._is_closed, True
            if is_first:
                self._users.append(threading.get_ident())
        if is_first:
            try:
                self._unblock(self._pointer)
            finally:
                self._leave()
        with self._changed:
            self._changed.wait_for(self._is_done_for_this_thread, self.PATIENCE)

    def _is_done_for_this_thread(self) -> bool:
        return self._is_freed or threading.get_ident() in self._users

    def _leave(self) -> None:
        with self._changed:
            self._users.remove(threading.get_ident())
            is_last = self._is_closed and not self._users and not self._is_being_freed
            self._is_being_freed |= is_last
        if is_last:
            self._free(self._pointer)
            with self._changed:
                self._is_freed = True
                self._changed.notify_all()

    def _is_forked(self) -> bool:
        return os.getpid() != self._process
