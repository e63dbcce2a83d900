"""The sixteen defects that were found in mpegCoder's MpegClient by reading its source, D1 to D16: a test for each that
shows that this client does not have it."""

from __future__ import annotations

import base64
import contextlib
import gc
import os
import re
import threading
import time
import urllib.parse
from pathlib import Path
from typing import Any, Callable, Iterator, List, Tuple

import numpy as np
import pytest

from live import NEVER, RATE, STOP_LIMIT, Footprint, Numbers, Pixels, black_hole, encode, footprint, mute_server
from live import number_of, numbered_picture, numbers_of, pts_steps_ms, repeat, restart, run_ffmpeg, running, steps
from mpegclient import Client, Order, PixelFormat, State, errors, mpegcoder
from support import PATIENCE, RtspServer, free_port, returns_within, run_python, wait_until

pytest_plugins = ["live_fixtures"]


@pytest.fixture
def own_server(clips: Path) -> Iterator[RtspServer]:
    """A server that a test may freeze and stop."""
    with RtspServer(f"/video={clips / 'video.h264'},h264,25") as server:
        yield server


# ---- D1, D2: hanging ----


def test_d01_open_and_read_are_bounded(own_server: RtspServer, tmp_path: Path) -> None:
    """The defect: opened without options and without interrupt callback, setup and reading hang for ever.

    Here servers that never answer, in several ways, cost setup the time that it was given, and a stream that falls
    silent costs a reader the time that it was given and is then noticed.
    """
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with mute_server() as mute, black_hole() as hole, Client(setup_timeout=700) as client:
        schemes = [f"{scheme}://127.0.0.1:{mute}/video" for scheme in ("rtsp", "http", "rtmp", "tcp")]
        for url in [*schemes, f"rtsp://127.0.0.1:{hole}/video", fifo]:
            with pytest.raises(errors.Timeout):
                # 700 ms are allowed; the rest is for a loaded machine.
                returns_within(2, lambda url=url: client.setup(url))  # type: ignore[misc]
            assert client.state is State.IDLE

    with running(own_server.url(), stall_timeout=1500) as client:
        client.wait(timeout=PATIENCE)
        own_server.freeze()
        time.sleep(0.2)
        newest = client.stats().newest_seq
        with pytest.raises(errors.Timeout):
            returns_within(2, lambda: client.read(1, after=newest + 5, timeout=1))
        wait_until(lambda: client.state is State.RECONNECTING, "the silence is noticed")
        failure = client.last_failure()
        assert failure is not None and failure.status.name == "STALLED"


def stop_by_terminate(client: Client) -> None:
    client.terminate()


def stop_by_clear(client: Client) -> None:
    client.clear()


def stop_by_close(client: Client) -> None:
    client.close()


@pytest.mark.parametrize("stop", [stop_by_terminate, stop_by_clear, stop_by_close])
def test_d02_stopping_never_hangs(own_server: RtspServer, stop: Callable[[Client], None]) -> None:
    """The defect: terminate and clear set a flag and join a thread that sits in a blocking read and never sees it.

    Here each way to stop returns at once while a connection is being made to a server that never answers, while the
    server of a running stream is frozen with its connection open, and while a lost stream is being connected again.
    """

    def check_stop(client: Client) -> None:
        returns_within(STOP_LIMIT, lambda: stop(client))

    with mute_server() as port, Client(f"rtsp://127.0.0.1:{port}/video") as client:
        client.setup(timeout=0)
        client.start()
        time.sleep(0.3)
        assert client.state is State.CONNECTING
        check_stop(client)

    with running(own_server.url()) as client:
        client.wait(timeout=PATIENCE)
        own_server.freeze()
        time.sleep(0.5)
        check_stop(client)
    own_server.thaw()

    with running(own_server.url(), stall_timeout=500) as client:
        client.wait(timeout=PATIENCE)
        own_server.freeze()
        wait_until(lambda: client.state is State.RECONNECTING, "the stream is lost")
        time.sleep(0.7)
        # By now the frozen server was called again, or the next call is waited for.
        check_stop(client)


# ---- D3 to D5: the buffer ----


def test_d03_as_many_frames_as_are_kept_are_real_ones(clips: Path) -> None:
    """The defect: readSize == cacheSize copies nothing and returns uninitialised memory as video.

    Here the whole ring is read at once, and each frame is the picture that the clip has at its place.
    """
    with running(clips / "video.mp4", cache_size=10, read_size=10) as client:
        client.wait(10, timeout=PATIENCE)
        batch = client.read(timeout=PATIENCE)
        assert batch.frames.shape == (10, 240, 320, 3)
        assert numbers_of(batch.frames) == [info.seq - 1 for info in batch.infos]
        for frame, info in zip(batch.frames, batch.infos):
            difference = np.abs(frame[:, :, 0].astype(int) - numbered_picture(info.seq - 1, 320, 240))
            # What compression does to a picture of black and white; noise or another picture differs by far more.
            assert difference.mean() < 3
    d = mpegcoder.MpegClient()
    d.setParameter(readSize=10, cacheSize=10)
    assert d.FFmpegSetup(str(clips / "video.mp4"))
    d.start()
    frames = d.ExtractFrame()
    d.clear()
    assert frames is not None and steps(numbers_of(frames)) == [1] * 9


def flat_colour(number: int) -> Tuple[int, int, int]:
    """Lightness and colour of a flat picture: far from those of its neighbours, and of none among the next hundred."""
    return 30 + number * 89 % 199, 60 + number * 53 % 137, 60 + number * 31 % 131


@pytest.fixture(scope="module")
def flat_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """6000 pictures, each of one flat colour."""
    clip = tmp_path_factory.mktemp("flat") / "flat.mp4"
    pictures = (np.array(flat_colour(number), np.uint8).repeat(32 * 32) for number in range(6000))
    lossless = ["-pix_fmt", "yuv444p", "-c:v", "libx264", "-preset", "ultrafast", "-qp", 0]
    encode(pictures, "yuv444p", 32, 32, *lossless, clip)
    return clip


def test_d04_no_frame_is_ever_torn(flat_clip: Path) -> None:
    """The defect: reader and writer share the buffer and its positions without a lock, so that a frame may be
    overwritten while it is copied.

    Here the writer runs as fast as it can, hundreds of times faster than a stream, through a small ring of frames of
    one colour each, while readers copy all of it without pause. Each frame is of one colour, another than the one
    before.
    """
    counted: List[int] = []

    def read() -> None:
        try:
            frames = client.read_latest(6, timeout=1)
        except (errors.Timeout, errors.Ended):
            return
        colours = frames[:, 0, 0]
        assert (frames == colours[:, None, None]).all(), "a frame of two colours"
        assert (colours[1:] != colours[:-1]).any(axis=1).all(), "two frames of one picture"
        counted.append(len(frames))

    with running(flat_clip, realtime="off", width=320, height=240, cache_size=6) as client:
        done = threading.Event()
        workers = [repeat(read, done) for _ in range(3)]
        end = time.monotonic() + 4
        while time.monotonic() < end:
            if client.state is State.ENDED:
                client.start()
            time.sleep(0.02)
        done.set()
        for worker in workers:
            worker.finish()
        assert client.stats().published > 200 and sum(counted) > 200


def test_d05_readers_neither_hold_the_writer_up_nor_cost_it_frames(rtsp: RtspServer) -> None:
    """The defect: a frame whose slot is being read is silently dropped, although the manual says that the writer waits.

    Here readers copy the whole ring without pause and hold on to what they got. The writer does neither: it publishes
    as many frames as the stream has, each the next picture with the next number, soon after it came.
    """
    with running(rtsp.url(), width=640, height=480, read_size=12, cache_size=12) as client:
        client.wait(12, timeout=PATIENCE)
        held: List[Pixels] = []

        def read_and_hold() -> None:
            held.append(client.read_latest(timeout=0))
            if len(held) > 20:
                held.pop(0)

        begun, before = time.monotonic(), client.stats().published
        first = client.read(1)
        done = threading.Event()
        workers = [repeat(read_and_hold, done) for _ in range(3)]
        delays = []
        for _ in range(15):
            time.sleep(0.2)
            info = client.read(1).infos[0]
            assert info.published_monotonic_ns is not None and info.arrival_monotonic_ns is not None
            delays.append((info.published_monotonic_ns - info.arrival_monotonic_ns) / 1e9)
        last, published = client.read(1), client.stats().published - before
        took = time.monotonic() - begun
        done.set()
        for worker in workers:
            worker.finish()
        assert published == pytest.approx(took * RATE, abs=15)
        passed = last.first_seq - first.first_seq
        shown = steps([number_of(first.frames[0]), number_of(last.frames[0])])[0]
        assert passed == shown, "a picture that was left out"
        assert sorted(delays)[len(delays) // 2] < 0.2, "frames that had to wait"
        stats = client.stats()
        assert stats.dropped_by_lease == 0 and stats.reads > 20


# ---- D6, D7: changes within a stream ----


def kept_numbers(client: Client, until: int) -> List[int]:
    """The numbers of all pictures that a client at a lower rate shows, up to one."""
    numbers: List[int] = []
    after = 0
    while not numbers or numbers[-1] < until:
        batch = client.read(1, order=Order.NEXT, after=after, timeout=PATIENCE)
        assert batch.first_seq == after + 1
        after = batch.last_seq
        numbers += numbers_of(batch.frames)
    return numbers


def test_d06_a_stall_brings_no_burst(own_server: RtspServer) -> None:
    """The defect: after a gap the next due time lags behind, and every frame passes until it has caught up.

    Here the server is frozen for two seconds and then sends all that it owes at once. Of that too each fifth picture is
    kept and no more, for five frames a second.
    """
    with running(own_server.url(), frame_rate=(5, 1), cache_size=200) as client:
        client.wait(5, timeout=PATIENCE)
        own_server.freeze()
        time.sleep(2)
        own_server.thaw()
        numbers = kept_numbers(client, 150)
        # The pictures after the stall are not tied to those before it; all others are 200 ms apart.
        distances = steps(numbers)
        assert min(distances) >= 4 and sorted(distances)[1] == 5
        assert len(numbers) <= (numbers[-1] - numbers[0]) / 5 + 2


@pytest.mark.parametrize("jump", [2, 900, -1.5, -900], ids="{:+}s".format)
def test_d06_a_jump_of_the_timestamps_brings_no_burst(clips: Path, tmp_path: Path, jump: float) -> None:
    """The same with timestamps that jump in the middle of a file, forwards and backwards."""
    parts = []
    for begin, offset in ((0, 1000), (2, 1002 + jump)):
        part = tmp_path / f"{begin}.ts"
        source = ["-ss", begin, "-t", 2, "-i", clips / "video.mp4"]
        run_ffmpeg(*source, "-c", "copy", "-mpegts_flags", "+initial_discontinuity", "-output_ts_offset", offset, part)
        parts.append(part.read_bytes())
    clip = tmp_path / "jump.ts"
    clip.write_bytes(b"".join(parts))
    with running(clip, frame_rate=(5, 1), read_size=1, cache_size=200) as client:
        with pytest.raises(errors.Ended):
            client.wait(NEVER, timeout=PATIENCE)
        batch = client.read(100)
    steps_ms = pts_steps_ms(batch)
    if jump > 0:
        assert max(steps_ms) > 1000, "the clip has no jump"
    # A clock that is set back goes on where it was.
    assert min(steps_ms) >= 0
    numbers = numbers_of(batch.frames)
    # Two seconds before the jump and two after it, each with five frames a second.
    assert 19 <= len(numbers) <= 21 and numbers[0] == 0 and numbers[-1] >= 93
    distances = steps(numbers)
    # Where the timestamps jump, the distance between two pictures is not known.
    distances.remove(min(distances, key=lambda distance: distance == 5))
    assert distances == [5] * len(distances)


def test_d06_missing_timestamps_bring_no_burst(clips: Path, tmp_path: Path) -> None:
    """The same with no timestamps at all, as in a raw H.264 file: two seconds by the rate that it declares."""
    run_ffmpeg("-i", clips / "short.mp4", "-c", "copy", "-f", "h264", tmp_path / "raw.h264")
    with running(tmp_path / "raw.h264", frame_rate=(5, 1), cache_size=100) as client:
        with pytest.raises(errors.Ended):
            client.wait(NEVER, timeout=PATIENCE)
        numbers = numbers_of(client.read(100).frames)
    assert 9 <= len(numbers) <= 11 and set(steps(numbers)) == {5}


def test_d07_a_change_of_size_goes_on_in_the_same_shape(rtsp: RtspServer) -> None:
    """The defect: after a change of resolution every frame is refused, for ever.

    Here the clip changes from 320x240 to 160x120 and back at each turn of its loop; all pictures are shown, in the
    shape that was told first.
    """
    with running(rtsp.url("/resize"), cache_size=25) as client:
        shape = client.shape(timeout=PATIENCE)
        seen: List[int] = []
        after = client.wait(timeout=PATIENCE)
        while len(seen) < 150:
            batch = client.read(5, order=Order.NEXT, after=after, timeout=PATIENCE)
            after = batch.last_seq
            assert batch.frames.shape[1:] == shape == client.shape()
            for number, info in zip(numbers_of(batch.frames), batch.infos):
                seen.append(number)
                assert info.source_width == (320 if number < 50 else 160)
        assert set(steps(seen, 100)) == {1}
        assert client.stats().connects == 1 and client.state is State.RUNNING


# ---- D8, D9: no picture ----


def test_d08_before_the_first_picture_there_is_no_black_one(clips: Path) -> None:
    """The defect: before the first key frame zeroed memory is returned as black pictures.

    Here a client joins a stream whose only key frame is past: it has no frame and says so. Then clients join another
    one in the middle, again and again: the first frame of each is a key frame, and all are clean.
    """
    mounts = {"long": "long.h264,h264", "video": "video.h264,h264", "h265": "video.h265,h265"}
    arguments = [f"/{name}={clips / clip},25" for name, clip in mounts.items()]
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(RtspServer(*arguments))
        # While one watches, those who come later join in the middle.
        for name in mounts:
            stack.enter_context(running(server.url(f"/{name}"))).wait(timeout=PATIENCE)

        with running(server.url("/long")) as client:
            with pytest.raises(errors.Timeout):
                client.read(1, timeout=1)
            assert client.state is State.WAITING_KEYFRAME and client.stats().published == 0
        d = mpegcoder.MpegClient()
        d.setParameter(widthDst=160, heightDst=120, readSize=3)
        assert d.FFmpegSetup(server.url("/long"))
        d.start()
        frames = d.ExtractFrame()
        assert frames is not None and frames.shape == (0, 120, 160, 3)
        d.clear()

        for pause in range(8):
            time.sleep(0.07 * pause % 0.3)
            with running(server.url("/h265" if pause % 2 else "/video"), cache_size=12) as client:
                batch = client.read(5, order=Order.NEXT, timeout=PATIENCE)
                assert batch.first_seq == 1 and batch.infos[0].key
                numbers = numbers_of(batch.frames)
                assert numbers[0] % 25 == 0 and steps(numbers) == [1] * 4
                assert not any(info.corrupt for info in batch.infos)


def test_d09_a_lost_stream_comes_back_and_meanwhile_the_truth_is_told(clips: Path) -> None:
    """The defect: when the stream ends or the connection breaks, the thread ends without a word and never comes back.

    Here the server is killed, which the state and the last failure tell while the last frames stay readable with their
    true age, and started again, whereupon frames come without a call.
    """
    mount = f"/intra={clips / 'intra.h264'},h264,25"
    d = mpegcoder.MpegClient()
    with RtspServer(mount) as server, running(server.url("/intra"), reconnect_delay_max=1000) as client:
        last = client.wait(10, timeout=PATIENCE)
        assert d.FFmpegSetup(server.url("/intra"))
        d.start()
        assert d.ExtractFrame() is not None
        server.stop()
        wait_until(lambda: client.state is State.RECONNECTING, "the loss is noticed")
        wait_until(lambda: d.ExtractFrame() is None, "the drop-in says None")
        time.sleep(1)
        failure = client.last_failure()
        assert failure is not None and failure.status.name in ("SERVER_GONE", "REFUSED")
        batch = client.read(5, timeout=0)
        last = batch.last_seq
        assert batch.newest_age is not None and batch.newest_age > 0.9
        with pytest.raises(errors.Stale):
            client.read(1, max_age=0.5, timeout=0)
        with pytest.raises(errors.Timeout, match="connected again"):
            client.read(1, after=last, timeout=0.3)
        with restart(server, mount):
            batch = client.read(5, order=Order.NEXT, after=last, timeout=PATIENCE)
            assert (batch.first_seq, batch.generation) == (last + 1, 2)
            assert batch.infos[0].gap_before and not batch.infos[1].gap_before
            assert steps(numbers_of(batch.frames), 250) == [1] * 4
            wait_until(lambda: client.state is State.RUNNING, "the stream runs again")
            wait_until(lambda: d.ExtractFrame() is not None, "the drop-in gives frames again")
            d.clear()


# ---- D10: colours ----

#: Red and blue parts of lightness, by the name that the ffmpeg program has for the matrix.
MATRICES = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114)}

#: Lowest and range of lightness, range of colour; for 8 bits.
RANGES = {"tv": (16, 219, 224), "pc": (0, 255, 255)}

#: All mixtures of no, half and full red, green and blue, and some colours of every day.
COLOURS = np.array(
    [(r, g, b) for r in (0, 128, 255) for g in (0, 128, 255) for b in (0, 128, 255)]
    + [(224, 172, 105), (141, 85, 36), (34, 139, 34), (135, 206, 235), (70, 130, 180)],
    float,
)  # fmt: skip


def to_yuv(rgb: Numbers, matrix: str, levels: str) -> Pixels:
    """Colours as a camera encodes them (ITU-R BT.601 and BT.709, section 3), rounded to 8 bits."""
    red, blue = MATRICES[matrix]
    black, light_range, colour_range = RANGES[levels]
    lightness = rgb @ [red, 1 - red - blue, blue] / 255
    from_blue = (rgb[:, 2] / 255 - lightness) / (2 * (1 - blue))
    from_red = (rgb[:, 0] / 255 - lightness) / (2 * (1 - red))
    parts = [black + light_range * lightness, 128 + colour_range * from_blue, 128 + colour_range * from_red]
    return np.clip(np.rint(np.stack(parts, axis=1)), 0, 255).astype(np.uint8)


def to_rgb(yuv: Pixels, matrix: str, levels: str) -> Numbers:
    """The way back, from the rounded values."""
    red, blue = MATRICES[matrix]
    black, light_range, colour_range = RANGES[levels]
    y, u, v = yuv.astype(float).T
    lightness = (y - black) / light_range
    r = lightness + 2 * (1 - red) * (v - 128) / colour_range
    b = lightness + 2 * (1 - blue) * (u - 128) / colour_range
    g = (lightness - red * r - blue * b) / (1 - red - blue)
    colours: Numbers = np.clip(np.rint(np.stack([r, g, b], axis=1) * 255), 0, 255)
    return colours


def patches(values: Pixels, height: int) -> Pixels:
    """32 values as a plane of 8x4 squares, all of them even in size."""
    side = height // 4
    return values.reshape(4, 8).repeat(side, axis=0).repeat(side, axis=1)


def patch_clip(path: Path, yuv: Pixels, height: int, *tags: Any) -> Path:
    """A clip of the patches, encoded without loss."""
    planes = [patches(yuv[:, 0], height), patches(yuv[:, 1], height // 2), patches(yuv[:, 2], height // 2)]
    pictures = [np.concatenate([plane.ravel() for plane in planes])] * 10
    encode(pictures, "yuv420p", height * 2, height, "-c:v", "libx264", "-qp", 0, *tags, path)
    return path


def shown_colours(clip: Path, height: int, pixel_format: str) -> Numbers:
    """The colour in the middle of each patch, as the client gives it."""
    with running(clip, pixel_format=pixel_format) as client:
        batch = client.read(1, timeout=PATIENCE)
    side = height // 4
    middle = batch.frames[0].reshape(4, side, 8, side, 3)[:, side // 2, :, side // 2]
    colours: Numbers = middle.reshape(32, 3).astype(float)
    return colours[:, ::-1] if batch.pixel_format is PixelFormat.BGR24 else colours


@pytest.mark.parametrize("pixel_format", ["rgb24", "bgr24"])
@pytest.mark.parametrize("levels", RANGES)
@pytest.mark.parametrize("matrix", MATRICES)
def test_d10_colours_are_those_that_the_stream_tells(
    tmp_path: Path, matrix: str, levels: str, pixel_format: str
) -> None:
    """The defect: every stream is converted as BT.601 with limited range, whatever it says of itself.

    Here patches of known colours, encoded without loss and tagged as BT.709 or BT.601 with limited or full range, come
    out within three levels of what the formulas give. (Rotation, pixels that are not square, and letterboxing are not
    part of this version and come with a later one.)
    """
    yuv = to_yuv(COLOURS, matrix, levels)
    tags = ["-colorspace", matrix, "-color_range", levels]
    clip = patch_clip(tmp_path / "tagged.mp4", yuv, 256, *tags)
    expected = to_rgb(yuv, matrix, levels)
    assert np.abs(shown_colours(clip, 256, pixel_format) - expected).max() <= 3
    # The other matrix and the other range would be told from this one.
    others = [to_rgb(yuv, m, r) for m in MATRICES for r in RANGES if (m, r) != (matrix, levels)]
    assert min(np.abs(other - expected).max() for other in others) > 15


@pytest.mark.parametrize(("height", "matrix"), [(256, "smpte170m"), (720, "bt709")])
def test_d10_colours_of_a_stream_that_tells_nothing_are_those_of_the_custom(
    tmp_path: Path, height: int, matrix: str
) -> None:
    """The same without tags: BT.601 for small pictures, BT.709 for large ones, and limited range."""
    yuv = to_yuv(COLOURS, matrix, "tv")
    shown = shown_colours(patch_clip(tmp_path / "untagged.mp4", yuv, height), height, "rgb24")
    assert np.abs(shown - to_rgb(yuv, matrix, "tv")).max() <= 3


# ---- D11, D12: Python ----


def test_d11_arrays_own_their_memory(clips: Path) -> None:
    """The defect: memory from C++ is handed to NumPy, which gives it back to another allocator.

    Here an array is NumPy's own: it stays as it is when the client, its ring and thousands of later arrays are gone,
    it can be written to and resized, and reading without end takes no more memory.
    """
    with running(clips / "video.mp4", cache_size=8, read_size=8) as client:
        client.wait(8, timeout=PATIENCE)
        kept = client.read_latest(timeout=PATIENCE)
        before = kept.copy()
        assert kept.flags.owndata and kept.flags.writeable and kept.flags.c_contiguous and kept.base is None
        for _ in range(200):
            client.read_latest(timeout=0)
        gc.collect()
        memory = footprint().memory
        for _ in range(2000):
            client.read_latest(timeout=0)
        gc.collect()
        # 2000 batches are 3.7 GB.
        assert footprint().memory - memory < 20e6
        again = client.read_latest(timeout=0)
        client.terminate()
        again[:] = 0
        assert numbers_of(client.read_latest(timeout=0)), "writing to an array changed the ring"
    assert (kept == before).all() and steps(numbers_of(kept)) == [1] * 7
    kept.resize((16, 240, 320, 3), refcheck=False)


def count_while(call: Callable[[], Any]) -> Tuple[int, float]:
    """How often another Python thread got its turn while a call ran, and how long the call took."""
    count = 0
    done = threading.Event()

    def tick() -> None:
        nonlocal count
        time.sleep(0.01)
        count += 1

    worker = repeat(tick, done)
    begun = time.monotonic()
    call()
    took, counted = time.monotonic() - begun, count
    done.set()
    worker.finish()
    return counted, took


def test_d12_other_threads_run_while_a_call_blocks(rtsp: RtspServer, clips: Path) -> None:
    """The defect: the GIL is held while connecting and while copying, so that the whole program stands still.

    Here another thread goes on while setup waits for a server that never answers, while a read waits for a frame, and
    while gigabytes are copied.
    """

    def connect_in_vain() -> None:
        with mute_server() as port, Client() as other, pytest.raises(errors.Timeout):
            other.setup(f"rtsp://127.0.0.1:{port}/video", timeout=1)

    def read_in_vain() -> None:
        with pytest.raises(errors.Timeout):
            client.read(1, after=NEVER, timeout=1)

    def copy() -> None:
        for _ in range(10):
            assert len(client.read(50, timeout=0)) == 50

    with running(rtsp.url("/intra")) as client:
        for call in (connect_in_vain, read_in_vain):
            counted, took = count_while(call)
            # It sleeps 10 ms between two turns. One that is kept from running gets next to none.
            assert took >= 1 and counted > 20

    with running(clips / "short.mp4", width=1280, height=960, cache_size=50, realtime="off") as client:
        with pytest.raises(errors.Ended):
            client.wait(NEVER, timeout=PATIENCE)
        # Each call copies 184 MB. A thread that only runs between the calls gets one turn for each.
        counted, _ = count_while(copy)
        assert counted > 30


# ---- D13, D14: what is known, and what need not be said ----


def test_d13_every_frame_tells_where_it_comes_from(rtsp: RtspServer) -> None:
    """The defect: no timestamp, no clock, no number, no marks, no counters.

    Here each frame has them, and they agree with the picture and with each other.
    """
    with running(rtsp.url(), cache_size=60) as client:
        client.wait(60, timeout=PATIENCE)
        batch = client.read(50)
        stats, wall, monotonic = client.stats(), time.time_ns(), time.monotonic_ns()
        assert client.frame_info(batch.last_seq) == batch.infos[-1]
    assert pts_steps_ms(batch) == pytest.approx([1000 / RATE] * 49, abs=1)
    assert [info.seq for info in batch.infos] == list(range(batch.first_seq, batch.first_seq + 50))
    for number, info in zip(numbers_of(batch.frames), batch.infos):
        assert info.key == (number % 25 == 0)
        assert (info.source_width, info.source_height, info.generation) == (320, 240, 1)
        assert not (info.corrupt or info.gap_before or info.repeated)
        times = (info.arrival_monotonic_ns, info.decoded_monotonic_ns, info.published_monotonic_ns)
        assert None not in times and list(times) == sorted(times)  # type: ignore[type-var]
        assert info.arrival_time_ns is not None and info.arrival_monotonic_ns is not None
        # Both clocks were read at the same moment.
        assert abs((wall - info.arrival_time_ns) - (monotonic - info.arrival_monotonic_ns)) < 0.2e9
    assert batch.newest_age is not None and 0 <= batch.newest_age < 1
    assert stats.packets >= stats.decoded >= stats.published >= batch.last_seq
    assert (stats.connects, stats.decode_errors, stats.corrupt, stats.dropped_by_lease) == (1, 0, 0, 0)
    assert stats.bytes > 0 and stats.reads > 0 and stats.frames_read >= 50


def test_d14_no_parameter_has_to_be_set(rtsp: RtspServer) -> None:
    """The defect: setup refuses to run until three parameters are set.

    Here none is: frames come in the source's size, at the source's rate.
    """
    with Client() as client:
        client.setup(rtsp.url("/intra"))
        client.start()
        assert client.read_latest(timeout=PATIENCE).shape == (1, 240, 320, 3)
        client.wait(10, timeout=PATIENCE)
        assert set(pts_steps_ms(client.read(5))) == {1000 / RATE}
    d = mpegcoder.MpegClient()
    assert d.FFmpegSetup(rtsp.url("/intra"))
    d.start()
    frames = d.ExtractFrame()
    assert frames is not None and frames.shape == (1, 240, 320, 3)
    d.clear()


# ---- D15: credentials ----

USER, PASSWORD, TOKEN = "operator7", "s3cr@t/pa#ss:w%rd", "0123456789abcdef"

#: What a program does with a client that has credentials, with everything said that there is to say.
TALKATIVE_PROGRAM = """
import sys
from urllib.parse import quote
from mpegclient import Client, LogLevel, errors, mpegcoder, set_log_callback, set_log_level

user, password, token, *ports = sys.argv[1:]

def show(client):
    print(client, repr(client), client.describe(), client.last_failure(), repr(client.parameters))

def connect(url, **parameters):
    with Client(setup_timeout=3000, **parameters) as client:
        try:
            client.setup(url)
            client.start()
            print("FRAMES", client.read_latest(1, timeout=10).shape)
        except errors.Error as error:
            print("FAILED", repr(error), error)
        show(client)
        client.terminate()
        show(client)

def connect_to_all():
    userinfo = f"{quote(user, safe='')}:{quote(password, safe='')}@"
    for port in ports:
        connect(f"rtsp://{userinfo}127.0.0.1:{port}/video")
        connect(f"rtsp://127.0.0.1:{port}/video", username=user, password=password)
        connect(f"rtsp://127.0.0.1:{port}/video", username=user, password=password + "wrong")
        connect(f"rtsp://{user}:{quote(password + 'wrong', safe='')}@127.0.0.1:{port}/video")
    for port in (ports[0], 1):
        connect(f"http://{userinfo}127.0.0.1:{port}/video?token={token}")
        connect(f"rtmp://{userinfo}127.0.0.1:{port}/live/video?password={token}")
    connect(f"srt://127.0.0.1:1?connect_timeout=500&passphrase={token}")
    connect(f"rtsp://{user}:{password}@127.0.0.1:1/video")

mpegcoder.setGlobal(dumpLevel=2)
d = mpegcoder.MpegClient()
for port in (ports[0], 1):
    print(d.FFmpegSetup(f"rtsp://{quote(user)}:{quote(password, safe='')}@127.0.0.1:{port}/video"))
    d.dumpFile()
    print(d, repr(d))
d.clear()

set_log_level(LogLevel.DEBUG)
connect_to_all()
lines = []
set_log_callback(lambda level, line: lines.append(line))
connect_to_all()
for line in lines:
    print("LOG", line)
"""


def test_d15_credentials_are_never_shown(clips: Path) -> None:
    """The defect: the whole URL goes to the standard error stream, with user name and password.

    Here a program of its own connects with credentials in the URL and in the parameters, right and wrong ones, to
    servers with both kinds of authentication and to ports where nobody is, at the highest log level, and prints every
    text that there is. Neither they nor what is made of them is in its output.
    """
    mount = f"/video={clips / 'intra.h264'},h264,25"
    login = ["--user", USER, "--password", PASSWORD]
    with RtspServer(*login, mount) as digest, RtspServer(*login, "--basic", mount) as basic:
        result = run_python(["-c", TALKATIVE_PROGRAM, USER, PASSWORD, TOKEN, str(digest.port), str(basic.port)])
    output = result.stdout + result.stderr
    assert result.returncode == 0, output
    # The right credentials were used, the wrong ones refused, and the log was on.
    assert output.count("FRAMES (1, 240, 320, 3)") == 8 and output.count("FAILED Unauthorized") == 8
    assert "DESCRIBE" in result.stderr and re.search("LOG .*DESCRIBE", result.stdout)
    encoded = urllib.parse.quote(PASSWORD, safe="")
    in_base64 = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    for secret in (USER, PASSWORD, encoded, TOKEN, in_base64, "s3cr@t", "pa#ss", "s3cr%40t"):
        assert not [line for line in output.splitlines() if secret in line], f"{secret} is in the output"
    assert not re.search(r'response="[0-9a-f]{32}', output), "the answer to a challenge is in the output"


@pytest.mark.parametrize("between", [" ", '"', "'", "<", ",", "@"])
def test_d15_a_password_that_no_url_should_hold_is_not_shown_either(between: str) -> None:
    """The same for passwords that have to be encoded in a URL and are not: it may not work, but it is a password."""
    with Client() as client:
        with pytest.raises(errors.Error) as raised:
            client.setup(f"rtsp://{USER}:alpha{between}bravo@127.0.0.1:{free_port()}/video")
        failure = client.last_failure()
        assert failure is not None
        for text in (str(raised.value), failure.message, client.describe(), str(client)):
            assert not [part for part in (USER, "alpha", "bravo") if part in text], text


# ---- D16: leaks ----


def growth(play_round: Callable[[], None], warm_up: int, rounds: int) -> Footprint:
    """What a process takes more of the system after many rounds than after the first few."""
    for _ in range(warm_up):
        play_round()
    gc.collect()
    before = footprint()
    for _ in range(rounds):
        play_round()
    gc.collect()
    after = footprint()
    return Footprint(*(now - then for now, then in zip(after, before)))


def test_d16_nothing_is_left_after_many_rounds(rtsp: RtspServer, clips: Path) -> None:
    """The defect: three leaks in its own list of changes, of which one was "severe".

    Here the memory, the threads and the descriptors of the process are the same after many rounds of setup, start, read
    and clear as after the first few: on a file, on a live stream, with one client and with many, and in vain.
    """
    file, dead = clips / "short.mp4", f"rtsp://127.0.0.1:{free_port()}/video"

    def play(client: Client, url: Any) -> None:
        client.setup(url)
        client.start()
        assert len(client.read(3, timeout=PATIENCE)) == 3
        client.clear()

    def play_file() -> None:
        with Client(realtime="off") as client:
            play(client, file)

    def play_file_again() -> None:
        play(kept, file)

    def play_stream() -> None:
        play(kept, rtsp.url("/intra"))

    def play_in_vain() -> None:
        with pytest.raises(errors.Refused):
            kept.setup(dead)

    with Client(realtime="off") as kept:
        for play_round, rounds in ((play_file, 150), (play_file_again, 150), (play_in_vain, 150), (play_stream, 25)):
            grown = growth(play_round, rounds // 3, rounds)
            assert grown.threads == 0 and grown.descriptors == 0, play_round
            # A ring that is left behind in each round would be 300 MB; a context of libav's, several.
            assert grown.memory < 6e6, play_round
