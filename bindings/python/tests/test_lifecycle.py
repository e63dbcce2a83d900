"""From setup to clear and round again: what is shown is the present, and every call comes back."""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path
from typing import Any, Callable, Iterator, List

import pytest

from live import CLIP_LENGTH, NEVER, RATE, STOP_LIMIT, Nginx, Worker, fastest, mute_server, number_of, numbers_of
from live import repeat, running, steps
from mpegclient import CancelToken, Client, Order, State, errors
from support import PATIENCE, RtspServer, free_port, returns_within, wait_until

pytest_plugins = ["live_fixtures"]

#: Seconds that a frame of a stream on this machine may be old: more than it ever takes, less than any pause here.
FRESH = 1.0

#: Seconds of a pause in which a client that stored or queued frames would fall behind.
PAUSE = 2.5


def age_of(client: Client) -> float:
    """Seconds since the newest frame's packet arrived."""
    age = client.read(1, timeout=0).newest_age
    assert age is not None
    return age


def check_no_burst(client: Client, after: int, begun: float) -> None:
    """Watches a client for a second: what it has published since ``begun`` is what the time allows."""
    published: List[int] = []
    newest = after
    while len(published) < RATE:
        batch = client.read(5, order=Order.NEXT, after=newest, timeout=PATIENCE)
        newest = batch.last_seq
        published += [info.published_monotonic_ns or 0 for info in batch.infos]
    allowed = (time.monotonic() - begun) * RATE + 10
    assert client.stats().newest_seq - after <= allowed, "more frames than the time since the start allows"
    # A burst of what was stored would come as fast as it can be decoded.
    assert fastest(20, published) > 0.3


@pytest.fixture
def long_gop(clips: Path) -> Iterator[RtspServer]:
    """A server of the test's own, whose stream begins with its first client and has its only key frame there."""
    with RtspServer(f"/long={clips / 'long.h264'},h264,25") as server:
        yield server


# ---- Pauses ----


def test_a_pause_between_setup_and_start_shows_the_present_at_once(long_gop: RtspServer) -> None:
    with Client(long_gop.url("/long"), cache_size=25) as client:
        client.setup()
        set_up = time.monotonic()
        time.sleep(PAUSE)
        begun = time.monotonic()
        client.start()
        batch = client.read(1, timeout=PATIENCE)
        # The next key frame is half a minute away: only what was kept since the last one makes this possible.
        assert time.monotonic() - begun < 3
        assert batch.newest_age is not None and batch.newest_age < FRESH
        # The stream began with this client, so that its clock tells which picture is the present one.
        present = (time.monotonic() - set_up) * RATE
        assert number_of(batch.frames[-1]) == pytest.approx(present, abs=FRESH * RATE)
        assert client.stats().dropped_at_start > PAUSE * RATE * 0.8
        check_no_burst(client, 0, begun)
        assert steps(numbers_of(client.read_latest(12))) == [1] * 11


def test_a_pause_before_start_at_a_lower_rate_brings_no_burst_either(long_gop: RtspServer) -> None:
    with Client(long_gop.url("/long"), frame_rate=(5, 1), cache_size=12) as client:
        client.setup()
        time.sleep(PAUSE)
        client.start()
        batch = client.read(5, timeout=PATIENCE)
        assert steps(numbers_of(batch.frames)) == [5] * 4
        assert batch.newest_age is not None and batch.newest_age < FRESH


def test_a_stream_started_again_later_shows_the_present(rtsp: RtspServer) -> None:
    with running(rtsp.url(), cache_size=25) as client:
        client.wait(12, timeout=PATIENCE)
        client.terminate()
        last = client.read(12)
        time.sleep(PAUSE)
        assert client.read(12, timeout=0).last_seq == last.last_seq, "a frame while it was stopped"
        assert age_of(client) > PAUSE * 0.9
        with pytest.raises(errors.Stopped):
            client.read(1, after=last.last_seq)
        begun = time.monotonic()
        client.start()
        batch = client.read(1, after=last.last_seq, timeout=PATIENCE)
        assert batch.generation == 2 and batch.first_seq > last.last_seq
        assert batch.newest_age is not None and batch.newest_age < FRESH
        missed = steps([number_of(last.frames[-1]), number_of(batch.frames[0])])[0]
        assert missed > PAUSE * RATE * 0.8, "the picture after the pause is one of before"
        check_no_burst(client, last.last_seq, begun)
        assert client.state is State.RUNNING


def start_at_once(client: Client) -> None:
    client.setup()
    client.start()


def start_in_the_background(client: Client) -> None:
    client.setup(timeout=0)
    client.start()


def start_again(client: Client) -> None:
    client.setup()
    client.start()
    client.wait(timeout=PATIENCE)
    client.terminate()
    client.start()


@pytest.mark.parametrize("start", [start_at_once, start_in_the_background, start_again])
def test_what_was_read_to_find_out_about_a_stream_is_not_shown_in_a_burst(
    web: Nginx, start: Callable[[Client], None]
) -> None:
    # Of RTMP a second has to be read before it is known what it holds. That second is the past then.
    with running(web.rtmp) as watcher, Client(web.rtmp, cache_size=100) as client:
        watcher.wait(timeout=PATIENCE)
        begun = time.monotonic()
        start(client)
        last = client.stats().newest_seq
        batch = client.read(1, after=last, order=Order.NEXT, timeout=PATIENCE)
        behind = steps([number_of(batch.frames[0]), number_of(watcher.read_latest(1)[0])])[0]
        # Half a second of a loaded machine, and no more.
        assert min(behind, CLIP_LENGTH - behind) < RATE / 2, "the first picture is one of the past"
        check_no_burst(client, last, begun)


def test_a_file_goes_on_where_it_was_stopped(clips: Path) -> None:
    with running(clips / "video.mp4", cache_size=25) as client:
        client.wait(12, timeout=PATIENCE)
        for _ in range(2):
            client.terminate()
            last = client.read(1)
            time.sleep(1)
            assert client.read(1).last_seq == last.last_seq
            begun = time.monotonic()
            client.start()
            batch = client.read(12, order=Order.NEXT, after=last.last_seq, timeout=PATIENCE)
            assert batch.first_seq == last.last_seq + 1
            first = number_of(last.frames[0]) + 1
            assert numbers_of(batch.frames) == list(range(first, first + 12))
            check_no_burst(client, last.last_seq, begun)
        assert client.stats().connects == 1


def test_a_file_that_has_ended_begins_anew(clips: Path) -> None:
    with running(clips / "short.mp4", cache_size=50, realtime="off") as client:
        for round_number in (1, 2):
            with pytest.raises(errors.Ended):
                client.wait(NEVER, timeout=PATIENCE)
            batch = client.read(50)
            assert numbers_of(batch.frames) == list(range(50))
            assert (batch.last_seq, batch.generation) == (50 * round_number, round_number)
            client.start()


# ---- Clear and setup ----


def test_clear_keeps_the_address_and_the_parameters(rtsp: RtspServer) -> None:
    with running(rtsp.url("/intra"), width=160, height=120) as client:
        client.wait(timeout=PATIENCE)
        client.clear()
        assert client.state is State.IDLE
        for ask in (client.read, client.wait, client.shape, client.start, client.stream_info):
            with pytest.raises(errors.BadState):
                ask()
        assert client.parameters["url"] == rtsp.url("/intra")
        client.setup()
        client.start()
        assert client.read_latest(1, timeout=PATIENCE).shape == (1, 120, 160, 3)


def test_an_address_given_to_setup_becomes_the_one_that_is_kept(rtsp: RtspServer) -> None:
    with Client("rtsp://127.0.0.1:1/other") as client:
        client.setup(rtsp.url("/intra"))
        client.clear()
        client.setup()
        assert client.state is State.READY


def test_a_changed_parameter_counts_at_the_next_setup(rtsp: RtspServer) -> None:
    with running(rtsp.url("/intra"), width=320, height=240, cache_size=4) as client:
        client.wait(timeout=PATIENCE)
        client.parameters.update(width=160, height=120, cache_size=6, pixel_format="gray8")
        assert client.shape() == (240, 320, 3)
        with pytest.raises(errors.InvalidArgument):
            client.read(6, timeout=0)
        client.terminate()
        client.start()
        assert client.shape() == (240, 320, 3), "a parameter that counted at start"
        client.setup()
        client.start()
        batch = client.read(6, timeout=PATIENCE)
        assert batch.frames.shape == (6, 120, 160, 1)
        assert steps(numbers_of(batch.frames), 250) == [1] * 5
        client.parameters["read_size"] = 3
        assert len(client.read(timeout=PATIENCE)) == 3, "read_size counts at once"


def test_setup_of_a_client_that_runs_starts_over(rtsp: RtspServer, clips: Path) -> None:
    with running(rtsp.url("/intra"), cache_size=12) as client:
        last = client.wait(12, timeout=PATIENCE)
        client.setup(clips / "video.mp4")
        assert client.state is State.READY and not client.stream_info().is_live
        with pytest.raises(errors.Stopped):
            client.read(1, timeout=0)
        client.start()
        batch = client.read(1, order=Order.NEXT, timeout=PATIENCE)
        assert batch.first_seq > last and batch.generation == 2 and number_of(batch.frames[0]) == 0


def test_a_setup_that_fails_leaves_nothing_of_the_stream_before(rtsp: RtspServer) -> None:
    with running(rtsp.url("/intra")) as client:
        client.wait(timeout=PATIENCE)
        with pytest.raises(errors.Refused):
            client.setup(f"rtsp://127.0.0.1:{free_port()}/video")
        assert client.state is State.IDLE
        with pytest.raises(errors.BadState):
            client.read(1)
        packets = client.stats().packets
        time.sleep(0.3)
        assert client.stats().packets == packets
        client.setup(rtsp.url("/intra"))
        client.start()
        assert client.read(1, timeout=PATIENCE).generation == 2


def test_numbers_never_go_back_and_generations_grow(rtsp: RtspServer, clips: Path) -> None:
    def stop_and_start(client: Client) -> None:
        client.terminate()
        client.start()

    def clear_and_setup(client: Client) -> None:
        client.clear()
        client.setup()
        client.start()

    def setup_again(client: Client) -> None:
        client.setup(rtsp.url("/intra"))
        client.start()

    def setup_in_the_background(client: Client) -> None:
        client.setup(timeout=0)
        client.start()

    def another_source(client: Client) -> None:
        client.setup(clips / "video.mp4")
        client.start()

    last_seq, last_generation = 0, 0
    with running(rtsp.url("/intra"), cache_size=12) as client:
        changes = [stop_and_start, clear_and_setup, setup_again, setup_in_the_background, another_source]
        for change in changes:
            batch = client.read(5, after=last_seq, timeout=PATIENCE)
            assert batch.first_seq > last_seq and batch.generation == last_generation + 1
            assert [info.generation for info in batch.infos] == [batch.generation] * 5
            last_seq, last_generation = client.stats().newest_seq, batch.generation
            change(client)
            assert client.stats().newest_seq >= last_seq, "numbers that begin anew"
        assert client.read(1, after=last_seq, timeout=PATIENCE).generation == last_generation + 1
        assert client.stats().connects == last_generation + 1


# ---- Many at once ----


def test_several_clients_at_once(rtsp: RtspServer) -> None:
    def watch() -> None:
        with running(rtsp.url("/intra"), cache_size=12) as client:
            after = 0
            for _ in range(5):
                batch = client.read(5, after=after, timeout=PATIENCE)
                assert batch.first_seq > after
                assert steps(numbers_of(batch.frames), 250) == [1] * 4
                after = batch.last_seq
            returns_within(STOP_LIMIT, client.clear)

    workers = [Worker(watch) for _ in range(6)]
    for worker in workers:
        worker.finish()


def test_two_readers_of_one_client_at_once(rtsp: RtspServer) -> None:
    with running(rtsp.url("/intra"), cache_size=25) as client:
        client.wait(timeout=PATIENCE)
        newest, in_order = [0], [client.read(1).last_seq]

        def read_newest() -> None:
            batch = client.read(3, timeout=PATIENCE)
            assert batch.last_seq >= newest[-1]
            assert steps(numbers_of(batch.frames), 250) == [1] * (len(batch) - 1)
            newest.append(batch.last_seq)

        def read_in_order() -> None:
            batch = client.read(4, order=Order.NEXT, after=in_order[-1], timeout=PATIENCE)
            assert batch.first_seq == in_order[-1] + 1
            in_order.append(batch.last_seq)

        done = threading.Event()
        workers = [repeat(call, done) for call in (read_newest, read_newest, read_in_order)]
        time.sleep(2)
        done.set()
        for worker in workers:
            worker.finish()
        assert len(newest) > 10 and len(in_order) > 3


# ---- Counts ----


def test_every_count_from_one_to_all_that_are_kept(rtsp: RtspServer) -> None:
    with running(rtsp.url("/intra"), cache_size=9) as client:
        client.wait(9, timeout=PATIENCE)
        for count in range(1, 10):
            batch = client.read(count, timeout=0)
            assert len(batch) == count
            assert steps(numbers_of(batch.frames), 250) == [1] * (count - 1)


def test_more_frames_than_are_kept_are_a_clear_error(rtsp: RtspServer) -> None:
    with Client(rtsp.url("/intra"), read_size=5, cache_size=4) as client:
        with pytest.raises(errors.InvalidArgument, match="read_size is 5.*cache_size, which is 4"):
            client.setup()
        assert client.state is State.IDLE
        client.parameters["cache_size"] = 5
        client.setup()
        client.start()
        assert len(client.read(timeout=PATIENCE)) == 5
        client.parameters["read_size"] = 6
        for count in (None, 6):
            with pytest.raises(ValueError, match="6.*cache_size, which is 5"):
                client.read(count)


# ---- The ends of waiting ----


def end_of(call: Callable[[], Any], end: Callable[[], Any]) -> BaseException:
    """Lets a call wait in a thread, ends it, and returns what it raised, which must come at once."""
    worker = Worker(call)
    worker.join(0.5)
    assert worker.is_alive(), "the call did not wait"
    end()
    returns_within(STOP_LIMIT, worker.join)
    assert worker.failure is not None
    return worker.failure


@contextlib.contextmanager
def started_in_vain(port: int) -> Iterator[Client]:
    """A client that was started but never gets a frame."""
    with Client(f"rtsp://127.0.0.1:{port}/video") as client:
        client.setup(timeout=0)
        client.start()
        yield client


WAITS = {
    "read": lambda client, cancel: client.read(1, timeout=PATIENCE, cancel=cancel),
    "wait": lambda client, cancel: client.wait(timeout=PATIENCE, cancel=cancel),
    "shape": lambda client, cancel: client.shape(timeout=PATIENCE, cancel=cancel),
}


@pytest.mark.parametrize("name", WAITS)
def test_a_wait_ends_when_it_is_told_to(name: str) -> None:
    with mute_server() as port, started_in_vain(port) as client, CancelToken() as cancel:

        def wait() -> None:
            WAITS[name](client, cancel)

        assert isinstance(end_of(wait, client.interrupt), errors.Interrupted)
        with pytest.raises(errors.Interrupted):
            wait()
        client.interrupt(False)
        assert isinstance(end_of(wait, cancel.trigger), errors.Cancelled)
        with pytest.raises(errors.Cancelled):
            wait()
        cancel.reset()
        assert isinstance(end_of(wait, client.terminate), errors.Stopped)
        client.start()
        assert isinstance(end_of(wait, client.clear), (errors.Stopped, errors.BadState))


def test_interrupt_leaves_a_stream_alone(rtsp: RtspServer) -> None:
    with running(rtsp.url("/intra")) as client:
        newest = client.wait(timeout=PATIENCE)
        client.interrupt()
        time.sleep(0.5)
        client.interrupt(False)
        assert client.state is State.RUNNING and client.wait(newest + 5, timeout=PATIENCE)
        assert client.stats().connects == 1
        client.interrupt()
        for stop in (client.terminate, client.clear):
            returns_within(STOP_LIMIT, stop)


def test_a_setup_that_hangs_ends_when_it_is_told_to() -> None:
    with mute_server() as port, Client(f"rtsp://127.0.0.1:{port}/video") as client, CancelToken() as cancel:

        def setup() -> None:
            client.setup(timeout=PATIENCE, cancel=cancel)

        assert isinstance(end_of(setup, client.interrupt), errors.Interrupted)
        assert client.state is State.IDLE
        client.interrupt(False)
        assert isinstance(end_of(setup, cancel.trigger), errors.Cancelled)
        assert client.state is State.IDLE
        cancel.reset()
        for stop in (client.terminate, client.clear):
            assert isinstance(end_of(setup, lambda: returns_within(STOP_LIMIT, stop)), errors.Stopped)
            assert client.state is State.IDLE


# ---- Connecting in the background ----


def test_setup_in_the_background_returns_at_once(rtsp: RtspServer) -> None:
    with Client(rtsp.url("/intra")) as client:
        returns_within(STOP_LIMIT, lambda: client.setup(timeout=0))
        assert client.state in (State.CONNECTING, State.READY)
        wait_until(lambda: client.state is State.READY, "the client is connected")
        client.start()
        assert client.read_latest(1, timeout=PATIENCE).shape == (1, 240, 320, 3)


def test_setup_in_the_background_waits_for_a_server_that_comes_later(clips: Path) -> None:
    port = free_port()
    with Client(f"rtsp://127.0.0.1:{port}/intra", reconnect_delay_max=1000) as client:
        client.setup(timeout=0)
        client.start()
        with pytest.raises(errors.Timeout, match="(?i)refused"):
            client.read(1, timeout=1)
        assert client.state is State.CONNECTING
        failure = client.last_failure()
        assert failure is not None and failure.status.name == "REFUSED" and failure.retryable
        with RtspServer("--port", str(port), f"/intra={clips / 'intra.h264'},h264,25"):
            batch = client.read(5, timeout=PATIENCE)
            assert steps(numbers_of(batch.frames), 250) == [1] * 4 and batch.generation == 1
            assert client.stats().connect_attempts > 1
            returns_within(STOP_LIMIT, client.clear)
