"""Files read without loss, and the choice among several streams: against what the ffmpeg programs say of them."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path
from typing import Any, Dict, List, Optional

import numpy as np
import pytest

from live import frames_of, run_ffmpeg
from mpegclient import Client, Order, State, Status, errors

#: Two seconds of pictures that are all different.
SOURCE = ["-f", "lavfi", "-i", "testsrc2=s=128x96:r=25:d=2"]
X264 = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-g", 12]

#: Files of every kind: codecs, containers, orders of pictures, clocks.
ZOO: Dict[str, List[Any]] = {
    "b-frames.mp4": [*X264, "-bf", 3],
    "open-gop.mkv": [*X264, "-bf", 3, "-x264-params", "open-gop=1"],
    "annex-b.h264": [*X264, "-bf", 2, "-x264-params", "b-pyramid=none"],
    "interlaced.ts": [*X264, "-flags", "+ilme+ildct", "-x264-params", "tff=1"],
    "hevc.ts": ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:keyint=12:bframes=3"],
    "mpeg2.mpg": ["-c:v", "mpeg2video", "-bf", 2, "-g", 12],
    "mpeg4.avi": ["-c:v", "mpeg4", "-bf", 2],
    "flash.flv": [*X264, "-bf", 0],
    "vp8.webm": ["-c:v", "libvpx", "-deadline", "realtime", "-auto-alt-ref", 1, "-lag-in-frames", 8],
    "vp9.webm": ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", 8],
    "motion.mjpeg": ["-c:v", "mjpeg", "-pix_fmt", "yuvj420p"],
    "lossless.mkv": ["-c:v", "ffv1"],
    "paletted.gif": [],
    "uneven.mkv": [*X264, "-vf", "setpts='PTS+0.03*mod(N,3)/TB'", "-fps_mode", "vfr"],
    "one.png": ["-frames:v", 1],
}


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("zoo")
    for name, options in ZOO.items():
        run_ffmpeg(*SOURCE, *options, folder / name)
    run_ffmpeg("-i", folder / "b-frames.mp4", "-c", "copy", folder / "whole.ts")
    stream = (folder / "whole.ts").read_bytes()
    # One whose end is missing, one that begins in the middle, one whose clock begins anew.
    (folder / "truncated.ts").write_bytes(stream[: len(stream) * 2 // 3])
    (folder / "middle.ts").write_bytes(stream[len(stream) // 3 // 188 * 188 :])
    (folder / "twice.ts").write_bytes(stream + stream)
    return folder


@pytest.mark.parametrize("name", [*ZOO, "truncated.ts", "middle.ts", "twice.ts"])
def test_every_frame_of_a_file_is_read_once_and_in_order(zoo: Path, name: str) -> None:
    expected = frames_of(zoo / name)
    with Client(str(zoo / name), overflow="block", cache_size=4) as client:
        client.setup()
        client.start()
        infos = read_slowly(client)
        assert client.state is State.ENDED
        # What was read last is still there.
        assert client.read(1, timeout=0).last_seq == infos[-1].seq
    assert [info.seq for info in infos] == list(range(1, len(expected) + 1))
    times = [info.pts_ns for info in infos]
    assert times == sorted(times)
    # One clock is set back.
    if name != "twice.ts":
        assert_times(times, expected)


def assert_times(times: List[int], expected: List[Optional[float]]) -> None:
    """Fails unless frames have the times that ffprobe has, in nanoseconds, as far as it has one, and never go back."""
    known = np.array([time is not None for time in expected])
    best = np.maximum.accumulate(np.array(expected, float)[known]) if known.any() else np.array([])
    np.testing.assert_allclose(np.array(times)[known] / 1e9, best, atol=2e-6)


# ---- Presentation and decoding times ----

#: Four seconds at 25 frames a second.
LONGER = ["-f", "lavfi", "-i", "testsrc2=s=128x96:r=25:d=4"]

#: Encoders by the containers that take their streams, each with and without B-frames.
CONTAINERS: Dict[str, List[str]] = {
    "libx264": ["avi", "mkv", "mp4", "mov", "ts", "mpg", "vob", "asf", "flv", "mxf", "nut", "h264"],
    "libx265": ["mkv", "mp4", "mov", "ts", "nut", "hevc"],
    "mpeg2video": ["avi", "mkv", "mp4", "mov", "ts", "mpg", "vob", "asf", "mxf", "nut", "m2v"],
    "mpeg1video": ["avi", "mpg", "m1v"],
    "mpeg4": ["avi", "mkv", "mp4", "mov", "ts", "mpg", "asf", "nut", "m4v"],
    "libxvid": ["avi", "m4v"],
    "wmv2": ["asf", "wmv", "avi"],
    "libtheora": ["ogg"],
}

#: Encoders that make no B-frames.
SIMPLE = ("wmv2", "libtheora")


def encoder_options(encoder: str, b_frames: int) -> List[Any]:
    """Options of the ffmpeg program for an encoder, with a key frame every 12 pictures."""
    own: Dict[str, List[Any]] = {
        "libx264": ["-preset", "veryfast"],
        "libx265": ["-preset", "ultrafast", "-x265-params", f"log-level=error:keyint=12:bframes={b_frames}"],
    }
    return ["-c:v", encoder, "-pix_fmt", "yuv420p", "-g", 12, "-bf", b_frames, *own.get(encoder, [])]


def read_times(path: Path, **parameters: Any) -> List[int]:
    """The times of all frames of a file, in nanoseconds."""
    with Client(str(path), overflow="block", **parameters) as client:
        client.setup()
        client.start()
        times: List[int] = []
        while True:
            try:
                batch = client.read(1, order=Order.NEXT, after=len(times), timeout=10)
            except errors.Ended:
                return times
            times.extend(info.pts_ns for info in batch.infos)


@pytest.mark.parametrize(
    "encoder, b_frames", [(name, count) for name in CONTAINERS for count in (0, 2) if not (count and name in SIMPLE)]
)
def test_times_are_those_of_presentation_in_every_container(tmp_path: Path, encoder: str, b_frames: int) -> None:
    for container in CONTAINERS[encoder]:
        path = tmp_path / f"{encoder}.{container}"
        muxer = ["-f", "vob"] if container == "vob" else []
        run_ffmpeg(*LONGER, *encoder_options(encoder, b_frames), *muxer, path)
        times = read_times(path)
        assert_times(times, frames_of(path))
        kept = read_times(path, frame_rate=(5, 1))
        # A last picture without a time may follow late, and one container gives the first a time of its own.
        assert abs(len(kept) - (times[-1] - times[0]) / 2e8) <= 1.25, (container, len(kept), times)


def test_times_of_a_file_without_composition_offsets_are_put_in_order(tmp_path: Path) -> None:
    whole, path = tmp_path / "whole.mp4", tmp_path / "decoding-times-only.mp4"
    run_ffmpeg(*LONGER, *encoder_options("libx264", 3), whole)
    run_ffmpeg("-i", whole, "-c", "copy", "-bsf:v", "setts=pts=DTS", path)
    times = read_times(path)
    assert_times(times, frames_of(path))
    # Until it shows that the times go back, and where no packet is left to take one from, some steps are uneven.
    assert set(np.diff(times[3:-3])) == {40_000_000}
    assert 19 <= len(read_times(path, frame_rate=(5, 1))) <= 21


def test_b_frames_that_come_late_in_a_file_have_their_times(tmp_path: Path) -> None:
    """How times are reckoned depends on how much of a file was looked at before."""
    parts = [tmp_path / "plain.m2v", tmp_path / "b-frames.m2v"]
    for part, b_frames in zip(parts, (0, 2)):
        run_ffmpeg(*LONGER, *encoder_options("mpeg2video", b_frames), part)
    whole, path = tmp_path / "whole.m2v", tmp_path / "late.mpg"
    whole.write_bytes(b"".join(part.read_bytes() for part in parts))
    run_ffmpeg("-r", 25, "-i", whole, "-c", "copy", path)
    assert_times(read_times(path), frames_of(path))


#: What `decode` leaves, by the types of pictures that ffprobe tells, where no B-picture is built on.
KEPT = {"all": "IPB", "nonref": "IP", "keyframes": "I"}


@pytest.mark.parametrize("name", ["annex-b.h264", "mpeg2.mpg", "mpeg4.avi"])
@pytest.mark.parametrize("decode", KEPT)
def test_only_the_pictures_that_are_wanted_are_decoded(zoo: Path, name: str, decode: str) -> None:
    entries = ["-select_streams", "v:0", "-show_entries", "frame=pict_type", "-of", "csv=p=0"]
    command = ["ffprobe", "-v", "error", *entries, zoo / name]
    output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    types = re.findall(r"[IPB]", output)
    with Client(str(zoo / name), overflow="block", cache_size=4, decode=decode) as client:
        client.setup()
        client.start()
        infos = read_slowly(client)
        assert client.stats().decoded == len(infos)
    assert len(infos) == sum(kind in KEPT[decode] for kind in types)
    assert all(info.key for info in infos) or decode != "keyframes"


def read_slowly(client: Client) -> List[Any]:
    """Reads in order to the end, a few frames at a time, with pauses in which the writer has to wait."""
    infos: List[Any] = []
    while True:
        try:
            batch = client.read(1 + len(infos) % 4, order=Order.NEXT, after=len(infos), timeout=10)
        except errors.Ended:
            return infos
        infos.extend(batch.infos)
        if len(infos) % 7 == 0:
            time.sleep(0.005)


# ---- Which stream ----


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files with several streams: small and large video with sound between, and two programs."""
    folder = tmp_path_factory.mktemp("several")
    small, large = ["-f", "lavfi", "-i", "testsrc2=s=64x48:d=1"], ["-f", "lavfi", "-i", "testsrc2=s=128x96:d=1"]
    sound = ["-f", "lavfi", "-i", "sine=d=1"]
    streams = [*small, *sound, *large, "-map", "0:v", "-map", "1:a", "-map", "2:v", *X264]
    run_ffmpeg(*streams, folder / "several.mkv")
    programs = ["-program", "program_num=7:st=0:st=1", "-program", "program_num=9:st=2"]
    run_ffmpeg(*streams, *programs, "-f", "mpegts", folder / "programs.ts")
    run_ffmpeg(*sound, *large, "-map", "0:a", "-map", "1:v", "-frames:v", 1, "-c:v", "mjpeg", "-pix_fmt", "yuvj420p",
               "-disposition:v", "attached_pic", "-c:a", "libmp3lame", folder / "cover.mp3")  # fmt: skip
    run_ffmpeg(*sound, folder / "sound.mp4")
    return folder


@pytest.mark.parametrize(
    "name, choice, index, width",
    [
        # The first one is marked as the default.
        ("several.mkv", {}, 0, 64),
        ("several.mkv", {"stream_index": 0}, 0, 64),
        ("several.mkv", {"stream_index": 2}, 2, 128),
        ("programs.ts", {"program": 7}, 0, 64),
        ("programs.ts", {"program": 9}, 2, 128),
    ],
)
def test_a_stream_can_be_chosen(several: Path, name: str, choice: Dict[str, int], index: int, width: int) -> None:
    with Client(str(several / name), **choice) as client:
        client.setup()
        client.start()
        assert client.read(1, timeout=5).infos[0].source_width == width
        assert client.stream_info().stream_index == index


@pytest.mark.parametrize(
    "name, choice, words",
    [
        ("several.mkv", {"stream_index": 1}, ["stream_index is 1", "[0, 2]"]),
        ("several.mkv", {"stream_index": 9}, ["stream_index is 9", "[0, 2]"]),
        ("programs.ts", {"program": 8}, ["program is 8", "[7, 9]"]),
        ("cover.mp3", {}, ["cover"]),
        ("sound.mp4", {}, ["no video"]),
    ],
)
def test_a_source_without_the_video_wanted_says_so(
    several: Path, name: str, choice: Dict[str, int], words: List[str]
) -> None:
    with Client(str(several / name), **choice) as client:
        with pytest.raises(errors.NoVideo) as caught:
            client.setup()
        assert caught.value.status == Status.NO_VIDEO
        assert all(word in str(caught.value) for word in words), str(caught.value)


def test_two_ways_to_choose_a_stream_are_one_too_many(several: Path) -> None:
    with Client(str(several / "programs.ts"), stream_index=0, program=7) as client:
        with pytest.raises(errors.InvalidArgument, match="program is 7"):
            client.setup()
