"""Frames that are lent: the ring's own memory, which never changes while anything refers to it."""

from __future__ import annotations

import copy
import gc
import importlib
import importlib.util
import pickle
from pathlib import Path
from typing import Any, Callable, Iterator, List, Tuple

import numpy as np
import numpy.typing as npt
import pytest

from live import NEVER, Worker
from mpegclient import Client, EventKind, Lease, Order, State, errors
from support import PATIENCE, RtspServer, run_python, wait_until

Pixels = npt.NDArray[np.uint8]

#: What imports frames through DLPack here. `make test-all` sees to JAX; PyTorch, whose package brings gigabytes, is
#: tested where it is.
CONSUMERS = [
    name for name in ("numpy", "jax.dlpack", "torch.utils.dlpack") if importlib.util.find_spec(name.split(".")[0])
]


@pytest.fixture
def fast(media: Path) -> Iterator[Client]:
    """A client of a file of 2500 frames that come as fast as they can be decoded."""
    with Client(media / "long.mp4", cache_size=8, realtime="off", max_orphans=16) as client:
        client.setup()
        client.start()
        yield client


@pytest.fixture
def still(media: Path) -> Iterator[Client]:
    """A client of a file that has ended; its last eight frames stay readable."""
    with Client(media / "short.mp4", cache_size=8, realtime="off") as client:
        client.setup()
        client.start()
        wait_until(lambda: client.state is State.ENDED, "the file ends")
        yield client


def held(client: Client) -> int:
    """How many leases are out."""
    return client.stats().leases


# ---- What is lent ----


def test_a_lease_has_what_a_read_gives_and_copies_nothing(still: Client) -> None:
    batch = still.read(5)
    with still.acquire(5) as lease, still.acquire(3) as newest:
        assert (lease.frames == batch.frames).all() and len(lease) == 5
        assert (lease.infos, lease.first_seq, lease.last_seq) == (batch.infos, batch.first_seq, batch.last_seq)
        assert (lease.generation, lease.pixel_format) == (batch.generation, batch.pixel_format)
        assert lease.frames.flags.c_contiguous and not lease.frames.flags.owndata
        assert newest.frames.ctypes.data == lease.frames[2:].ctypes.data, "two leases lie in the same memory"
        stats = still.stats()
        assert stats.leases == 2 and stats.oldest_lease_age_ns > 0
        assert "2 out" in still.describe()
    assert held(still) == 0 and still.stats().oldest_lease_age_ns == 0


def test_nobody_may_write_to_what_is_lent(still: Client) -> None:
    with still.acquire(2) as lease:
        with pytest.raises(ValueError):
            lease.frames[0, 0, 0, 0] = 1
        with pytest.raises(ValueError):
            lease.frames.flags.writeable = True
        assert memoryview(lease.frames).readonly


@pytest.mark.parametrize("order", Order)
def test_acquire_waits_as_read_does(running: Client, order: Order) -> None:
    after = running.wait(timeout=PATIENCE)
    with running.acquire(4, order=order, after=after, timeout=PATIENCE) as lease:
        assert len(lease) == 4 and lease.first_seq > after
        assert held(running) == 1, "attempts that were not enough are given back"
    with pytest.raises(errors.Timeout):
        running.acquire(1, after=NEVER, timeout=0)
    with pytest.raises(errors.InvalidArgument, match="count is 13"):
        running.acquire(13)
    assert held(running) == 0


def test_odd_shapes_are_padded_and_still_the_same_frames(media: Path) -> None:
    with Client(media / "short.mp4", width=321, height=241, cache_size=8, realtime="off") as client:
        client.setup()
        client.start()
        wait_until(lambda: client.state is State.ENDED, "the file ends")
        batch, lease = client.read(8), client.acquire(8)
        assert lease.frames.strides[0] > 321 * 241 * 3 and lease.frames[0].flags.c_contiguous
        assert (lease.frames == batch.frames).all() and (np.from_dlpack(lease) == batch.frames).all()


# ---- How long it is lent ----


def test_a_view_that_escapes_never_shows_other_pixels(fast: Client) -> None:
    with fast.acquire(5) as lease:
        view = lease.frames[1:, ::2, ::2]
        before = view.copy()
    with pytest.raises(errors.BadState, match="released"):
        lease.frames
    for _ in range(20):
        last = fast.wait(fast.stats().newest_seq + 10, timeout=PATIENCE)
        assert (view == before).all()
    assert held(fast) == 1 and fast.stats().orphaned_rings == 1
    # It is forgotten, and costs memory alone: the frames are as new as ever.
    assert fast.read(1).last_seq >= last and fast.stats().dropped_by_lease == 0
    view = view[0]
    assert held(fast) == 1
    del view
    assert held(fast) == 0 and fast.stats().orphaned_rings == 0


def test_frames_outlive_their_client_and_go_back_in_any_order_on_any_thread(fast: Client) -> None:
    stats = fast.stats
    leases: List[Lease] = []
    copies: List[Pixels] = []
    for end in (fast.terminate, fast.clear, fast.setup, fast.close):
        fast.start()
        leases.append(fast.acquire(5, timeout=PATIENCE))
        copies.append(leases[-1].frames.copy())
        assert stats().leases == len(leases)
        end()
        if end == fast.clear:
            fast.setup()
    assert all((lease.frames == before).all() for lease, before in zip(leases, copies))
    leases[2].release()
    leases[2].release()
    worker = Worker(leases.pop(0).release)
    worker.finish()
    assert all((lease.frames == before).all() for lease, before in zip(leases[::2], copies[1::2]))


def test_a_cycle_of_references_gives_its_lease_back_once_it_is_found(still: Client) -> None:
    cycle: List[Any] = [still.acquire(1)]
    cycle.append(cycle)
    del cycle
    gc.collect()
    assert held(still) == 0


def test_many_threads_hold_and_give_back_while_frames_are_written(fast: Client) -> None:
    def hold(count: int) -> Callable[[], None]:
        def loop() -> None:
            kept: List[Lease] = []
            sums: List[int] = []
            while fast.state is not State.ENDED:
                kept.append(fast.acquire(count, timeout=PATIENCE))
                sums.append(int(kept[-1].frames.sum()))
                fast.wait(kept[-1].last_seq + 7, timeout=1) if fast.state is State.RUNNING else None
                if len(kept) == 3:
                    index = count % 3
                    assert int(kept.pop(index).frames.sum()) == sums.pop(index), "frames changed"

        return loop

    def until_the_end(call: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            try:
                call()
            except errors.Ended:
                pass

        return run

    workers = [Worker(until_the_end(hold(count))) for count in (1, 3, 8)]
    for worker in workers:
        worker.finish()
    del workers, worker
    gc.collect()
    assert fast.stats().published == 2500 and held(fast) == 0


@pytest.mark.parametrize("size", [(320, 240), (321, 241)], ids=["tight", "padded"])
def test_frames_stay_readable_where_the_writer_goes_on_in_other_memory(media: Path, size: Tuple[int, int]) -> None:
    width, height = size
    with Client(media / "video.mp4", width=width, height=height, cache_size=6, overflow="block") as client:
        client.setup()
        client.start()

        first = client.acquire(1, order=Order.NEXT, timeout=PATIENCE)
        frames = {1: first.frames[0].copy()}

        def read_on() -> int:
            """Reads one frame, so that the writer writes one more; returns the newest one's number."""
            number = max(frames) + 1
            batch = client.read(1, after=number - 1, order=Order.NEXT, timeout=PATIENCE)
            assert batch.first_seq == number
            frames[number] = batch.frames[0]
            return client.wait(number + 4, timeout=PATIENCE)

        while client.stats().orphaned_rings == 0:
            read_on()
        # From the first frame in other memory on, until all readable ones lie there.
        for _ in range(7):
            newest = read_on()
            for count in range(1, 7):
                copied = client.read(count)
                with client.acquire(count) as lease:
                    assert copied.first_seq == lease.first_seq == newest - count + 1
                    assert (copied.frames == lease.frames).all()
                    for seq, frame in zip(range(lease.first_seq, newest), lease.frames):
                        assert seq not in frames or (frame == frames[seq]).all(), seq
        assert (first.frames[0] == frames[1]).all()
        first.release()
        assert client.stats().orphaned_rings == 0


def test_beyond_the_memory_that_leases_may_hold_frames_are_dropped_and_that_is_told(media: Path) -> None:
    with Client(media / "video.mp4", cache_size=4, max_orphans=0) as client:
        client.setup()
        client.start()
        lease = client.acquire(4, timeout=PATIENCE)
        wait_until(lambda: client.stats().dropped_by_lease >= 5, "frames are dropped")
        newest = client.stats().newest_seq
        lease.release()
        after = client.read(1, after=newest, order=Order.NEXT, timeout=PATIENCE)
        assert after.first_seq == newest + 1 and after.infos[0].gap_before
        dropped = client.stats().dropped_by_lease
        events = list(iter(client.next_event, None))
        assert sum(event.value for event in events if event.kind is EventKind.FRAMES_DROPPED) == dropped


def test_where_nothing_may_be_lost_the_writer_waits_for_leases(media: Path) -> None:
    with Client(media / "video.mp4", cache_size=4, overflow="block", max_orphans=1) as client:
        client.setup()
        client.start()
        kept: List[Lease] = []
        seen = 0
        while True:
            try:
                kept.append(client.acquire(2, order=Order.NEXT, after=seen, timeout=0.3))
            except errors.Ended:
                break
            except errors.Timeout:
                # It holds all the memory it may. With some of it given back frames go on.
                assert len(kept) > 3
                del kept[:-1]
                continue
            assert kept[-1].first_seq == seen + 1
            seen = kept[-1].last_seq
        assert seen == 100 and client.stats().dropped_by_lease == 0


# ---- To other libraries ----


@pytest.mark.parametrize("consumer", CONSUMERS)
def test_dlpack_hands_the_frames_on(fast: Client, consumer: str) -> None:
    from_dlpack = importlib.import_module(consumer).from_dlpack
    with fast.acquire(5, timeout=PATIENCE) as lease:
        expected = lease.frames.copy()
        imported = from_dlpack(lease)
        assert imported.shape == expected.shape
    fast.wait(fast.stats().newest_seq + 100, timeout=PATIENCE)
    assert (np.asarray(imported) == expected).all()
    if consumer == "numpy" and hasattr(np, "dtypes"):
        assert held(fast) == 1 and not imported.flags.writeable and not imported.flags.owndata
    del imported
    gc.collect()
    assert held(fast) == 0


def test_dlpack_names_its_device_and_its_version(still: Client) -> None:
    with still.acquire(2) as lease:
        assert lease.__dlpack_device__() == (1, 0)
        assert '"dltensor_versioned"' in repr(lease.__dlpack__(max_version=(1, 0), dl_device=(1, 0), copy=False))
        assert '"dltensor_versioned"' in repr(lease.__dlpack__(max_version=(2, 3)))
        # Who cannot be told that it must not write gets a copy, as one who wants a copy does.
        for options in ({}, {"max_version": (0, 8)}, {"copy": True}, {"max_version": (1, 0), "copy": True}):
            assert '"dltensor"' in repr(lease.__dlpack__(**options))
        for refused in ({"copy": False}, {"stream": 1}, {"dl_device": (2, 0)}):
            with pytest.raises(BufferError):
                lease.__dlpack__(**refused)
        capsule = lease.__dlpack__(max_version=(1, 0))
    assert held(still) == 1, "a capsule that nobody took holds the lease"
    del capsule
    assert held(still) == 0
    with pytest.raises(errors.BadState):
        lease.__dlpack__(max_version=(1, 0))




# ---- Processes ----


def test_pickling_and_copying_are_refused_with_the_reason(still: Client) -> None:
    with still.acquire(1) as lease:
        for refuse in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="cannot be pickled"):
                refuse(lease)
        assert (pickle.loads(pickle.dumps(lease.frames)) == lease.frames).all()


# In a process of their own: what other libraries make of a fork, or of the end, is not asked here.

FORKING = """
import os, sys
from mpegclient import Client, errors

with Client(sys.argv[1], realtime="off") as client:
    client.setup()
    client.start()
    lease = client.acquire(2)
    before = lease.frames.copy()
    child = os.fork()
    if child == 0:
        try:
            lease.frames
        except errors.Forked as error:
            lease.release()
            del lease
            print(error, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    print(client.stats().leases, (lease.frames == before).all())
"""

ENDING = """
import atexit, sys, threading
from mpegclient import Client

atexit.register(lambda: print("atexit", int(view.sum()) == total))
client = Client(sys.argv[1], realtime="off")
client.setup()
client.start()
lease = client.acquire(3)
view = lease.frames[1:]
total = int(view.sum())
threading.Thread(target=lambda: [client.acquire(3) for _ in iter(int, 1)], daemon=True).start()
print("main")
"""


def test_a_child_after_fork_is_told_and_does_no_harm(media: Path) -> None:
    forked = run_python(["-c", FORKING, str(media / "short.mp4")])
    assert forked.stdout.startswith("the lease was taken before fork"), forked.stderr
    assert forked.stdout.endswith("1 True\n")


def test_a_program_may_end_while_frames_are_lent(media: Path) -> None:
    ended = run_python(["-c", ENDING, str(media / "long.mp4")])
    assert (ended.returncode, ended.stdout.split()) == (0, ["main", "atexit", "True"]), ended.stderr
