"""The drop-in for mpegCoder, as its programs use it."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path
from typing import Any, Callable, Iterator

import numpy as np
import pytest

from mpegclient import LogLevel, errors, mpegcoder, set_log_level
from support import PATIENCE, RtspServer, free_port, returns_within, run_python, wait_until

#: A program for mpegCoder, with nothing changed but its import line.
PROGRAM = """
import time
from mpegclient import mpegcoder as mpegCoder
mpegCoder.setGlobal(dumpLevel=2)
d = mpegCoder.MpegClient()
d.setParameter(widthDst=480, heightDst=360, dstFrameRate=(5,1), readSize=5, cacheSize=12)
success = d.FFmpegSetup(b'rtsp://localhost:8554/video')
print(d)
if not success: exit()
d.start()
time.sleep(5)
p = d.ExtractFrame(); print(p.shape)      # (5, 360, 480, 3)
d.terminate(); d.clear()
"""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What setGlobal changes counts for the whole process."""
    yield
    mpegcoder._dump_level = 1
    set_log_level(LogLevel.QUIET)


@pytest.fixture
def d(server: RtspServer) -> Iterator[mpegcoder.MpegClient]:
    """A client with the parameters of the program, running."""
    client = mpegcoder.MpegClient()
    client.setParameter(widthDst=480, heightDst=360, dstFrameRate=(5, 1), readSize=5, cacheSize=12)
    assert client.FFmpegSetup(server.url().encode())
    client.start()
    yield client
    client.clear()


def test_the_program_runs_as_it_is(server: RtspServer) -> None:
    result = run_python(["-c", PROGRAM.replace("8554", str(server.port))])
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[-1] == "(5, 360, 480, 3)"
    assert f"rtsp://localhost:{server.port}/video" in result.stdout


def test_parameters_have_their_names_of_old() -> None:
    d = mpegcoder.MpegClient()
    d.setParameter(480, 360, (5, 1), 5, 12, 2, videoAddress=b"rtsp://camera/1")
    expected = {
        "widthDst": 480,
        "heightDst": 360,
        "dstFrameRate": (5, 1),
        "readSize": 5,
        "cacheSize": 12,
        "nthread": 2,
        "videoAddress": "rtsp://camera/1",
    }
    assert {name: d.getParameter(name) for name in expected} == expected
    d.setParameter(readSize=3)
    d.setParameter(dstFrameRate=Fraction(25, 2))
    d.resetPath("rtsp://camera/2")
    assert (d.getParameter("readSize"), d.getParameter("cacheSize")) == (3, 12)
    assert (d.getParameter("dstFrameRate"), d.getParameter("videoAddress")) == ((25, 2), "rtsp://camera/2")
    with pytest.raises(ValueError, match="width"):
        d.setParameter(widthDst=-1)


def test_what_is_known_before_setup() -> None:
    d = mpegcoder.MpegClient()
    for name in ("width", "height", "coderName", "srcFrameRate", "duration", "estFrameNum", "bitRate", "nonsense"):
        assert d.getParameter(name) is None
    assert d.getParameter("frameCount") == 0
    assert d.getParameter() == {"videoAddress": b"", "codecName": b"", "nthread": 0}


def test_what_is_known_of_a_stream(d: mpegcoder.MpegClient, server: RtspServer) -> None:
    assert len(d.ExtractFrame()) == 5
    assert (d.getParameter("width"), d.getParameter("height")) == (320, 240)
    assert d.getParameter("coderName") == "h264"
    wait_until(lambda: d.getParameter("frameCount") >= 5, "five frames are counted")
    assert d.getParameter("srcFrameRate") == pytest.approx(25, rel=0.2)
    assert d.getParameter("duration") is None and d.getParameter("estFrameNum") is None
    values = d.getParameter()
    values.pop("frameRate", None)
    assert values == {
        "videoAddress": server.url().encode(),
        "codecName": b"h264",
        "nthread": 0,
        "widthDst": 480,
        "heightDst": 360,
        "width": 320,
        "height": 240,
    }


def test_what_is_known_of_a_file(media: Path) -> None:
    d = mpegcoder.MpegClient()
    assert d.FFmpegSetup(str(media / "video.mp4"))
    assert d.getParameter("duration") == pytest.approx(4, rel=0.05)
    assert d.getParameter("estFrameNum") == pytest.approx(100, rel=0.05)
    assert d.getParameter("srcFrameRate") == pytest.approx(25)
    assert d.getParameter()["frameRate"] == (25, 1)
    d.clear()


def test_the_description_shows_no_password(start_server: Callable[..., RtspServer], capsys: Any) -> None:
    server = start_server("--user", "bob", "--password", "hunter2")
    d = mpegcoder.MpegClient()
    assert d.FFmpegSetup(server.url(userinfo="bob:hunter2@"))
    d.dumpFile()
    # Not the same as str(d) a moment later: the counters go on.
    assert capsys.readouterr().out.splitlines()[0] == str(d).splitlines()[0]
    assert "hunter2" not in str(d) and "h264" in str(d) and "READY" in repr(d)
    d.clear()


# ---- Setup that fails ----


def test_a_failure_is_false_and_one_line_without_credentials(capsys: pytest.CaptureFixture[str]) -> None:
    d = mpegcoder.MpegClient()
    url = f"rtsp://bob:hunter2@127.0.0.1:{free_port()}/video"
    assert d.FFmpegSetup(url) is False
    written = capsys.readouterr().err
    assert written.startswith("mpegclient: FFmpegSetup failed: ") and written.count("\n") == 1
    assert "hunter2" not in written
    mpegcoder.setGlobal(dumpLevel=0)
    assert d.FFmpegSetup() is False
    assert capsys.readouterr().err == ""
    assert d.getParameter("videoAddress") == url


def test_the_default_address_is_the_one_of_resetPath(server: RtspServer) -> None:
    d = mpegcoder.MpegClient()
    d.resetPath(server.url().encode())
    assert d.FFmpegSetup() and d.FFmpegSetup(b"")
    d.clear()
    assert d.getParameter("videoAddress") == server.url()


def test_a_parameter_that_cannot_be_used_is_a_ValueError(server: RtspServer) -> None:
    d = mpegcoder.MpegClient()
    d.setParameter(readSize=13, cacheSize=12)
    with pytest.raises(ValueError, match="cache_size"):
        d.FFmpegSetup(server.url())
    with pytest.raises(ValueError, match="url"):
        mpegcoder.MpegClient().FFmpegSetup()
    with pytest.raises(ValueError, match="dumpLevel"):
        mpegcoder.setGlobal(dumpLevel=3)


def test_after_setup_the_size_is_known_and_no_frame_comes_before_start(server: RtspServer) -> None:
    d = mpegcoder.MpegClient()
    d.setParameter(readSize=1)
    assert d.FFmpegSetup(server.url())
    assert (d.getParameter("width") // 2, d.getParameter("height") // 2) == (160, 120)
    assert d.getParameter("srcFrameRate") == pytest.approx(25, abs=5)
    assert d.ExtractFrame() is None
    d.start()
    assert d.ExtractFrame().shape == (1, 240, 320, 3)
    d.clear()


# ---- ExtractFrame ----


def test_frames_are_the_newest_and_move_forward(d: mpegcoder.MpegClient) -> None:
    frames = d.ExtractFrame()
    assert frames.shape == (5, 360, 480, 3) and frames.dtype == np.uint8 and frames.flags.owndata
    assert d.ExtractFrame(2).shape == d.ExtractFrame(readSize=2).shape == (2, 360, 480, 3)
    last = frames[-1]
    for _ in range(10):
        time.sleep(0.25)
        frames = d.ExtractFrame()
        assert len(frames) == 5 and not np.array_equal(frames[-1], last)
        last = frames[-1]


def test_every_frame_kept_is_a_real_one(server: RtspServer) -> None:
    d = mpegcoder.MpegClient()
    d.setParameter(readSize=12, cacheSize=12)
    assert d.FFmpegSetup(server.url())
    d.start()
    frames = d.ExtractFrame()
    assert frames.shape == (12, 240, 320, 3)
    # Two pictures in a row differ, and none of the clip's is dark or of one colour.
    assert all(not np.array_equal(one, other) for one, other in zip(frames, frames[1:]))
    assert all(40 < frame.mean() < 215 and frame.std() > 30 for frame in frames)
    d.clear()


def test_more_frames_than_are_kept_are_a_ValueError(d: mpegcoder.MpegClient) -> None:
    with pytest.raises(ValueError, match="cache_size"):
        d.ExtractFrame(13)
    with pytest.raises(ValueError):
        d.ExtractFrame(-1)


def test_there_are_no_frames_while_the_stream_does_not_run(d: mpegcoder.MpegClient, server: RtspServer) -> None:
    before = d._client.wait(timeout=PATIENCE)
    d.terminate()
    assert d.ExtractFrame() is None
    d.start()
    # Frames again, and none of those from before.
    assert d.ExtractFrame(1).shape == (1, 360, 480, 3)
    assert d._client.stats().oldest_seq <= before < d._client.stats().newest_seq
    d.clear()
    assert d.ExtractFrame() is None
    with pytest.raises(errors.BadState):
        d.start()
    assert d.FFmpegSetup(server.url())
    assert d.ExtractFrame() is None


def test_there_are_none_after_the_end(media: Path) -> None:
    d = mpegcoder.MpegClient()
    assert d.FFmpegSetup(media / "short.mp4")
    d.start()
    assert len(d.ExtractFrame()) == 1
    wait_until(lambda: d.ExtractFrame() is None, "the file has ended")
    d.clear()


@pytest.mark.parametrize(("size", "shape"), [({}, (0, 0, 0, 3)), ({"widthDst": 64, "heightDst": 48}, (0, 48, 64, 3))])
def test_a_living_stream_without_a_frame_gives_none_of_them(
    media: Path, start_server: Callable[..., RtspServer], size: Any, shape: Any
) -> None:
    server = start_server(f"/keyless={media / 'keyless.h264'},h264,25")
    d = mpegcoder.MpegClient()
    d.setParameter(**size)
    d._client.parameters["read_timeout"] = 500
    assert d.FFmpegSetup(server.url("/keyless"))
    d.start()
    begun = time.monotonic()
    frames = d.ExtractFrame()
    assert frames.shape == shape and frames.dtype == np.uint8
    assert time.monotonic() - begun >= 0.5
    d.clear()


def test_a_frozen_server_means_none_and_holds_nothing_up(start_server: Callable[..., RtspServer]) -> None:
    server = start_server()
    d = mpegcoder.MpegClient()
    d.setParameter(readSize=8)
    assert d.FFmpegSetup(server.url())
    d.start()
    assert len(d.ExtractFrame()) == 8
    server.freeze()
    # STALLED comes after half of the 5 s that make a stream a lost one; a read that waits then ends with it.
    begun = time.monotonic()
    wait_until(lambda: d.ExtractFrame() is None, "the stall is noticed")
    assert 2 < time.monotonic() - begun < 10
    server.thaw()
    wait_until(lambda: d.ExtractFrame() is not None, "the stream runs again")
    server.freeze()
    returns_within(0.7, d.terminate)
    returns_within(0.7, d.clear)


def test_a_server_that_comes_back_gives_its_own_frames(start_server: Callable[..., RtspServer]) -> None:
    server = start_server()
    d = mpegcoder.MpegClient()
    assert d.FFmpegSetup(server.url())
    d.start()
    assert len(d.ExtractFrame()) == 1
    server.stop()
    wait_until(lambda: d.ExtractFrame() is None, "the loss is noticed")
    start_server("--port", str(server.port))
    wait_until(lambda: d.ExtractFrame() is not None, "the stream is back")
    assert d._client.read(1).generation == d._client.stats().connects > 1
    d.clear()


def test_a_read_that_waits_ends_when_the_stream_stalls(start_server: Callable[..., RtspServer]) -> None:
    server = start_server()
    d = mpegcoder.MpegClient()
    d.setParameter(cacheSize=100, readSize=100)
    d._client.parameters["read_timeout"] = 60_000
    d._client.parameters["stall_timeout"] = 1000
    assert d.FFmpegSetup(server.url())
    d.start()
    assert len(d.ExtractFrame(1)) == 1
    server.freeze()
    begun = time.monotonic()
    assert d.ExtractFrame() is None
    assert time.monotonic() - begun < 10
    d.clear()
