"""What a stream may not do: show pictures beyond a limit, read local files, hang where it is no file."""

from __future__ import annotations

import functools
import os
import time
from pathlib import Path
from typing import Any, Callable, Iterator, List

import pytest

from live import NEVER, STOP_LIMIT, Program, Worker, encode, numbered_picture, numbers_of, run_ffmpeg, running, x264
from mpegclient import Client, Order, State, Status, errors
from support import PATIENCE, RtspServer, returns_within, wait_until
from web import Site

pytest_plugins = ["live_fixtures"]

#: A size of more than one unit of max_picture_size, which is 1024 x 1024 pixels, and of less than two.
LARGE = (1280, 960)


@pytest.fixture(scope="module")
def large(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with large.h264, .mp4 and .ts of 25 large pictures, growing.ts, which begins with 50 of ordinary size,
    and short.ts with the first two seconds of video.mp4."""
    folder = tmp_path_factory.mktemp("large")
    pictures = (numbered_picture(number, *LARGE) for number in range(50, 75))
    encode(pictures, "gray", *LARGE, *x264(25), folder / "large.h264")
    run_ffmpeg("-r", 25, "-i", folder / "large.h264", "-c", "copy", folder / "large.mp4")
    run_ffmpeg("-i", folder / "large.mp4", "-c", "copy", "-output_ts_offset", 2, folder / "large.ts")
    run_ffmpeg("-i", clips / "short.mp4", "-c", "copy", folder / "short.ts")
    both = f"concat:{folder / 'short.ts'}|{folder / 'large.ts'}"
    run_ffmpeg("-i", both, "-c", "copy", "-copyts", folder / "growing.ts")
    return folder


@pytest.fixture(scope="module")
def site(large: Path) -> Iterator[Site]:
    """An HTTP server of that folder."""
    with Site(large) as site:
        yield site


def wait_failed(client: Client, word: str) -> None:
    """Waits until a client has failed for good; its failure must name the parameter."""
    wait_until(lambda: client.state is State.FAILED, f"the stream fails for {word}")
    failure = client.last_failure()
    assert failure is not None and word in failure.message
    with pytest.raises(errors.StreamFailed, match=word):
        client.wait(NEVER, timeout=PATIENCE)


# ---- The size of pictures ----


def test_pictures_beyond_the_limit_are_refused_at_setup(large: Path, site: Site) -> None:
    for url in (large / "large.mp4", large / "large.ts", site.url("large.ts")):
        with Client(url, max_picture_size=1) as client:
            with pytest.raises(errors.Unsupported, match="1280x960.*max_picture_size"):
                client.setup()
            assert client.state is State.IDLE
            failure = client.last_failure()
            assert failure is not None and failure.status is Status.UNSUPPORTED and not failure.retryable
            client.parameters["max_picture_size"] = 2
            client.setup()
            client.start()
            assert client.read_latest(1, timeout=PATIENCE).shape == (1, 960, 1280, 3)


def test_pictures_beyond_the_limit_whose_size_is_known_late_are_a_failure(large: Path) -> None:
    """Over RTSP the first picture may be what tells the size."""
    with RtspServer(f"/large={large / 'large.h264'},h264,25") as server:
        with Client(server.url("/large"), max_picture_size=1, first_frame_timeout=4000) as client:
            try:
                client.setup()
            except errors.Unsupported as error:
                assert "max_picture_size" in str(error)
            else:
                client.start()
                wait_failed(client, "max_picture_size")
            assert client.stats().published == 0
        with running(server.url("/large"), max_picture_size=2) as client:
            assert client.read_latest(1, timeout=PATIENCE).shape == (1, 960, 1280, 3)


def test_pictures_that_grow_beyond_the_limit_are_not_shown(large: Path) -> None:
    with running(large / "growing.ts", max_picture_size=1, cache_size=100, realtime="off") as client:
        with pytest.raises((errors.Ended, errors.StreamFailed)):
            client.wait(NEVER, timeout=PATIENCE)
        assert numbers_of(client.read(50, order=Order.NEXT).frames) == list(range(50))
        assert client.stats().published == 50
        failure = client.last_failure()
        assert failure is not None and "max_picture_size" in failure.message


# ---- The memory of the ring ----


def test_a_ring_beyond_the_limit_is_refused_at_setup(clips: Path) -> None:
    with Client(clips / "video.mp4", width=1920, height=1080, cache_size=50, max_ring_size=100) as client:
        with pytest.raises(errors.Error, match="max_ring_size") as raised:
            client.setup()
        assert isinstance(raised.value, (errors.InvalidArgument, errors.OutOfMemory))
        assert client.state is State.IDLE
        client.parameters["cache_size"] = 8
        client.setup()


def test_a_ring_beyond_the_limit_whose_size_is_known_late_is_a_failure(rtsp: RtspServer, clips: Path) -> None:
    for url in (rtsp.url(), clips / "video.mp4"):
        # A frame has 225 KiB.
        with Client(url, cache_size=10, max_ring_size=1) as client:
            client.setup()
            client.start()
            wait_failed(client, "max_ring_size")
            client.parameters["max_ring_size"] = 20
            client.setup()
            client.start()
            assert client.read_latest(10, timeout=PATIENCE).shape == (10, 240, 320, 3)


def test_a_ring_that_the_machine_has_no_memory_for_is_refused_at_setup(clips: Path) -> None:
    if Path("/proc/sys/vm/overcommit_memory").read_text().strip() == "1":
        pytest.skip("this system commits itself to any amount of memory")
    lines = Path("/proc/meminfo").read_text().splitlines()
    total = sum(int(line.split()[1]) << 10 for line in lines if line.startswith(("MemTotal:", "SwapTotal:")))
    side = 16_384
    frames = total // (3 * side * side) + 1
    with Client(clips / "video.mp4", width=side, height=side, cache_size=frames, max_ring_size=1 << 20) as client:
        with pytest.raises(errors.OutOfMemory) as raised:
            returns_within(PATIENCE, client.setup)
        assert raised.value.retryable and client.state is State.IDLE
        client.parameters.update({"width": 320, "height": 240, "cache_size": 8})
        client.setup()
        client.start()
        assert client.read_latest(8, timeout=PATIENCE).shape == (8, 240, 320, 3)


# ---- What a source may lead to ----


def playlist(*segments: str) -> str:
    """A playlist of segments of two seconds each."""
    lines = "".join(f"#EXTINF:2.0,\n{segment}\n" for segment in segments)
    return f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n{lines}#EXT-X-ENDLIST\n"


def shown(client: Client) -> List[int]:
    """The numbers of the pictures that a source shows until its end."""
    client.setup(timeout=PATIENCE)
    client.start()
    with pytest.raises(errors.Ended):
        client.wait(NEVER, timeout=PATIENCE)
    return numbers_of(client.read(50, order=Order.NEXT, timeout=0).frames)


def check_shows_nothing(client: Client) -> errors.Error:
    """Sets a client up and starts it; either fails, or the stream does so without a frame. Returns how."""
    with pytest.raises((errors.ConnectError, errors.StreamFailed)) as raised:
        client.setup(timeout=PATIENCE)
        client.start()
        client.wait(timeout=PATIENCE)
    assert client.stats().published == 0 and str(raised.value)
    assert client.last_failure() is not None
    return raised.value


FORMS = ["file:{}", "file://{}", "{}", "crypto:file:{}", "crypto+file:{}", "subfile,,start,0,end,0,,:{}", "concat:{}"]


@pytest.mark.parametrize("form", FORMS)
def test_a_playlist_from_the_network_reads_no_local_file(large: Path, site: Site, form: str) -> None:
    (large / "evil.m3u8").write_text(playlist(form.format(large / "short.ts")))
    with Client(site.url("evil.m3u8"), realtime="off", setup_timeout=10_000) as client:
        check_shows_nothing(client)


def test_a_playlist_from_the_network_reads_no_local_file_among_its_own(large: Path, site: Site) -> None:
    """The first segment is one that may be read, and so the stream is set up."""
    (large / "evil.m3u8").write_text(playlist("short.ts", f"file://{large / 'large.ts'}"))
    with Client(site.url("evil.m3u8"), realtime="off", cache_size=100) as client:
        assert shown(client) == list(range(50))
        assert client.stats().published == 50


def test_a_playlist_from_the_network_shows_its_own_segments(large: Path, site: Site) -> None:
    (large / "good.m3u8").write_text(playlist("short.ts"))
    with Client(site.url("good.m3u8"), realtime="off", cache_size=100) as client:
        assert shown(client) == list(range(50))
        assert not client.stream_info().is_live


@pytest.mark.parametrize("form", ["{}", "file:{}", "file://{}"])
def test_a_concat_list_from_the_network_reads_no_local_file(large: Path, site: Site, form: str) -> None:
    (large / "evil.ffconcat").write_text(f"ffconcat version 1.0\nfile '{form.format(large / 'short.ts')}'\n")
    with Client(site.url("evil.ffconcat"), realtime="off", setup_timeout=10_000) as client:
        check_shows_nothing(client)


def test_a_redirection_reads_no_local_file(large: Path, site: Site) -> None:
    site.redirects["/moved.ts"] = f"file://{large / 'short.ts'}"
    with Client(site.url("moved.ts"), realtime="off", setup_timeout=10_000) as client:
        check_shows_nothing(client)
    assert "/moved.ts" in site.paths


@pytest.mark.parametrize("form", ["{}", "file:{}"])
def test_a_local_playlist_reads_local_files(large: Path, form: str) -> None:
    (large / "local.m3u8").write_text(playlist(form.format(large / "short.ts")))
    with Client(large / "local.m3u8", realtime="off", cache_size=100) as client:
        assert shown(client) == list(range(50))


def test_a_list_of_protocols_by_hand_counts_instead(large: Path, site: Site) -> None:
    (large / "local.m3u8").write_text(playlist(site.url("short.ts")))
    (large / "evil.m3u8").write_text(playlist(f"file://{large / 'short.ts'}"))
    cases: List[Any] = [(large / "local.m3u8", "file,http,tcp"), (site.url("evil.m3u8"), "http,tcp,file")]
    for url, protocols in cases:
        with Client(url, realtime="off", cache_size=100) as client:
            check_shows_nothing(client)
            client.parameters["protocol_whitelist"] = protocols
            assert shown(client) == list(range(50))
    with Client(site.url("short.ts"), protocol_whitelist="file,crypto") as client:
        with pytest.raises(errors.ConnectError):
            client.setup()


# ---- Options of libav's ----


def test_an_unknown_option_is_an_error_that_names_it(clips: Path, rtsp: RtspServer) -> None:
    for url in (clips / "video.mp4", rtsp.url()):
        with Client(url, **{"av.probesise": 100_000}) as client:
            with pytest.raises(errors.InvalidArgument, match="av.probesise"):
                client.setup()
            assert client.state is State.IDLE
            client.parameters["av.probesise"] = ""
            client.setup()


def test_an_unknown_option_fails_in_the_background_too(clips: Path) -> None:
    with Client(clips / "video.mp4", **{"av.nonsense": 1}) as client:
        client.setup(timeout=0)
        client.start()
        wait_failed(client, "av.nonsense")


def test_a_known_option_is_taken(large: Path, site: Site) -> None:
    with Client(site.url("short.ts"), **{"av.probesize": 100_000}) as client:
        client.setup()
    with Client(site.url("short.ts"), **{"av.user_agent": "a browser"}) as client:
        client.setup()
    assert site.user_agents[-1] == "a browser"


def held_back(clip: Path, **parameters: Any) -> int:
    """How many packets the decoder is ahead of its frames while a stream is shown at its pace."""
    with running(clip, threads=4, **parameters) as client:
        client.wait(10, timeout=PATIENCE)
        stats = client.stats()
        return stats.packets - stats.decoded


def test_an_option_reaches_the_decoder(clips: Path) -> None:
    """Threads on several pictures at once hand each of them out later, which is why they are not the default."""
    assert held_back(clips / "video.mp4") <= 1
    assert held_back(clips / "video.mp4", **{"av.thread_type": "frame"}) >= 3


# ---- Reading from a FIFO ----


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """A FIFO that nobody writes to."""
    os.mkfifo(tmp_path / "fifo")
    return tmp_path / "fifo"


@pytest.mark.parametrize("has_writer", [False, True], ids=["no writer", "a mute writer"])
def test_a_fifo_that_is_silent_costs_setup_the_time_allowed(fifo: Path, has_writer: bool) -> None:
    writer = os.open(fifo, os.O_RDWR) if has_writer else None
    with Client(fifo) as client:
        with pytest.raises(errors.Timeout):
            returns_within(1.5, lambda: client.setup(timeout=0.5))
        assert client.state is State.IDLE and client.stats().abandoned_threads == 0
    if writer is not None:
        os.close(writer)


@pytest.mark.parametrize("stop", [Client.terminate, Client.clear], ids=["terminate", "clear"])
def test_a_setup_that_waits_for_a_fifo_is_ended_at_once(fifo: Path, stop: Callable[[Client], None]) -> None:
    with Client(fifo) as client:
        worker = Worker(functools.partial(pytest.raises, errors.Stopped, client.setup))
        wait_until(lambda: client.state is State.CONNECTING, "setup waits")
        time.sleep(0.3)
        returns_within(STOP_LIMIT, lambda: stop(client))
        worker.finish()
        assert client.state is State.IDLE
        client.setup(timeout=0)
        client.start()
        time.sleep(0.3)
        returns_within(STOP_LIMIT, lambda: stop(client))
        assert client.stats().abandoned_threads == 0


def test_a_fifo_is_read_until_its_writer_ends(fifo: Path, large: Path) -> None:
    with Program("cp", large / "short.ts", fifo), running(fifo, realtime="off", cache_size=100) as client:
        with pytest.raises(errors.Ended):
            client.wait(NEVER, timeout=PATIENCE)
        assert client.state is State.ENDED and client.last_failure() is None
        assert numbers_of(client.read(50, order=Order.NEXT).frames) == list(range(50))
        assert client.stats().published == 50


def test_frames_of_a_fifo_come_while_its_writer_goes_on(fifo: Path, clips: Path) -> None:
    command = ["ffmpeg", "-loglevel", "quiet", "-nostdin", "-y", "-re", "-i", clips / "video.ts", "-c", "copy"]
    with Client(fifo) as client:
        with Program(*command, "-f", "mpegts", "-flush_packets", 1, fifo):
            client.setup(timeout=PATIENCE)
            client.start()
            newest = client.wait(10, timeout=PATIENCE)
            assert client.state is State.RUNNING and len(set(numbers_of(client.read(5).frames))) == 5
        # The writer was killed: that is the end, too.
        with pytest.raises(errors.Ended):
            client.wait(NEVER, timeout=PATIENCE)
        assert client.read(1).last_seq >= newest


def test_a_running_stream_of_a_fifo_that_falls_silent_is_ended_at_once(fifo: Path, large: Path) -> None:
    writer = os.open(fifo, os.O_RDWR)
    feed = Worker(lambda: fifo.write_bytes((large / "short.ts").read_bytes()) and None)
    with running(fifo, realtime="off") as client:
        client.wait(20, timeout=PATIENCE)
        feed.finish()
        time.sleep(0.3)
        returns_within(STOP_LIMIT, client.terminate)
        returns_within(STOP_LIMIT, client.clear)
        assert client.stats().abandoned_threads == 0
    os.close(writer)
