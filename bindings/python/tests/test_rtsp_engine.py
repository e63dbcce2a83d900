"""Which engine reads rtsp://, and what is told of it."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Dict, Iterator, List

import pytest
from live import STOP_LIMIT, black_hole, footprint, running
from mpegclient import Client, LogLevel, Status, errors, set_log_callback, set_log_level
from support import PATIENCE, SUPPORT, RtspServer, wait_until

sys.path.insert(0, str(SUPPORT))
import scripted_rtsp  # noqa: E402 (found only now)
from scripted_rtsp import Mount, ScriptedRtsp  # noqa: E402

pytest_plugins = ["live_fixtures"]

CHOICES = [
    ({}, "native"),
    ({"transport": "tcp"}, "native"),
    ({"transport": "udp"}, "libav"),
    ({"av.rtsp_flags": "prefer_tcp"}, "libav"),
    ({"rtsp_engine": "libav"}, "libav"),
    ({"rtsp_engine": "native", "transport": "udp"}, "native"),
]


@pytest.mark.parametrize(("parameters", "engine"), CHOICES)
def test_the_engine_is_chosen_by_what_is_asked_for_and_told(
    rtsp: RtspServer, parameters: Dict[str, str], engine: str
) -> None:
    with Client(rtsp.url()) as client:
        for name, value in parameters.items():
            client.parameters[name] = value
        client.setup()
        client.start()
        client.wait(timeout=PATIENCE)
        assert (client.stream_info().engine, client.stream_info().container) == (engine, "rtsp")


def test_the_native_engine_is_ended_without_leaving_a_thread_behind(rtsp: RtspServer) -> None:
    with Client(rtsp.url(), rtsp_engine="native") as client:
        client.setup()
        for _ in range(12):
            client.start()
            client.wait(after=client.stats().newest_seq, timeout=PATIENCE)
            client.terminate()
        assert client.stats().abandoned_threads == 0


def test_a_server_without_tcp_is_left_to_libav_unless_native_is_asked_for(clips: Path) -> None:
    with RtspServer("--transport", "udp", f"/video={clips / 'video.h264'},h264,25") as server:
        for asked, engine in [("auto", "libav"), ("native", "native")]:
            with running(server.url(), rtsp_engine=asked) as client:
                client.wait(timeout=PATIENCE)
                assert client.stream_info().engine == engine


def test_what_the_native_engine_does_not_know_is_refused_where_it_is_asked_for() -> None:
    with Client("rtsps://127.0.0.1:1/video", rtsp_engine="native") as client:
        with pytest.raises(errors.Error) as caught:
            client.setup()
        assert caught.value.status == Status.UNSUPPORTED and "TLS" in str(caught.value)


# ---- Servers with ideas of their own ----


@pytest.fixture
def log() -> Iterator[List[str]]:
    """What the library logs."""
    lines: List[str] = []
    set_log_level(LogLevel.INFO)
    set_log_callback(lambda _level, line: lines.append(line))
    yield lines
    set_log_level(LogLevel.QUIET)
    set_log_callback(None)


@pytest.mark.parametrize("answer", ["301 Moved Permanently", "302 Found"])
def test_a_redirection_is_followed_by_libav_and_that_is_told(clips: Path, log: List[str], answer: str) -> None:
    target = scripted_rtsp.mount((clips / "video.h264").read_bytes(), "h264", interval=0.04, is_finite=False)
    with ScriptedRtsp({"/target": target}) as server:
        moved = (f"RTSP/1.0 {answer}\r\nLocation: {server.url('/target')}", b"")
        server.mounts["/moved"] = Mount("", [], answers={"DESCRIBE": moved})
        server.go.set()
        with running(server.url("/moved")) as client:
            client.wait(5, timeout=PATIENCE)
            assert client.stream_info().engine == "libav"
        told = [line for line in log if line.startswith("left to libavformat")]
        assert told and answer[:3] in told[0]
        with Client(server.url("/moved"), rtsp_engine="native") as client, pytest.raises(errors.Error) as caught:
            client.setup(timeout=PATIENCE)
        assert answer[:3] in str(caught.value)


def test_requests_carry_the_name_of_the_server(clips: Path) -> None:
    sent = scripted_rtsp.mount((clips / "video.h264").read_bytes(), "h264", interval=0.04, is_finite=False)
    with ScriptedRtsp({"/": sent}) as server, running(server.url(host="localhost"), rtsp_engine="native") as client:
        server.go.set()
        client.wait(timeout=PATIENCE)
        assert len(server.requests) >= 3
        assert all(f"rtsp://localhost:{server.port}/" in request for request in server.requests), server.requests


def test_an_answer_without_end_is_ended_in_time(clips: Path) -> None:
    """It is kept while it comes: for as long as the setup may take, and no longer."""
    endless = ("RTSP/1.0 200 OK\r\nContent-Type: application/sdp\r\nContent-Length: 1000000000000000", b"v" * 20_000_000)
    with ScriptedRtsp({"/": Mount("", [], answers={"DESCRIBE": endless})}) as server:
        before = footprint()
        for _ in range(3):
            with Client(server.url(), rtsp_engine="native") as client:
                begun = time.monotonic()
                with pytest.raises(errors.Timeout):
                    client.setup(timeout=0.5)
                assert time.monotonic() - begun < 0.5 + STOP_LIMIT
        # The server's own threads are among them.
        wait_until(lambda: footprint().threads <= before.threads, "the threads of all have ended")


# ---- Ending it ----

def test_the_native_engine_ends_in_time_whatever_it_waits_for(clips: Path) -> None:
    sent = scripted_rtsp.mount((clips / "video.h264").read_bytes()[:40_000], "h264", is_finite=False)
    steps = ["DESCRIBE", "SETUP", "PLAY"]
    mounts = {f"/{step}": Mount(sent.sdp, sent.packets, answers={step: None}) for step in steps}
    with ScriptedRtsp({**mounts, "/silent": sent}) as server, black_hole() as dead, RtspServer(
        f"/video={clips / 'video.h264'},h264,25"
    ) as playing:
        server.go.set()
        urls = [server.url(path) for path in server.mounts]
        for url in [*urls, f"rtsp://127.0.0.1:{dead}/calling", playing.url()]:
            with Client(url, rtsp_engine="native", first_frame_timeout=10_000, stall_timeout=10_000) as client:
                client.setup(timeout=0)
                client.start()
                time.sleep(0.4)
                begun = time.monotonic()
                client.terminate()
                assert time.monotonic() - begun < STOP_LIMIT, url
                assert client.stats().abandoned_threads == 0, url


def test_sessions_leave_nothing_behind(rtsp: RtspServer) -> None:
    """A thousand of them in the longer run, which takes minutes."""

    def once() -> None:
        with running(rtsp.url("/intra"), rtsp_engine="native", cache_size=2) as client:
            client.wait(timeout=PATIENCE)
            assert client.stats().abandoned_threads == 0

    for _ in range(10):
        once()
    before = footprint()
    for _ in range(1000 if "MPEGCLIENT_TEST_ALL" in os.environ else 20):
        once()
    wait_until(lambda: footprint().threads <= before.threads, "the threads of all have ended")
    after = footprint()
    assert after.descriptors <= before.descriptors, (before, after)
    assert after.memory - before.memory < 20_000_000, (before, after)
