"""Real pictures over every protocol, from real servers, and the truth about each stream."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, List

import numpy as np
import pytest

from live import NEVER, RATE, STOP_LIMIT, Nginx, fastest, is_bound, listening, mjpeg_server, number_of, numbers_of
from live import pts_steps_ms, running, sending, steps, vlc
import mpegclient
from mpegclient import Batch, Client, Order, State, Status, errors
from support import PATIENCE, RtspServer, free_port, returns_within
from web import Site, answering

pytest_plugins = ["live_fixtures"]

#: What every test here asks for: of 25 frames a second each fifth, in half the size.
WANTED = {"width": 160, "height": 120, "frame_rate": (5, 1), "read_size": 5, "cache_size": 12}


def check_batch(batch: Batch) -> None:
    """Five clean pictures, each the fifth after the one before, 200 ms apart by the stream's own clock."""
    assert batch.frames.shape == (5, 120, 160, 3) and batch.frames.dtype == np.uint8
    assert steps(numbers_of(batch.frames)) == [5] * 4
    # FLV counts in milliseconds, everything else here is finer.
    assert pts_steps_ms(batch) == pytest.approx([200] * 4, abs=1.5)


def check_running(client: Client, container: str, *, is_live: bool) -> None:
    """Two batches of a running client, one after the other, and what is known of the stream."""
    # The first frame's time is a test of its own, below.
    first = client.read(after=client.wait(timeout=PATIENCE), timeout=PATIENCE)
    second = client.read(after=first.last_seq, timeout=PATIENCE)
    for batch in (first, second):
        check_batch(batch)
    assert second.first_seq > first.last_seq
    first_pts, second_pts = first.infos[-1].pts_ns, second.infos[0].pts_ns
    assert first_pts is not None and second_pts is not None and first_pts < second_pts
    info = client.stream_info()
    assert container in info.container.split(",")
    assert (info.is_live, info.width, info.height, info.generation) == (is_live, 320, 240, 1)
    assert info.measured_frame_rate == pytest.approx(RATE, rel=0.1)
    assert client.state is State.RUNNING
    assert client.stats().decode_errors == 0 and client.last_failure() is None


def check_stopping(client: Client) -> None:
    """Terminates a running client and clears it."""
    returns_within(STOP_LIMIT, client.terminate)
    assert client.state.name == "STOPPED"
    last = client.read(5, timeout=0)
    assert len(last) == 5
    time.sleep(0.3)
    assert client.read(5, timeout=0).last_seq == last.last_seq, "a frame after terminate"
    returns_within(STOP_LIMIT, client.clear)
    assert client.state.name == "IDLE"


def check(url: Any, container: str, *, is_live: bool = True, **parameters: Any) -> None:
    """A stream from setup to clear, then cleared once more while it runs."""
    with running(url, **WANTED, **parameters) as client:
        check_running(client, container, is_live=is_live)
        check_stopping(client)


def check_clear_while_it_runs(url: Any, **parameters: Any) -> None:
    """For servers that take a second client."""
    with running(url, **WANTED, **parameters) as client:
        client.wait(timeout=PATIENCE)
        returns_within(STOP_LIMIT, client.clear)
        assert client.state is State.IDLE


# ---- RTSP ----


@pytest.mark.parametrize("transport", ["tcp", "udp", "auto"])
def test_rtsp(rtsp: RtspServer, transport: str) -> None:
    check(rtsp.url(), "rtsp", transport=transport)
    check_clear_while_it_runs(rtsp.url(), transport=transport)


def test_rtsp_with_h265(rtsp: RtspServer) -> None:
    with running(rtsp.url("/h265"), cache_size=12) as client:
        frames = client.read_latest(12, timeout=PATIENCE)
        assert steps(numbers_of(frames), 250) == [1] * 11
        assert client.stream_info().codec == "hevc"


@pytest.mark.parametrize("path", ["/video", "/h265"])
def test_the_first_frame_over_rtsp_has_a_timestamp_as_all_others_have(clips: Path, path: str) -> None:
    mounts = [f"/video={clips / 'video.h264'},h264,25", f"/h265={clips / 'video.h265'},h265,25"]
    # A server of its own, so that this client is there when the stream begins.
    with RtspServer(*mounts) as server, running(server.url(path), **WANTED) as client:
        batch = client.read(order=Order.NEXT, timeout=PATIENCE)
        # Some servers send the first picture at once: if the next one comes before the client starts, that is the newest.
        assert batch.first_seq == 1 and batch.infos[0].pts_ns == number_of(batch.frames[0]) * 10**9 // RATE
        check_batch(batch)


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_the_first_picture_over_rtsp_is_shown_before_the_second_comes(clips: Path, transport: str) -> None:
    mount = f"/video={clips / 'intra.h264'},h264,0.5"
    with RtspServer(mount) as server, running(server.url(), rtsp_engine="native", transport=transport) as client:
        assert number_of(client.read(order=Order.NEXT, timeout=PATIENCE).frames[0]) == 0
        assert client.stats().dropped_at_start == 0


def test_rtsp_from_a_server_that_refuses_tcp_with_461(clips: Path) -> None:
    with RtspServer("--transport", "udp", f"/video={clips / 'video.h264'},h264,25") as server:
        check(server.url(), "rtsp")
        with Client(transport="tcp") as client, pytest.raises(errors.ConnectError, match="461"):
            client.setup(server.url())


def test_rtsp_from_vlc_which_refuses_tcp_with_461(clips: Path) -> None:
    with vlc(clips / "video.mp4") as url:
        check(url, "rtsp")


# ---- RTMP, HTTP, SRT, UDP ----


def test_rtmp(web: Nginx) -> None:
    check(web.rtmp, "flv")
    check_clear_while_it_runs(web.rtmp)


def test_http_with_a_transport_stream(clips: Path) -> None:
    with listening(clips / "video.ts", "http://127.0.0.1:{port}/video.ts", "-f", "mpegts", "-listen", 1) as url:
        check(url, "mpegts")


def test_http_with_jpegs(clips: Path) -> None:
    with mjpeg_server(clips / "video.mjpeg") as url:
        check(url, "mpjpeg")
        check_clear_while_it_runs(url)


def test_srt(clips: Path) -> None:
    with listening(clips / "video.ts", "srt://127.0.0.1:{port}?mode=listener", "-f", "mpegts", protocol="udp") as url:
        check(url, "mpegts")


def test_udp_with_a_transport_stream(clips: Path) -> None:
    port = free_port()
    url = f"udp://127.0.0.1:{port}"
    with sending(clips / "video.ts", "-f", "mpegts", f"{url}?pkt_size=1316"):
        check(url, "mpegts")
        check_clear_while_it_runs(url)
        assert not is_bound(port, "udp"), "a socket that clear left open"


# ---- HLS ----


def test_hls(web: Nginx) -> None:
    check(web.hls, "hls")
    check_clear_while_it_runs(web.hls)


def test_hls_which_comes_a_segment_at_a_time_is_shown_at_its_own_pace(web: Nginx) -> None:
    published: List[int] = []
    with running(web.hls, width=160, height=120, cache_size=50) as client:
        after = 0
        begun, first = time.monotonic(), client.wait(timeout=PATIENCE)
        while after < first + 4 * RATE:
            batch = client.read(5, order=Order.NEXT, after=after, timeout=PATIENCE)
            after = batch.last_seq
            published += [info.published_monotonic_ns or 0 for info in batch.infos]
        took = time.monotonic() - begun
    # A segment of two seconds at once would be 50 frames in no time. A machine under load may catch up a little.
    assert fastest(RATE, published) > 0.5
    assert took > 3


# ---- Files ----


def as_path(file: Path) -> Any:
    return file


def as_url(file: Path) -> Any:
    return f"file:{file}"


def as_bytes(file: Path) -> Any:
    return bytes(file)


@pytest.mark.parametrize("address", [as_path, str, as_url, as_bytes])
def test_a_file(clips: Path, address: Any) -> None:
    check(address(clips / "video.mp4"), "mp4", is_live=False)
    check_clear_while_it_runs(address(clips / "video.mp4"))


def test_a_file_ends_and_its_last_frames_stay_readable(clips: Path) -> None:
    begun = time.monotonic()
    with running(clips / "short.mp4", cache_size=12) as client:
        with pytest.raises(errors.Ended):
            client.wait(NEVER, timeout=PATIENCE)
        took = time.monotonic() - begun
        assert client.state is State.ENDED
        assert client.stats().published == 50
        last = client.read(12)
        assert numbers_of(last.frames) == list(range(38, 50)) and last.last_seq == 50
        with pytest.raises(errors.Ended):
            client.read(1, after=last.last_seq)
        info = client.stream_info()
        assert info.duration_ns == pytest.approx(2e9, rel=0.05) and not info.is_live
        assert client.last_failure() is None, "the end of a file is no failure"
        for stop in (client.terminate, client.clear):
            returns_within(STOP_LIMIT, stop)
    # 50 frames are shown in the time that they take, not as fast as they can be read.
    assert 1.5 < took < PATIENCE


def test_a_file_read_without_loss(clips: Path) -> None:
    with running(clips / "short.mp4", cache_size=50, realtime="off") as client:
        shown: List[int] = []
        with pytest.raises(errors.Ended):
            while True:
                batch = client.read(7, order=Order.NEXT, after=len(shown), timeout=PATIENCE)
                shown += numbers_of(batch.frames)
        assert shown == list(range(50))


# ---- What cameras send otherwise than FFmpeg expects ----


def flv(*bodies: bytes) -> bytes:
    """A live FLV stream of video tags with these bodies."""
    tags = [
        b"\x09" + len(body).to_bytes(3, "big") + bytes(7) + body + (11 + len(body)).to_bytes(4, "big") for body in bodies
    ]
    return b"FLV\x01\x01\0\0\0\x09" + bytes(4) + b"".join(tags)


@pytest.mark.parametrize(
    "head, name",
    [(b"\x1c\0\0\0\0", "H.265"), (b"\x90hvc1", "H.265"), (b"\x90av01", "AV1")],
    ids=["codec id 12", "enhanced H.265", "enhanced AV1"],
)
def test_flv_with_a_codec_that_ffmpeg_lacks_is_unsupported_at_once(head: bytes, name: str) -> None:
    frame = bytes([head[0] & 0xF0 | 0x0C if head[0] < 0x80 else 0x93]) + head[1:]
    with answering("video/x-flv", flv(head + bytes(40), *[frame + bytes(400)] * 40)) as url, Client(url) as client:
        try:
            client.setup(timeout=3)
        except errors.Unsupported as error:
            assert name in str(error)
            failure = client.last_failure()
            assert failure is not None and failure.status is Status.UNSUPPORTED and not failure.retryable
        except errors.Timeout:
            pytest.fail("the stream was waited for")
        except errors.Error:
            # FFmpeg from 6.1 on reads enhanced FLV, and refuses this content.
            assert head[0] >= 0x80 and not ffmpeg_is_5()


def ffmpeg_is_5() -> bool:
    return "libavformat 59." in mpegclient.build_info()


def test_jpegs_over_http_without_a_first_boundary(clips: Path) -> None:
    jpegs = [b"\xff\xd8\xff" + rest for rest in (clips / "video.mjpeg").read_bytes().split(b"\xff\xd8\xff")[1:]]
    between = b"\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n"
    content = "multipart/x-mixed-replace; boundary=frame"
    with answering(content, between.join(jpegs[:20])) as url, Client(url, cache_size=20) as client:
        client.setup(timeout=PATIENCE)
        client.start()
        # What was there before it was started is the past, up to the newest picture.
        assert number_of(client.read(1, timeout=PATIENCE).frames[0]) < 20
        assert client.stream_info().codec == "mjpeg" and client.stream_info().is_live


def test_a_page_that_is_no_video_is_not_taken_for_jpegs() -> None:
    with answering("text/html", b"<html>" + b"x" * 4000) as url, Client(url, setup_timeout=3000) as client:
        with pytest.raises(errors.Error) as raised:
            client.setup()
        assert not isinstance(raised.value, errors.NoVideo) and client.stats().packets == 0


@pytest.mark.parametrize("zone", ["%1", "%251"])
def test_the_zone_of_an_ipv6_address_is_written_plainly_or_as_in_a_url(clips: Path, zone: str) -> None:
    with Site(clips, address="::1") as site:
        url = site.url("video.ts", host=f"[::1{zone}]")
        with Client(url, realtime="off") as client:
            client.setup(timeout=PATIENCE)
            assert client.stream_info().width > 0
