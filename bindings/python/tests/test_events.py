"""What happens to a stream is told: as events, by a descriptor to poll, and to who waits for many streams at once."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import select
import selectors
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable, Iterator, List, Sequence, Set

import pytest

from live import NEVER, Worker, numbers_of, repeat, restart, run_ffmpeg, running
from mpegclient import CancelToken, Client, Event, EventKind, Order, State, Status, errors, wait_any
from support import PATIENCE, RtspServer, free_port, returns_within, wait_until

pytest_plugins = ["live_fixtures"]

#: Events that wait at most, as the header says.
MOST_EVENTS = 64

#: The states of a live stream that was lost, once it is connected again.
BACK = [State.WAITING_KEYFRAME, State.RUNNING]


@pytest.fixture
def own_server(clips: Path) -> Iterator[RtspServer]:
    """A server that a test may freeze and stop."""
    with RtspServer(mount(clips)) as server:
        yield server


def mount(clips: Path) -> str:
    """The mount of a server of a test's own."""
    return f"/video={clips / 'video.h264'},h264,25"


@pytest.fixture(scope="module")
def resize(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A transport stream of 50 pictures at 320x240, then 50 at 160x120."""
    folder = tmp_path_factory.mktemp("resize")
    for offset, name in enumerate(("large", "small")):
        # By way of MP4, because H.264 alone has no timestamps.
        run_ffmpeg("-r", 25, "-i", clips / f"{name}.h264", "-c", "copy", folder / f"{name}.mp4")
        later = ["-output_ts_offset", 2 * offset]
        run_ffmpeg("-i", folder / f"{name}.mp4", "-c", "copy", *later, folder / f"{name}.ts")
    both = f"concat:{folder / 'large.ts'}|{folder / 'small.ts'}"
    run_ffmpeg("-i", both, "-c", "copy", "-copyts", folder / "both.ts")
    return folder / "both.ts"


def take_events(client: Client) -> List[Event]:
    """All events that wait."""
    return list(iter(client.next_event, None))


def take_states(client: Client) -> List[State]:
    """The states that the events that wait tell of; each must follow from the one before."""
    changes = [event for event in take_events(client) if event.kind is EventKind.STATE_CHANGED]
    assert [change.value for change in changes[1:]] == [change.state for change in changes[:-1]]
    return [change.state for change in changes]


def of_kind(events: Sequence[Event], kind: EventKind) -> List[Event]:
    """The events of one kind."""
    return [event for event in events if event.kind is kind]


def is_readable(client: Client, timeout: float = 0) -> bool:
    """Whether a client's descriptor is readable, now or within a time."""
    return bool(select.select([client], [], [], timeout)[0])


def wait_event(client: Client) -> Event:
    """The next event, waited for at the descriptor."""
    assert is_readable(client, PATIENCE), "no event came"
    event = client.next_event()
    assert event is not None
    return event


def wait_running(client: Client) -> int:
    """Waits for a few frames and for the state that they bring; returns the newest frame's number."""
    wait_until(lambda: client.state is State.RUNNING, "frames come")
    return client.wait(3, timeout=PATIENCE)


# ---- States ----


def test_no_event_is_none() -> None:
    with Client() as client:
        assert client.next_event() is None
        client.terminate()
        client.clear()
        assert client.next_event() is None, "nothing has changed"


def test_the_states_of_a_life_are_told_in_their_order(rtsp: RtspServer) -> None:
    with Client(rtsp.url()) as client:
        begun = time.monotonic_ns()
        client.setup()
        client.start()
        wait_running(client)
        client.terminate()
        client.start()
        wait_running(client)
        client.clear()
        events = take_events(client)
    connected = [State.CONNECTING, State.READY, State.WAITING_KEYFRAME, State.RUNNING, State.STOPPED]
    again = [State.CONNECTING, State.WAITING_KEYFRAME, State.RUNNING, State.IDLE]
    assert [event.state for event in events] == connected + again
    assert [State(event.value) for event in events] == [State.IDLE, *connected, *again[:-1]]
    assert {event.kind for event in events} == {EventKind.STATE_CHANGED}, "it was stopped, not lost"
    assert [event.generation for event in events] == [0, 1, 1, 1, 1, 1, 2, 2, 2]
    assert all(event.text for event in events)
    times = [event.monotonic_ns for event in events]
    assert times == sorted(times) and begun <= times[0] and times[-1] <= time.monotonic_ns()


def test_the_end_of_a_file_is_told_each_time(clips: Path) -> None:
    """Also if it is started again as soon as it has ended."""
    with running(clips / "short.mp4", realtime="off") as client:
        for states in ([State.CONNECTING, State.READY], *[[State.CONNECTING]] * 20):
            with pytest.raises(errors.Ended):
                client.wait(NEVER, timeout=PATIENCE)
            assert take_states(client) == [*states, State.WAITING_KEYFRAME, State.RUNNING, State.ENDED]
            client.start()


def test_a_setup_in_vain_is_told(clips: Path) -> None:
    with Client(f"rtsp://127.0.0.1:{free_port()}/video") as client:
        with pytest.raises(errors.Refused):
            client.setup()
        states = take_states(client)
        assert states[0] is State.CONNECTING and states[-1] is State.IDLE
        assert not {State.READY, State.WAITING_KEYFRAME, State.RUNNING} & set(states)


def test_a_server_that_is_started_anew_is_told_as_reconnected(own_server: RtspServer, clips: Path) -> None:
    with running(own_server.url()) as client:
        last = wait_running(client)
        assert take_states(client)[-1] is State.RUNNING
        own_server.stop()
        assert wait_event(client).state is State.RECONNECTING
        assert client.next_event() is None
        with restart(own_server, mount(clips)):
            batch = client.read(1, after=last + 5, timeout=PATIENCE)
            wait_until(lambda: client.state is State.RUNNING, "the stream runs again")
            events = take_events(client)
        states = [event.state for event in of_kind(events, EventKind.STATE_CHANGED)]
        assert states == BACK
        (reconnected,) = of_kind(events, EventKind.RECONNECTED)
        assert batch.generation == reconnected.generation == 2
        assert events.index(reconnected) < len(events) - 1, "it is told before the stream runs"


# ---- Stalls ----


def test_a_silence_is_told_and_so_is_its_end(own_server: RtspServer) -> None:
    with running(own_server.url(), stall_timeout=5000) as client:
        wait_running(client)
        take_events(client)
        frozen = time.monotonic_ns()
        own_server.freeze()
        stalled = wait_event(client)
        own_server.thaw()
        assert (stalled.kind, stalled.state, stalled.value) == (EventKind.STATE_CHANGED, State.STALLED, State.RUNNING)
        # Half of the time allowed; what was on its way may still have come.
        assert 2.2e9 < stalled.monotonic_ns - frozen < 5e9
        going_on = wait_event(client)
        assert (going_on.state, going_on.value, going_on.generation) == (State.RUNNING, State.STALLED, 1)
        assert client.stats().connects == 1


def test_a_silence_that_lasts_is_a_loss(own_server: RtspServer) -> None:
    with running(own_server.url(), stall_timeout=1000) as client:
        wait_running(client)
        take_events(client)
        frozen = time.monotonic_ns()
        own_server.freeze()
        stalled, lost = wait_event(client), wait_event(client)
        assert [stalled.state, lost.state] == [State.STALLED, State.RECONNECTING], "nothing came in between"
        assert 0.8e9 < lost.monotonic_ns - frozen < 1.8e9
        own_server.thaw()
        wait_until(lambda: client.state is State.RUNNING, "the stream is back")
        events = take_events(client)
        assert of_kind(events, EventKind.RECONNECTED)[-1].generation == client.stats().connects
        # On a slow machine the first connection may be lost again before it shows a picture.
        states = [event.state for event in of_kind(events, EventKind.STATE_CHANGED)]
        assert states[-2:] == BACK


# ---- Changes of the picture ----


def test_a_file_that_changes_its_size_says_so_and_keeps_its_shape(resize: Path) -> None:
    with running(resize, realtime="off", cache_size=100) as client:
        with pytest.raises(errors.Ended):
            client.wait(NEVER, timeout=PATIENCE)
        batch = client.read(100, order=Order.NEXT)
        assert batch.frames.shape == (100, 240, 320, 3) and client.shape() == (240, 320, 3)
        assert numbers_of(batch.frames) == list(range(100))
        sizes = [(info.source_width, info.source_height) for info in batch.infos]
        assert sizes == [(320, 240)] * 50 + [(160, 120)] * 50
        (changed,) = of_kind(take_events(client), EventKind.FORMAT_CHANGED)
        assert "160x120" in changed.text and "h264" in changed.text
        assert (changed.state, changed.generation) == (State.RUNNING, 1)
        assert (client.stream_info().width, client.stream_info().height) == (160, 120)


def test_a_live_stream_that_changes_its_size_says_so_and_keeps_its_shape(rtsp: RtspServer) -> None:
    with running(rtsp.url("/resize"), cache_size=100) as client:
        shape = client.shape(timeout=PATIENCE)
        assert shape in ((240, 320, 3), (120, 160, 3))
        changes: List[Event] = []

        def has_changed_twice() -> bool:
            changes.extend(of_kind(take_events(client), EventKind.FORMAT_CHANGED))
            return len(changes) >= 2

        wait_until(has_changed_twice, "the pictures have changed to and fro")
        client.wait(client.stats().newest_seq, timeout=PATIENCE)
        batch = client.read(100, timeout=0)
        assert batch.frames.shape[1:] == shape == client.shape()
        numbers_of(batch.frames)
        assert {info.source_width for info in batch.infos} == {320, 160}
        assert {event.text.split()[0] for event in changes} == {"320x240", "160x120"}
        assert client.stats().connects == 1 and {event.generation for event in changes} == {1}


# ---- Too many events ----


def test_events_that_nobody_takes_are_lost_and_counted(clips: Path) -> None:
    rounds = 30
    with Client(clips / "short.mp4") as client:
        for _ in range(rounds):
            client.setup()
            client.clear()
        overflow, *kept = take_events(client)
        assert (overflow.kind, overflow.value) == (EventKind.QUEUE_OVERFLOW, 3 * rounds - MOST_EVENTS)
        assert len(kept) == MOST_EVENTS and {event.kind for event in kept} == {EventKind.STATE_CHANGED}
        # The newest are kept, without a gap.
        assert kept[-1].state is State.IDLE
        assert [event.value for event in kept[1:]] == [event.state for event in kept[:-1]]
        client.setup()
        assert take_states(client) == [State.CONNECTING, State.READY], "the loss is told once"


# ---- The descriptor ----


def test_the_descriptor_is_readable_exactly_while_an_event_waits(clips: Path) -> None:
    with Client(clips / "short.mp4") as client:
        descriptor = client.fileno()
        assert not is_readable(client)
        client.setup()
        for _ in range(2):
            assert is_readable(client)
            assert client.next_event() is not None
        assert not is_readable(client)
        client.clear()
        assert is_readable(client)
        assert client.next_event() is not None and client.next_event() is None
        assert not is_readable(client)
        assert client.fileno() == descriptor and not os.get_inheritable(descriptor)
    with pytest.raises(errors.BadState):
        client.fileno()


def test_a_descriptor_asked_for_late_tells_of_what_waits_already(clips: Path) -> None:
    with running(clips / "short.mp4") as client:
        newest = client.wait(3, timeout=PATIENCE)
        client.arm(newest - 1)
        assert is_readable(client)
        take_events(client)
        assert is_readable(client)
        client.arm(None)
        assert not is_readable(client)


def test_the_descriptor_is_readable_while_a_frame_is_newer_than_armed(rtsp: RtspServer) -> None:
    with running(rtsp.url()) as client:
        wait_running(client)
        take_events(client)
        for _ in range(20):
            assert not is_readable(client, 0.01), "not armed yet"
        client.terminate()
        take_events(client)
        # Now that no frame comes, what is newest stays so.
        newest = client.stats().newest_seq
        for after, expected in [(newest, False), (newest - 1, True), (newest + 1, False), (0, True), (None, False)]:
            client.arm(after)
            assert is_readable(client) is expected, f"armed with {after}, newest is {newest}"


def test_the_descriptor_of_a_running_stream_tells_the_truth(rtsp: RtspServer) -> None:
    with running(rtsp.url()) as client:
        armed = wait_running(client)
        take_events(client)
        client.arm(armed)
        checked: Set[bool] = set()
        end = time.monotonic() + 2
        while time.monotonic() < end:
            before = client.stats().newest_seq
            # A frame that is there already must be told, at the latest when its writer gets to run again.
            readable = is_readable(client, 1 if before > armed else 0)
            assert readable or before <= armed, "a frame is not told"
            assert not readable or client.stats().newest_seq > armed, "told without a frame"
            checked.add(readable)
            if readable:
                armed = client.stats().newest_seq + 1
                client.arm(armed)
        assert checked == {False, True} and not take_events(client)


def read_new(client: Client, after: int) -> int:
    """Takes what a readable descriptor tells of; returns the newest frame's number, which it is armed with."""
    take_events(client)
    newest = client.stats().newest_seq
    if newest > after:
        assert client.read(1, after=after, timeout=0).last_seq > after
    client.arm(newest)
    return newest


def test_many_clients_in_one_selector(rtsp: RtspServer, clips: Path) -> None:
    paths = ["/video", "/intra", "/h265"]
    with running(rtsp.url(paths[0])) as a, running(rtsp.url(paths[1])) as b, running(rtsp.url(paths[2])) as c:
        with selectors.DefaultSelector() as selector:
            newest = {client: 0 for client in (a, b, c)}
            for client in newest:
                client.arm(0)
                selector.register(client, selectors.EVENT_READ)
            wake_ups = 0
            end = time.monotonic() + PATIENCE
            while min(newest.values()) < 25:
                assert time.monotonic() < end, f"frames by stream: {newest.values()}"
                for key, _ in selector.select(timeout=1):
                    wake_ups += 1
                    client = key.fileobj  # type: ignore[assignment]
                    newest[client] = read_new(client, newest[client])
        # It sleeps until there is something: a descriptor that stays readable would wake it without end.
        assert wake_ups <= sum(newest.values()) + 30


def test_asyncio_is_told_of_frames_and_of_the_end(clips: Path) -> None:
    async def watch(client: Client) -> List[int]:
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()
        shown: List[int] = []

        def on_readable() -> None:
            try:
                events = take_events(client)
                if client.stats().newest_seq > len(shown):
                    batch = client.read(50, order=Order.NEXT, after=len(shown), timeout=0)
                    shown.extend(numbers_of(batch.frames))
                client.arm(len(shown))
                if any(event.state is State.ENDED for event in events) and not ended.done():
                    ended.set_result(None)
            except BaseException as failure:
                ended.set_exception(failure)

        client.arm(0)
        loop.add_reader(client, on_readable)
        client.start()
        await asyncio.wait_for(ended, PATIENCE)
        loop.remove_reader(client)
        return shown

    with Client(clips / "short.mp4", cache_size=50) as client:
        client.setup()
        assert asyncio.run(watch(client)) == list(range(50))


def test_events_taken_on_many_threads_come_once_each(clips: Path) -> None:
    taken: List[Event] = []

    def take() -> None:
        taken.extend(take_events(client))

    with Client(clips / "short.mp4") as client:
        client.fileno()
        done = threading.Event()
        workers = [repeat(take, done) for _ in range(3)]
        for _ in range(40):
            client.setup()
            client.clear()
        done.set()
        for worker in workers:
            worker.finish()
        take()
        assert len(taken) == 120 and not of_kind(taken, EventKind.QUEUE_OVERFLOW)
        assert not is_readable(client)


# ---- Many streams at once ----


def test_wait_any_tells_the_stream_with_the_new_frame(own_server: RtspServer, rtsp: RtspServer) -> None:
    with running(own_server.url(), stall_timeout=60_000) as silent, running(rtsp.url()) as live:
        for client in (silent, live):
            client.wait(timeout=PATIENCE)
        own_server.freeze()
        time.sleep(0.3)
        after = [client.stats().newest_seq for client in (silent, live)]
        for _ in range(10):
            assert wait_any([silent, live], after, timeout=PATIENCE) == 1
            assert live.stats().newest_seq > after[1]
            after[1] = live.stats().newest_seq
        assert wait_any([silent, live], [0, 0], timeout=0) == 0, "the one that was not returned before"
        assert wait_any([silent, live], [NEVER, 0], timeout=0) == 1
        assert wait_any([live, silent], [NEVER, 0], timeout=0) == 1
        own_server.thaw()
        assert wait_any([live, silent], [NEVER, after[0]], timeout=PATIENCE) == 1


def test_wait_any_over_many_streams_leaves_none_out(rtsp: RtspServer) -> None:
    with running(rtsp.url()) as a, running(rtsp.url("/intra")) as b, running(rtsp.url("/h265")) as c:
        clients, after = [a, b, c], [0, 0, 0]
        end = time.monotonic() + PATIENCE
        while min(after) < 15:
            assert time.monotonic() < end, f"frames by stream: {after}"
            index = wait_any(clients, after, timeout=PATIENCE)
            newest = clients[index].stats().newest_seq
            assert newest > after[index]
            after[index] = newest


@pytest.mark.parametrize("count", [2, 3])
def test_a_slow_caller_gets_all_streams_in_turn(rtsp: RtspServer, count: int) -> None:
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(running(rtsp.url())) for _ in range(count)]
        after = [client.wait(timeout=PATIENCE) for client in clients]
        returned = [0] * count
        for _ in range(10 * count):
            # The work on one frame, while new ones come from all streams.
            for client, seq in zip(clients, after):
                client.wait(seq, timeout=PATIENCE)
            index = wait_any(clients, after, timeout=PATIENCE)
            after[index] = clients[index].stats().newest_seq
            returned[index] += 1
        assert returned == [10] * count


def test_streams_that_always_have_a_frame_are_returned_in_turn_on_any_thread(clips: Path) -> None:
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(running(clips / "short.mp4", realtime="off")) for _ in range(16)]
        for client in clients:
            with pytest.raises(errors.Ended):
                client.wait(NEVER, timeout=PATIENCE)
        with ThreadPoolExecutor(3) as threads:
            # Overlapping sets; one caller each, whose calls come on this thread or that.
            for size in (2, 3, 16):
                turns = [threads.submit(wait_any, clients[:size], [0] * size).result() for _ in range(4 * size)]
                assert [turns.count(index) for index in range(size)] == [4] * size, turns


def test_wait_any_ends_in_its_time(rtsp: RtspServer) -> None:
    with running(rtsp.url()) as a, running(rtsp.url("/intra")) as b:
        begun = time.monotonic()
        with pytest.raises(errors.Timeout):
            wait_any([a, b], [NEVER, NEVER], timeout=0.5)
        assert 0.45 < time.monotonic() - begun < 2
        with pytest.raises(errors.Timeout):
            returns_within(0.5, lambda: wait_any([a, b], [NEVER, NEVER], timeout=0))


def end_by_token(token: CancelToken, _client: Client) -> None:
    token.trigger()


def end_by_interrupt(_token: CancelToken, client: Client) -> None:
    client.interrupt()


ENDS = [(end_by_token, errors.Cancelled), (end_by_interrupt, errors.Interrupted)]


@pytest.mark.parametrize(("end", "error"), ENDS, ids=["token", "interrupt"])
def test_wait_any_ends_when_another_thread_says_so(rtsp: RtspServer, end: Callable[..., None], error: Any) -> None:
    ended: List[float] = []

    def wait(clients: List[Client], token: CancelToken) -> None:
        with pytest.raises(error):
            wait_any(clients, [NEVER] * len(clients), cancel=token)
        ended.append(time.monotonic())

    with running(rtsp.url()) as a, running(rtsp.url("/intra")) as b, CancelToken() as token:
        worker = Worker(lambda: wait([a, b], token))
        time.sleep(0.3)
        assert worker.is_alive()
        told = time.monotonic()
        end(token, b)
        worker.finish()
        assert ended[0] - told < 1


def test_wait_any_says_when_none_is_living(rtsp: RtspServer, clips: Path) -> None:
    with running(rtsp.url()) as stopped, running(clips / "short.mp4", realtime="off") as ended, Client() as idle:
        with pytest.raises(errors.Ended):
            ended.wait(NEVER, timeout=PATIENCE)
        newest = stopped.wait(timeout=PATIENCE)
        # One of them lives, and so may give a frame.
        with pytest.raises(errors.Timeout):
            wait_any([ended, idle, stopped], [NEVER] * 3, timeout=0.1)
        stopped.terminate()
        # As the first one is.
        for clients, error in [
            ([ended, stopped, idle], errors.Ended),
            ([stopped, idle, ended], errors.Stopped),
            ([idle, ended, stopped], errors.BadState),
        ]:
            with pytest.raises(error) as raised:
                returns_within(1, functools.partial(wait_any, clients, [NEVER] * 3, timeout=PATIENCE))
            assert type(raised.value) is error
        assert wait_any([ended, stopped], [NEVER, newest - 1], timeout=0) == 1, "its last frames count"


def test_wait_any_says_when_a_stream_stops_while_it_waits(rtsp: RtspServer) -> None:
    with running(rtsp.url()) as client:
        client.wait(timeout=PATIENCE)
        worker = Worker(lambda: pytest.raises(errors.Stopped, wait_any, [client], [NEVER]) and None)
        time.sleep(0.3)
        client.terminate()
        worker.finish()


def test_wait_any_wants_a_number_for_each_of_its_clients() -> None:
    with Client() as client:
        for clients, after in [([], []), ([client], []), ([client], [0, 0])]:
            with pytest.raises(errors.InvalidArgument):
                wait_any(clients, after)
        with pytest.raises(errors.BadState) as raised:
            wait_any([client, client], [0, 0], timeout=0)
        assert raised.value.status == Status.BAD_STATE
