"""Waiting in slices and in threads, without a stream."""

from __future__ import annotations

import threading
import time
from typing import List

import pytest

from mpegclient import errors
from mpegclient._waiting import SLICE, Deadline, in_slices, in_thread


def nothing() -> None:
    """Runs between slices, and lets them go on."""


def test_a_wait_is_cut_into_slices_until_its_time_is_over() -> None:
    slices: List[int] = []

    def call(timeout_ms: int) -> None:
        slices.append(timeout_ms)
        time.sleep(timeout_ms / 1000)
        raise errors.Timeout("not yet")

    begun = time.monotonic()
    with pytest.raises(errors.Timeout):
        in_slices(call, Deadline(2.5 * SLICE), nothing)
    assert 2.5 * SLICE <= time.monotonic() - begun < 4
    assert len(slices) >= 3 and max(slices) <= SLICE * 1000


def test_no_time_means_one_look() -> None:
    slices: List[int] = []

    def call(timeout_ms: int) -> str:
        slices.append(timeout_ms)
        return "answer"

    assert in_slices(call, Deadline(0), nothing) == "answer"
    assert slices == [0]


def test_what_is_no_timeout_ends_the_wait() -> None:
    def call(_timeout_ms: int) -> None:
        raise errors.Stopped("over")

    with pytest.raises(errors.Stopped):
        in_slices(call, Deadline(float("inf")), nothing)


def test_what_runs_between_slices_may_end_the_wait() -> None:
    def call(_timeout_ms: int) -> None:
        raise errors.Timeout("not yet")

    def between() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_slices(call, Deadline(float("inf")), between)


def test_a_call_in_a_thread_returns_or_raises_here() -> None:
    threads: List[threading.Thread] = []
    in_thread(lambda: threads.append(threading.current_thread()), nothing)
    assert threads[0] is not threading.current_thread()

    def fail() -> None:
        raise errors.Refused("no")

    with pytest.raises(errors.Refused, match="no"):
        in_thread(fail, nothing)
