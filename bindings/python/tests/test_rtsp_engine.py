"""Which engine reads rtsp://, and what is told of it."""

from __future__ import annotations

from pathlib import Path
from typing import Dict

import pytest
from live import running
from mpegclient import Client, Status, errors
from support import PATIENCE, RtspServer

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
