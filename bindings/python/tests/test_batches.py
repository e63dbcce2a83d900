"""Loops over batches, in threads and in event loops."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any, List

import pytest

from live import Worker, numbers_of, restart, running
from mpegclient import Batch, CancelToken, Client, EventKind, Order, State, _doorbell, errors
from support import PATIENCE, RtspServer, wait_until

pytest_plugins = ["live_fixtures"]


async def collect(client: Client, count: int, **options: Any) -> List[Batch]:
    """All batches until the end."""
    return [batch async for batch in client.batches(count, **options)]


async def first(client: Client, batches: int, count: int, **options: Any) -> List[Batch]:
    """So many batches."""
    collected: List[Batch] = []
    async for batch in client.batches(count, **options):
        collected.append(batch)
        if len(collected) == batches:
            break
    return collected


def shown(batches: List[Batch]) -> List[int]:
    """The numbers that the frames of batches show."""
    return [number for batch in batches for number in numbers_of(batch.frames)]


def test_a_loop_gives_every_frame_in_order_until_the_end(clips: Path) -> None:
    for is_async in (False, True):
        with running(clips / "short.mp4", cache_size=50) as client:
            if is_async:
                batches = asyncio.run(collect(client, 7, order=Order.NEXT))
            else:
                batches = list(client.batches(7, order=Order.NEXT))
            assert [len(batch) for batch in batches] == [7] * 7 + [1]
            assert shown(batches) == list(range(50))
            # The batches of the end stay readable, but not without end.
            again = client.batches(50)
            assert len(next(again)) == 50 and next(again, None) is None


def test_a_slow_loop_gets_the_newest_frames_each_time(rtsp: RtspServer) -> None:
    with running(rtsp.url(), cache_size=8) as client:
        last = 0
        for turn, batch in enumerate(client.batches(5)):
            assert len(batch) == 5 and batch.first_seq > last
            if turn > 0:
                assert batch.newest_age is not None and batch.newest_age < 0.5
            last = batch.last_seq
            if turn == 3:
                break
            time.sleep(0.5)


def test_an_event_loop_runs_on_while_it_waits_and_wakes_with_each_frame(
    rtsp: RtspServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # By the descriptor alone, not by looking now and then.
    monkeypatch.setattr(_doorbell, "SLICE", 10 * PATIENCE)

    async def watch(client: Client) -> None:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.01)

        ticking = asyncio.ensure_future(tick())
        loops = asyncio.gather(first(client, 25, 1, order=Order.NEXT), first(client, 5, 5))
        both = await asyncio.wait_for(loops, PATIENCE)
        ticking.cancel()
        assert shown(both[0]) == [(shown(both[0])[0] + index) % 1000 for index in range(25)]
        assert ticks > 30

    with running(rtsp.url(), cache_size=30) as client:
        client.wait(timeout=PATIENCE)
        asyncio.run(watch(client))


def test_events_are_kept_for_who_asks_for_them(clips: Path) -> None:
    with Client(clips / "short.mp4", cache_size=50, realtime="off") as client:
        client.setup()
        client.start()
        asyncio.run(collect(client, 10))
        states = [event.state for event in iter(client.next_event, None) if event.kind is EventKind.STATE_CHANGED]
        assert states[0] is State.CONNECTING and states[-1] is State.ENDED
        client.setup()
        assert asyncio.run(first_of_ready(client)) == "Stopped"
        # More than are kept: the loss is told before the rest.
        for _ in range(25):
            client.start()
            asyncio.run(collect(client, 10, after=client.stats().newest_seq))
        events = list(iter(client.next_event, None))
        assert events[0].kind is EventKind.QUEUE_OVERFLOW and events[0].value > 0
        # 64 that were kept, and what has come since in the library's own queue.
        assert events[-1].state is State.ENDED and len(events) <= 1 + 64 + 64


async def first_of_ready(client: Client) -> str:
    """The error of a loop over a stream that was not started."""
    with pytest.raises(errors.Stopped) as raised:
        await first(client, 1, 1)
    with pytest.raises(errors.Stopped):
        next(client.batches(1))
    return type(raised.value).__name__


def test_a_loop_waits_while_a_lost_stream_is_connected_again(clips: Path) -> None:
    mount = f"/video={clips / 'video.h264'},h264,25"
    with RtspServer(mount) as server, running(server.url(), reconnect_delay_min=100) as client:
        async def watch() -> None:
            generations = set()
            async for batch in client.batches(3):
                generations.add(batch.generation)
                if len(generations) == 1 and server_again == []:
                    server.stop()
                    await asyncio.sleep(0.3)
                    server_again.append(restart(server, mount))
                if len(generations) == 2:
                    return

        server_again: List[RtspServer] = []
        try:
            asyncio.run(asyncio.wait_for(watch(), PATIENCE))
        finally:
            for again in server_again:
                again.stop()


def test_what_ends_a_loop_that_waits(rtsp: RtspServer) -> None:
    never = {"after": 10**9}

    async def ended_by(action: Any, client: Client, **options: Any) -> BaseException:
        waiting = asyncio.ensure_future(first(client, 1, 1, **never, **options))
        await asyncio.sleep(0.15)
        assert not waiting.done()
        begun = time.monotonic()
        action()
        with pytest.raises(BaseException) as raised:
            assert await waiting == [], "the end of the loop"
            raise StopAsyncIteration
        assert time.monotonic() - begun < 0.5
        return raised.value

    with running(rtsp.url()) as client, CancelToken() as cancel:
        client.wait(timeout=PATIENCE)
        assert isinstance(asyncio.run(ended_by(cancel.trigger, client, cancel=cancel)), errors.Cancelled)
        assert isinstance(asyncio.run(ended_by(client.interrupt, client)), errors.Interrupted)
        client.interrupt(False)

        async def cancelled() -> None:
            waiting = asyncio.ensure_future(first(client, 1, 1, **never))
            await asyncio.sleep(0.05)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

        asyncio.run(cancelled())
        with pytest.raises(errors.Timeout):
            next(client.batches(1, timeout=0, **never))
        # Nothing of the loops is left: the descriptor is armed for nobody.
        assert client._doorbell._awaited == []
        assert isinstance(asyncio.run(ended_by(client.close, client)), errors.BadState)


def test_loops_in_many_threads_each_get_all_frames(clips: Path) -> None:
    with running(clips / "short.mp4", cache_size=50) as client:
        results: List[List[int]] = []
        workers = [
            Worker(lambda: results.append(shown(asyncio.run(collect(client, 3, order=Order.NEXT))))) for _ in range(3)
        ]
        for worker in workers:
            worker.finish()
        wait_until(lambda: client.state is State.ENDED, "the file ends")
        assert results == [list(range(50))] * 3
