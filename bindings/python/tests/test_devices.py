"""Devices of libavdevice, which input_format names: a filter graph, a camera; and what stays closed without it."""

from __future__ import annotations

import ctypes
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mpegclient import Client, Order, State, build_info, errors
from support import PATIENCE, returns_within, wait_until

pytestmark = pytest.mark.skipif(" linked in" in build_info(), reason="a build with an FFmpeg of its own has no devices")

GRAPH = "testsrc2=size=160x120:rate=25:duration=2"


def test_a_filter_graph_is_read_to_its_end() -> None:
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", GRAPH, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    expected = np.frombuffer(raw, np.uint8).reshape(50, 120, 160, 3)
    with Client(GRAPH, input_format="lavfi", overflow="block", cache_size=60) as client:
        client.setup()
        client.start()
        wait_until(lambda: client.state is State.ENDED, "the end of the graph")
        batch = client.read(50, order=Order.NEXT, timeout=0)
        info = client.stream_info()
    assert [info.pts_ns for info in batch.infos] == [number * 40_000_000 for number in range(50)]
    assert np.abs(batch.frames.astype(int) - expected).mean() < 8, "other pictures: chroma is scaled in another way"
    assert (info.container, info.is_live, info.width, info.height) == ("lavfi", False, 160, 120)


def test_an_endless_filter_graph_runs_by_the_clock() -> None:
    with Client("testsrc2=size=160x120:rate=25", input_format="lavfi", cache_size=10) as client:
        client.setup()
        client.start()
        infos = client.read(10, order=Order.NEXT, timeout=PATIENCE).infos
        published = [info.published_monotonic_ns for info in infos]
        # A graph that nothing held back would publish these within some milliseconds.
        assert published[-1] - published[0] > 200_000_000
        returns_within(0.5, client.terminate)


@pytest.mark.parametrize("name", ["v4l2", "video4linux2", "fbdev"])
def test_a_camera_that_is_not_there_is_not_found(name: str) -> None:
    with Client("/dev/no-such-camera", input_format=name) as client:
        with pytest.raises(errors.NotFound, match="/dev/no-such-camera") as caught:
            client.setup()
        assert caught.value.retryable, "it may be plugged in later"


def test_what_is_no_camera_is_refused() -> None:
    for path in ("/dev/null", str(Path(__file__))):
        with Client(path, input_format="v4l2") as client, pytest.raises(errors.Error, match=re.escape(path)):
            client.setup(timeout=PATIENCE)


def test_an_unknown_name_is_named() -> None:
    with Client("x", input_format="no-such-format") as client:
        with pytest.raises(errors.Unsupported, match="input_format is no-such-format, expected .* demuxer or video device"):
            client.setup()


@pytest.mark.parametrize(
    "graph", ["movie=clip.mp4", "'mo'vi\\e=clip.mp4", "testsrc2,metadata=print:file='https\\://localhost/'"]
)  # fmt: skip
def test_a_filter_graph_opens_nothing_while_certificates_are_to_be_verified(graph: str) -> None:
    for name in ("lavfi", "LAVFI"):
        with Client(graph, input_format=name) as client, pytest.raises(errors.Unsupported, match="tls_verify"):
            client.setup()


def test_a_filter_graph_may_open_files_without_tls_verify(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mkv"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", GRAPH, "-c:v", "ffv1", clip], check=True)
    with Client(f"movie={clip},hflip", input_format="lavfi", tls_verify=False) as client:
        client.setup()
        client.start()
        assert client.read(1, timeout=PATIENCE).frames.shape == (1, 120, 160, 3)


PROGRAM = """
import mpegclient, sys
def loaded():
    return "libavdevice" in open("/proc/self/maps").read()
client = mpegclient.Client(sys.argv[1])
client.setup()
before = loaded()
client = mpegclient.Client(sys.argv[2], input_format="lavfi")
client.setup()
print(before, loaded())
"""


def test_libavdevice_is_loaded_when_a_device_is_named_and_not_before(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mkv"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", GRAPH, "-c:v", "ffv1", clip], check=True)
    result = subprocess.run([sys.executable, "-c", PROGRAM, clip, GRAPH], check=True, stdout=subprocess.PIPE, text=True)
    assert result.stdout.split() == ["False", "True"]


def test_an_address_alone_opens_no_device_after_another_client_has_opened_one() -> None:
    with Client(GRAPH, input_format="lavfi") as client:
        client.setup()
    found = re.search(r"\S+/libavformat\.so\.\d\S*", Path("/proc/self/maps").read_text())
    assert found is not None
    libavformat = ctypes.CDLL(found.group())
    libavformat.av_find_input_format.restype = ctypes.c_void_p
    libavformat.av_find_input_format.argtypes = [ctypes.c_char_p]
    assert libavformat.av_find_input_format(b"matroska") is not None
    for name in (b"lavfi", b"v4l2", b"x11grab"):
        assert libavformat.av_find_input_format(name) is None, "registered with libavformat, which probes it for every source"
    with Client(GRAPH) as client, pytest.raises(errors.NotFound):
        client.setup()
