"""The client on a real RTSP stream."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, List

import numpy as np
import numpy.typing as npt
import pytest

from mpegclient import CancelToken, Client, LogLevel, Order, PixelFormat, State, errors, log, log_to
from mpegclient import set_log_callback, set_log_level
from support import PATIENCE, RtspServer, returns_within, run_python, wait_until

#: More frames than a test ever waits for.
NEVER = 10**9


def numbers(frames: npt.NDArray[np.uint8], pictures: npt.NDArray[np.uint8]) -> List[int]:
    """Which picture of the clip each frame shows; fails if one shows none of them."""
    small = pictures[:, ::4, ::4].astype(np.int16)
    found = []
    for frame in frames:
        differences = np.abs(small - frame[::4, ::4]).mean(axis=(1, 2, 3))
        # The same decoded picture through another conversion of colours, against a picture that moved on.
        assert differences.min() < 4, "a frame that the clip does not hold"
        found.append(int(differences.argmin()))
    return found


# ---- Life cycle ----


def test_a_stream_from_setup_to_close(server: RtspServer) -> None:
    client = Client(server.url(), width=480, height=360)
    assert client.state is State.IDLE
    with pytest.raises(errors.BadState):
        client.start()
    client.setup()
    assert client.state is State.READY
    with pytest.raises(errors.Stopped):
        client.read(timeout=0)
    client.start()
    client.start()
    frames = client.read_latest(3)
    assert frames.shape == (3, 360, 480, 3) and frames.dtype == np.uint8
    assert frames.flags.owndata and frames.flags.writeable and frames.flags.c_contiguous
    assert client.state is State.RUNNING
    client.terminate()
    assert client.state is State.STOPPED
    last = client.read(3)
    assert client.read(3, timeout=0).first_seq == last.first_seq
    with pytest.raises(errors.Stopped):
        client.wait(last.last_seq)
    client.start()
    again = client.read(1, after=last.last_seq, timeout=PATIENCE)
    assert again.first_seq > last.last_seq and again.generation > last.generation
    client.clear()
    assert client.state is State.IDLE
    assert client.parameters["url"] == server.url()
    client.setup()
    client.close()
    client.close()
    assert "closed" in str(client) and "closed" in repr(client)
    for call in (client.start, client.read, client.stats, lambda: client.state, client.setup, client.shape):
        with pytest.raises(errors.BadState, match="closed"):
            call()


def test_setup_may_connect_in_the_background(server: RtspServer) -> None:
    with Client() as client:
        client.setup(server.url(), timeout=0)
        client.start()
        assert client.read(1, order=Order.NEXT, timeout=PATIENCE).first_seq == 1


def test_an_address_may_be_a_path(media: Path) -> None:
    with Client(realtime="off") as client:
        client.setup(media / "short.mp4")
        client.start()
        with pytest.raises(errors.Ended):
            client.wait(NEVER, timeout=PATIENCE)
        assert client.state is State.ENDED
        assert client.stats().published == 25
        assert len(client.read(5, timeout=0)) == 5
        assert client.stream_info().duration_ns == pytest.approx(1e9, rel=0.1)
        assert not client.stream_info().is_live


NAMES = [b"2024-01-01T12:00:00.mp4", b"http:x.mp4", b"concat:x.mp4", b"data:z.mp4", b"pipe:.mp4", b"caf\xe9.mp4",
         b"http:caf\xe9.mp4", b"file:y.mp4", b"user:word@host.mp4"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_path_is_never_an_address(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: bytes
) -> None:
    (tmp_path / os.fsdecode(name)).write_bytes((media / "short.mp4").read_bytes())
    monkeypatch.chdir(tmp_path)
    absolute = os.fsencode(tmp_path) + b"/" + name
    for path in (Path(os.fsdecode(name)), tmp_path / os.fsdecode(name), absolute, os.fsdecode(absolute), b"./" + name):
        with Client(path) as client:
            client.setup()
            assert client.stream_info().width == 320
            assert "\udce9" not in client.describe() + client.parameters["url"]


def test_the_error_for_an_address_that_may_be_a_file_says_how_to_write_it(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("2024-01-01T12:00:00.mp4", "http:x.mp4", "concat:x"):
        (tmp_path / name).write_bytes((media / "short.mp4").read_bytes())
        with Client(name) as client, pytest.raises(errors.ConnectError, match=f" \\./{name}"):
            client.setup()


def test_threads_that_read_when_the_program_ends_end_without_a_word(server: RtspServer) -> None:
    program = """
import sys, threading, time
from mpegclient import Client
client = Client(sys.argv[1])
client.setup()
client.start()
client.read()
def read():
    while True:
        client.read_latest(timeout=60)
def wait():
    while True:
        client.wait(10**9, timeout=60)
for target in (read, read, wait, wait):
    threading.Thread(target=target, daemon=True).start()
time.sleep(0.1)
"""
    for _ in range(5):
        result = run_python(["-c", program, server.url()])
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_a_client_is_freed_with_its_last_reference(server: RtspServer) -> None:
    client = Client(server.url())
    client.setup()
    handle = client._handle
    del client
    assert handle.is_closed


@pytest.mark.parametrize("make", [Client, CancelToken])
def test_pickling_and_copying_are_refused_with_the_reason(make: Any) -> None:
    with make() as thing:
        for refuse in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="cannot be pickled"):
                refuse(thing)


def test_a_loop_over_batches_cannot_be_pickled_either() -> None:
    with Client() as client, pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(client.batches(1))


# ---- Frames ----


def test_frames_come_at_the_rate_asked_for_and_are_the_newest(server: RtspServer) -> None:
    with Client(server.url(), frame_rate=(5, 1), read_size=5, cache_size=12) as client:
        client.setup()
        client.start()
        batch = client.read(timeout=PATIENCE)
        assert len(batch) == 5
        ages = []
        for _ in range(10):
            last_seq = batch.last_seq
            client.wait(last_seq, timeout=PATIENCE)
            batch = client.read()
            assert batch.last_seq > last_seq, "an extraction did not move forward"
            pts = [info.pts_ns for info in batch.infos]
            assert np.diff(np.array(pts, np.int64)) == pytest.approx(200e6, abs=1e6)
            assert batch.newest_age is not None
            ages.append(batch.newest_age)
        # A frame is replaced after 200 ms; a machine under load may hold one of these reads up, but not most of them.
        assert sorted(ages)[len(ages) // 2] < 0.3


@pytest.mark.parametrize("n", [1, 5, 12])
def test_frames_are_the_pictures_of_the_stream_in_order(
    running: Client, pictures: npt.NDArray[np.uint8], n: int
) -> None:
    running.wait(12, timeout=PATIENCE)
    batch = running.read(n)
    assert batch.frames.shape == (n, 240, 320, 3)
    shown = numbers(batch.frames, pictures)
    assert shown == [(shown[0] + index) % len(pictures) for index in range(n)]
    assert [info.seq for info in batch.infos] == list(range(batch.first_seq, batch.last_seq + 1))
    for number, info in zip(shown, batch.infos):
        assert info.key == (number % 25 == 0)
        assert (info.source_width, info.source_height, info.generation) == (320, 240, 1)
        assert not (info.corrupt or info.gap_before or info.repeated)


def test_more_frames_than_are_kept_are_an_error(running: Client) -> None:
    for n in (13, 2**32 - 1):
        with pytest.raises(errors.InvalidArgument, match="cache_size, which is 12"):
            running.read(n)
    with pytest.raises(errors.InvalidArgument):
        running.read(0)


def test_fewer_frames_come_as_fewer_and_none_as_a_timeout(running: Client) -> None:
    newest = running.wait(timeout=PATIENCE)
    batch = running.read(12, after=newest, timeout=0.2)
    assert 1 <= len(batch) < 12
    assert len(batch.frames) == len(batch.infos)
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        running.read(1, after=NEVER, timeout=0.25)
    assert time.monotonic() - begun >= 0.25


def test_a_read_waits_until_all_frames_exist(running: Client) -> None:
    newest = running.wait(timeout=PATIENCE)
    reads = running.stats().reads
    batch = running.read(12, after=newest, timeout=PATIENCE)
    assert len(batch) == 12 and batch.first_seq > newest
    assert running.stats().reads - reads <= 3


def test_frames_read_in_order_are_all_of_them(running: Client, pictures: npt.NDArray[np.uint8]) -> None:
    after, shown = running.wait(timeout=PATIENCE), []
    for _ in range(10):
        batch = running.read(3, order=Order.NEXT, after=after, timeout=PATIENCE)
        assert batch.first_seq == after + 1
        after = batch.last_seq
        shown += numbers(batch.frames, pictures)
    assert shown == [(shown[0] + index) % len(pictures) for index in range(30)]


def test_frames_of_two_connections_mix_only_if_asked(running: Client) -> None:
    last = running.wait(12, timeout=PATIENCE)
    running.terminate()
    last = running.read(1).last_seq
    running.start()
    running.wait(last + 1, timeout=PATIENCE)
    first_of_second = last + 1
    assert running.read(3, timeout=0).first_seq >= first_of_second
    mixed = running.read(12, timeout=0, mix_generations=True)
    assert mixed.mixed_generations and mixed.first_seq < first_of_second
    # Read in order, the first connection's frames end, and waiting would not bring more of them.
    cut = running.read(12, order=Order.NEXT, after=last - 3, timeout=PATIENCE)
    assert (cut.first_seq, cut.last_seq, cut.generation) == (last - 2, last, 1)


def test_a_frame_too_old_is_stale(running: Client) -> None:
    running.wait(timeout=PATIENCE)
    assert len(running.read(1, max_age=10)) == 1
    running.terminate()
    with pytest.raises(errors.Stale):
        running.read(1, max_age=0.000001)
    with pytest.raises(errors.InvalidArgument, match="max_age"):
        running.read(1, max_age=0)


@pytest.mark.parametrize(("name", "channels"), [("bgr24", 3), ("rgba", 4), ("gray8", 1)])
def test_other_pixel_formats(server: RtspServer, name: str, channels: int) -> None:
    with Client(server.url(), pixel_format=name, width=64, height=48) as client:
        client.setup()
        assert client.shape(timeout=0) == (48, 64, channels)
        client.start()
        batch = client.read(1, timeout=PATIENCE)
        assert batch.frames.shape == (1, 48, 64, channels)
        assert batch.pixel_format is PixelFormat[name.upper()]


# ---- What is known ----


def test_what_is_known_of_a_stream(running: Client) -> None:
    newest = running.wait(25, timeout=PATIENCE)
    info, stats = running.stream_info(), running.stats()
    assert (info.width, info.height, info.codec, info.is_live) == (320, 240, "h264", True)
    assert info.duration_ns is None and info.measured_frame_rate == pytest.approx(25, rel=0.2)
    assert stats.ring_capacity > 12 and stats.newest_seq >= newest and stats.frames_read == 0
    wait_until(lambda: running.stats().published >= newest, "its frames are counted")
    assert (stats.connects, stats.decode_errors, stats.corrupt) == (1, 0, 0)
    frame = running.frame_info(newest)
    assert frame.seq == newest and frame.arrival_monotonic_ns is not None
    assert frame.arrival_monotonic_ns <= time.monotonic_ns()
    for seq in (0, NEVER):
        with pytest.raises(errors.NoFrame):
            running.frame_info(seq)
    assert running.last_failure() is None
    assert "320x240" in running.describe() and str(running).startswith("mpegclient")


def test_nothing_is_known_before_setup() -> None:
    with Client() as client:
        assert client.stats().packets == 0 and client.last_failure() is None
        for ask in (client.stream_info, client.shape, client.wait, client.read, lambda: client.frame_info(1)):
            with pytest.raises(errors.BadState):
                ask()


# ---- Threads, and the ends of waiting ----


def test_other_threads_run_while_a_call_blocks(running: Client) -> None:
    counted = 0
    done = threading.Event()

    def count() -> None:
        nonlocal counted
        while not done.is_set():
            counted += 1

    thread = threading.Thread(target=count)
    thread.start()
    with pytest.raises(errors.Timeout):
        running.wait(NEVER, timeout=0.5)
    counted_meanwhile = counted
    done.set()
    thread.join()
    assert counted_meanwhile > 10_000


def waiting(client: Client, outcome: List[BaseException], **options: Any) -> threading.Thread:
    """A thread that waits for a frame that never comes, and notes how that ended."""

    def wait() -> None:
        try:
            client.wait(NEVER, timeout=float("inf"), **options)
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.2)
    assert not outcome
    return thread


def test_a_cancel_token_ends_the_calls_that_have_it(running: Client) -> None:
    outcome: List[BaseException] = []
    with CancelToken() as cancel:
        thread = waiting(running, outcome, cancel=cancel)
        cancel.trigger()
        thread.join()
        assert isinstance(outcome[0], errors.Cancelled)
        with pytest.raises(errors.Cancelled):
            running.read(1, cancel=cancel)
        cancel.reset()
        assert len(running.read_latest(1, cancel=cancel, timeout=PATIENCE)) == 1
    with pytest.raises(errors.BadState, match="closed"):
        running.read(1, cancel=cancel)


def test_interrupt_ends_waiting_for_as_long_as_it_is_on(running: Client) -> None:
    outcome: List[BaseException] = []
    thread = waiting(running, outcome)
    running.interrupt()
    thread.join()
    assert isinstance(outcome[0], errors.Interrupted)
    with pytest.raises(errors.Interrupted):
        running.read(1)
    running.interrupt(False)
    assert len(running.read_latest(1, timeout=PATIENCE)) == 1


def test_close_ends_the_calls_of_other_threads(running: Client) -> None:
    outcome: List[BaseException] = []
    threads = [waiting(running, outcome) for _ in range(3)]
    returns_within(PATIENCE, running.close)
    for thread in threads:
        thread.join()
    assert len(outcome) == 3
    assert all(isinstance(error, (errors.Interrupted, errors.BadState)) for error in outcome)


def read_until_closed(client: Client, outcome: List[BaseException]) -> None:
    """Reads without pause, and notes the error that ends it."""
    while not outcome:
        try:
            client.read(4, timeout=0.01)
        except errors.Timeout:
            pass
        except errors.Error as error:
            outcome.append(error)


def test_close_while_others_read_at_full_speed(server: RtspServer) -> None:
    for _ in range(5):
        client = Client(server.url(), cache_size=4)
        client.setup()
        client.start()
        client.wait(timeout=PATIENCE)
        outcomes: List[List[BaseException]] = [[], [], []]
        threads = [threading.Thread(target=read_until_closed, args=(client, outcome)) for outcome in outcomes]
        for thread in threads:
            thread.start()
        client.close()
        for thread in threads:
            thread.join()
        for (error,) in outcomes:
            assert isinstance(error, (errors.Interrupted, errors.BadState))


def test_a_second_setup_at_the_same_time_is_busy(mute_port: int) -> None:
    outcome: List[BaseException] = []

    def setup() -> None:
        try:
            client.setup(f"rtsp://127.0.0.1:{mute_port}/video", timeout=PATIENCE)
        except errors.Error as error:
            outcome.append(error)

    with Client() as client:
        thread = threading.Thread(target=setup)
        thread.start()
        wait_until(lambda: client.state is State.CONNECTING, "setup has begun")
        with pytest.raises(errors.Busy):
            client.setup()
        client.terminate()
        thread.join()
        assert isinstance(outcome[0], errors.Stopped)
        assert client.state is State.IDLE


# ---- The log ----


def test_the_log_goes_to_a_function_or_a_logger(server: RtspServer, caplog: pytest.LogCaptureFixture) -> None:
    lines: List[str] = []
    levels: List[LogLevel] = []

    def receive(level: LogLevel, line: str) -> None:
        levels.append(level)
        lines.append(line)

    def connect() -> None:
        with Client(server.url(userinfo="bob:hunter2@"), rtsp_engine="libav") as client:
            client.setup()

    try:
        set_log_level(LogLevel.DEBUG)
        set_log_callback(receive)
        connect()
        assert any(line.startswith("connected to rtsp://") for line in lines)
        assert any(line.startswith("tcp: ") for line in lines), "libav is heard, too"
        assert not any("hunter2" in line or "\n" in line for line in lines)
        assert set(levels) <= {LogLevel.ERROR, LogLevel.WARNING, LogLevel.INFO, LogLevel.DEBUG}
        with caplog.at_level("DEBUG", logger="camera"):
            log_to("camera")
            connect()
        assert any("connected to" in record.message for record in caplog.records if record.name == "camera")
        set_log_level(LogLevel.QUIET)
        lines.clear()
        set_log_callback(receive)
        connect()
        assert not lines
    finally:
        set_log_level(LogLevel.QUIET)
        set_log_callback(None)
        log._receiver = None


def test_lines_that_nobody_takes_do_no_harm(server: RtspServer) -> None:
    """The standard error stream is a pipe that nobody reads any more."""
    program = """
import sys
from mpegclient import Client, LogLevel, set_log_level
set_log_level(LogLevel.DEBUG)
with Client(sys.argv[1]) as client:
    client.setup()
    client.start()
    print(len(client.read(2, timeout=30)), client.state.name)
"""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-c", program, server.url()]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=writing, text=True, timeout=2 * PATIENCE)
    os.close(writing)
    assert (result.returncode, result.stdout) == (0, "2 RUNNING\n")
