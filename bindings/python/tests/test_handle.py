"""A C object is never freed under a call, and always in the end."""

from __future__ import annotations

import threading
from typing import List

import pytest

from mpegclient import errors
from mpegclient._handle import Handle
from support import wait_until


class Recorder:
    """Stands for the functions of a C object and notes which were called."""

    def __init__(self) -> None:
        self.calls: List[str] = []
        self.unblocked = threading.Event()
        self.handle = Handle("thing", "pointer", self._unblock, self._free)

    def _unblock(self, pointer: str) -> None:
        self.calls.append(f"unblock {pointer}")
        self.unblocked.set()

    def _free(self, pointer: str) -> None:
        self.calls.append(f"free {pointer}")


def test_close_unblocks_and_frees_once() -> None:
    recorder = Recorder()
    with recorder.handle as pointer:
        assert pointer == "pointer"
    recorder.handle.close()
    recorder.handle.close()
    assert recorder.calls == ["unblock pointer", "free pointer"]
    assert recorder.handle.is_closed


def test_a_closed_handle_takes_no_call() -> None:
    recorder = Recorder()
    recorder.handle.close()
    with pytest.raises(errors.BadState, match="the thing is closed"), recorder.handle:
        pass
    assert recorder.calls.count("free pointer") == 1


def test_close_waits_for_the_call_of_another_thread() -> None:
    recorder = Recorder()
    inside = threading.Event()

    def call() -> None:
        with recorder.handle:
            inside.set()
            recorder.unblocked.wait()
            recorder.calls.append("call returns")

    thread = threading.Thread(target=call)
    thread.start()
    inside.wait()
    recorder.handle.close()
    assert recorder.calls == ["unblock pointer", "call returns", "free pointer"]
    thread.join()


def test_close_within_a_call_of_the_same_thread_leaves_the_freeing_to_it() -> None:
    recorder = Recorder()
    with recorder.handle:
        recorder.handle.close()
        assert recorder.calls == ["unblock pointer"]
    assert recorder.calls == ["unblock pointer", "free pointer"]


def test_every_closer_returns_only_when_it_is_freed() -> None:
    recorder = Recorder()
    leave = threading.Event()
    inside = threading.Event()

    def call() -> None:
        with recorder.handle:
            inside.set()
            leave.wait()

    def close() -> None:
        recorder.handle.close()
        closed.append(recorder.calls[-1])

    closed: List[str] = []
    threads = [threading.Thread(target=call)] + [threading.Thread(target=close) for _ in range(3)]
    threads[0].start()
    inside.wait()
    for thread in threads[1:]:
        thread.start()
    wait_until(recorder.unblocked.is_set, "a closer has begun")
    assert not closed
    leave.set()
    for thread in threads:
        thread.join()
    assert closed == ["free pointer"] * 3


def test_a_call_whose_end_was_lost_does_not_hold_close_up_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Handle, "PATIENCE", 0.05)
    recorder = Recorder()
    thread = threading.Thread(target=recorder.handle.__enter__)
    thread.start()
    thread.join()
    recorder.handle.close()
    assert recorder.calls == ["unblock pointer"]


def test_many_calls_and_closes_at_once_free_once_and_under_no_call() -> None:
    for _ in range(50):
        recorder = Recorder()
        start = threading.Barrier(4)
        in_use = threading.Semaphore(0)

        def call(recorder: Recorder = recorder, start: threading.Barrier = start) -> None:
            start.wait()
            try:
                while True:
                    with recorder.handle:
                        assert "free pointer" not in recorder.calls
            except errors.BadState:
                in_use.release()

        threads = [threading.Thread(target=call) for _ in range(3)]
        for thread in threads:
            thread.start()
        start.wait()
        recorder.handle.close()
        for thread in threads:
            thread.join()
            assert in_use.acquire(blocking=False)
        assert recorder.calls == ["unblock pointer", "free pointer"]
