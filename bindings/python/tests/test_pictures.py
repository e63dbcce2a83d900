"""Clean pictures: none before the stream can be decoded, damaged ones marked, left out or shown as the caller wants."""

from __future__ import annotations

import contextlib
import functools
import random
import subprocess
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence

import numpy as np
import pytest

from live import CLIP_LENGTH, NEVER, Pixels, encode, number_of, numbered_picture, numbers_of, run_ffmpeg, running, steps
from live import x264
from mpegclient import Batch, Client, EventKind, FrameInfo, Order, State, errors
from support import PATIENCE, RtspServer, wait_until

pytest_plugins = ["live_fixtures"]

#: Pictures of the clip that is damaged, with a key frame every so many of them.
LENGTH, KEY_DISTANCE = 100, 25


class Clip(NamedTuple):
    """A damaged clip, and the pictures of the whole one as this client shows them."""

    file: Path
    pictures: Pixels
    #: The pictures that are damaged, and those that build on them, up to the next key frame.
    damaged: range
    #: The first that may be marked: libav tells of a loss in what it has just completed, which is the picture before.
    first_marked: int


def read_all(clip: Path, **parameters: Any) -> Batch:
    """All frames of a clip, without loss."""
    with running(clip, realtime="off", cache_size=LENGTH, **parameters) as client:
        with pytest.raises(errors.Ended):
            client.wait(NEVER, timeout=PATIENCE)
        return client.read(LENGTH, order=Order.NEXT, timeout=0)


def access_units(stream: bytes) -> List[bytes]:
    """The pictures of an H.264 stream, each of which begins with a delimiter."""
    return [b"\0\0\0\1\x09" + unit for unit in stream.split(b"\0\0\0\1\x09")[1:]]


def flip_bytes(unit: bytes, seed: int) -> bytes:
    """Damages a picture's one slice from its second quarter on, and leaves all headers alone.

    No zeros come in, so that nothing in it looks like the beginning of something else.
    """
    slice_begin = unit.rfind(b"\0\0\1")
    chance = random.Random(seed)
    damaged = bytearray(unit)
    for at in range(slice_begin + (len(unit) - slice_begin) // 4, len(unit) - 8, 3):
        damaged[at] = chance.choice([value for value in range(1, 256) if value != unit[at]])
    return bytes(damaged)


def is_noticed(clip: Path) -> bool:
    """Whether damage breaks the rules of the codec; else no decoder can tell it from a picture that looks so."""
    command = ["ffmpeg", "-hide_banner", "-nostdin", "-i", str(clip), "-f", "null", "-"]
    return "concealing" in subprocess.run(command, capture_output=True, text=True, timeout=60).stderr


def to_transport_stream(clip: Path) -> Path:
    """Puts an H.264 stream into a transport stream, by way of MP4, because it has no timestamps of its own."""
    run_ffmpeg("-r", 25, "-i", clip, "-c", "copy", clip.with_suffix(".mp4"))
    run_ffmpeg("-i", clip.with_suffix(".mp4"), "-c", "copy", clip.with_suffix(".ts"))
    return clip.with_suffix(".ts")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of pictures that are full of detail, so that each slice is long and damage to it does show."""
    clip = tmp_path_factory.mktemp("damaged") / "whole.h264"
    source = ["-f", "lavfi", "-i", f"testsrc2=size=320x240:rate=25:duration={LENGTH / 25}"]
    run_ffmpeg(*source, *x264(KEY_DISTANCE), clip)
    return clip


def flip(whole: Path, numbers: Sequence[int]) -> Path:
    """The clip with bytes of some pictures changed before it was sent."""
    units = access_units(whole.read_bytes())
    assert len(units) == LENGTH
    damaged = whole.with_name("flipped.h264")
    for number in numbers:
        for seed in range(50):
            tried = [flip_bytes(unit, seed) if n == number else unit for n, unit in enumerate(units)]
            damaged.write_bytes(b"".join(tried))
            if is_noticed(damaged):
                units = tried
                break
        else:
            pytest.fail("no damage is noticed")
    return to_transport_stream(damaged)


def lose(whole: Path, numbers: Sequence[int]) -> Path:
    """The clip with a packet of the transport stream lost out of the middle of some pictures."""
    stream = to_transport_stream(whole).read_bytes()
    packets = [stream[at : at + 188] for at in range(0, len(stream), 188)]
    # Bit 0x40 of the second byte says that a picture begins; 0x100 is what ffmpeg calls the first video stream.
    starts = [n for n, packet in enumerate(packets) if packet[1] & 0x5F == 0x41 and packet[2] == 0]
    assert len(starts) == LENGTH
    lost = {(starts[n] + starts[n + 1]) // 2 for n in numbers}
    damaged = whole.with_name("lossy.ts")
    damaged.write_bytes(b"".join(packet for n, packet in enumerate(packets) if n not in lost))
    return damaged


#: How a clip is damaged, which pictures of it are, and the first that may be marked.
DAMAGE = {
    "flipped": (flip, (40, 41), 40),
    "flipped, a key frame": (flip, (50,), 50),
    "lost": (lose, (40, 41), 39),
    "lost, a key frame": (lose, (50,), 49),
}


@pytest.fixture(scope="module", params=DAMAGE)
def clip(request: pytest.FixtureRequest, whole: Path) -> Clip:
    """A transport stream that is damaged in its middle, in several ways."""
    damage, numbers, first_marked = DAMAGE[request.param]
    pictures = read_all(to_transport_stream(whole)).frames
    assert len(pictures) == LENGTH
    end = (numbers[0] // KEY_DISTANCE + 1) * KEY_DISTANCE
    return Clip(damage(whole, numbers), pictures, range(numbers[0], end), first_marked)


def numbers_by_time(infos: List[FrameInfo]) -> List[int]:
    """Which pictures of the clip these are, by their timestamps."""
    first = infos[0].pts_ns
    assert first is not None
    return [round(((info.pts_ns or 0) - first) / 40e6) for info in infos]


def check_exact(frames: Pixels, numbers: List[int], clip: Clip) -> None:
    """Every frame that is not among the damaged ones is the picture of the whole clip, bit for bit."""
    for frame, number in zip(frames, numbers):
        if number not in clip.damaged:
            assert np.array_equal(frame, clip.pictures[number]), f"picture {number} is another"


def check_marked(marked: List[int], clip: Clip) -> None:
    """What is marked, or left out, is all that is damaged, and nothing else but what may be."""
    begin = marked[0] if marked else None
    assert begin in (clip.first_marked, clip.damaged.start)
    assert marked == list(range(marked[0], clip.damaged.stop))


# ---- Damage ----


def test_damaged_pictures_are_marked_until_the_next_key_frame(clip: Clip) -> None:
    batch = read_all(clip.file)
    numbers = numbers_by_time(list(batch.infos))
    assert numbers == list(range(LENGTH))
    check_marked([number for number, info in zip(numbers, batch.infos) if info.corrupt], clip)
    check_exact(batch.frames, numbers, clip)
    hit = clip.damaged.start
    assert not np.array_equal(batch.frames[hit], clip.pictures[hit]), "the damage does not even show"
    assert [n for n, info in enumerate(batch.infos) if info.key] == list(range(0, LENGTH, KEY_DISTANCE))


def test_damaged_pictures_can_be_left_out(clip: Clip) -> None:
    batch = read_all(clip.file, corrupt="drop")
    numbers = numbers_by_time(list(batch.infos))
    check_marked(sorted(set(range(LENGTH)) - set(numbers)), clip)
    assert [info.seq for info in batch.infos] == list(range(1, len(numbers) + 1)), "numbers have no gap"
    assert not any(info.corrupt for info in batch.infos)
    gaps = [number for number, info in zip(numbers, batch.infos) if info.gap_before]
    assert gaps == [clip.damaged.stop]
    check_exact(batch.frames, numbers, clip)


def test_damaged_pictures_can_be_shown_as_if_nothing_were(clip: Clip) -> None:
    batch = read_all(clip.file, corrupt="keep")
    assert numbers_by_time(list(batch.infos)) == list(range(LENGTH))
    assert not any(info.corrupt or info.gap_before for info in batch.infos)
    check_exact(batch.frames, list(range(LENGTH)), clip)


def test_damaged_pictures_are_counted(clip: Clip) -> None:
    for corrupt in ("mark", "drop", "keep"):
        with running(clip.file, realtime="off", corrupt=corrupt) as client:
            with pytest.raises(errors.Ended):
                client.wait(NEVER, timeout=PATIENCE)
            stats = client.stats()
        least, most = len(clip.damaged), clip.damaged.stop - clip.first_marked
        assert stats.decoded == LENGTH and stats.published == LENGTH - stats.dropped_corrupt
        for count, policy in ((stats.corrupt, "mark"), (stats.dropped_corrupt, "drop")):
            assert least <= count <= most if corrupt == policy else count == 0


def test_a_lower_rate_does_not_hide_that_pictures_are_damaged(clip: Clip) -> None:
    """Pictures that are kept may build on damaged ones that are not."""
    batch = read_all(clip.file, frame_rate=(25, 3))
    numbers = numbers_by_time(list(batch.infos))
    assert numbers == list(range(0, LENGTH, 3))
    marked = {number for number, info in zip(numbers, batch.infos) if info.corrupt}
    assert marked - {clip.first_marked} == set(numbers) & set(clip.damaged) - {clip.first_marked}


# ---- Joining in the middle ----


def check_clean(batch: Batch, modulus: int = CLIP_LENGTH) -> List[int]:
    """Neighbouring pictures of the numbered clip, none of them damaged or marked; returns their numbers."""
    numbers = numbers_of(batch.frames)
    assert steps(numbers, modulus) == [1] * (len(numbers) - 1)
    assert not any(info.corrupt for info in batch.infos)
    return numbers


@pytest.mark.parametrize(("path", "modulus"), [("/video", CLIP_LENGTH), ("/h265", 250)])
def test_a_stream_joined_in_the_middle_shows_clean_pictures_only(rtsp: RtspServer, path: str, modulus: int) -> None:
    with running(rtsp.url(path)) as first:
        for _ in range(2):
            # Somewhere between two key frames, as the stream that runs already shows.
            first.wait(timeout=PATIENCE)
            wait_until(lambda: number_of(first.read_latest(1)[0]) % 25 in range(3, 12), "no key frame is near")
            with Client(rtsp.url(path), cache_size=60) as client:
                client.setup()
                client.start()
                assert client.state in (State.WAITING_KEYFRAME, State.RUNNING)
                batch = client.read(30, order=Order.NEXT, timeout=PATIENCE)
                assert batch.first_seq == 1 and batch.infos[0].key
                assert check_clean(batch, modulus)[0] % 25 == 0
                assert client.stats().decode_errors == 0 and client.last_failure() is None


def test_a_file_that_begins_in_the_middle_shows_clean_pictures_only(clips: Path, tmp_path: Path) -> None:
    units = access_units((clips / "video.h264").read_bytes())
    (tmp_path / "middle.h264").write_bytes(b"".join(units[10:110]))
    with running(to_transport_stream(tmp_path / "middle.h264"), realtime="off", cache_size=100) as client:
        with pytest.raises(errors.Ended):
            client.wait(NEVER, timeout=PATIENCE)
        numbers = check_clean(client.read(100, order=Order.NEXT, timeout=0))
        # Some containers take the pictures before the first parameters away, some leave them to the decoder.
        assert numbers == list(range(25, 110))


# ---- Streams without key frames ----

#: The types of the slices of key frames: IDR; and those of H.265, IDR and CRA.
KEY_SLICES = {"h264": "5", "h265": "16-23"}


@pytest.fixture(scope="module")
def keyless(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RtspServer]:
    """A server of /h264 and /h265, streams whose one key frame is cut away; their parameters are still there."""
    folder = tmp_path_factory.mktemp("keyless")
    one_key = {"h264": clips / "long.h264", "h265": folder / "long.h265"}
    pictures = (numbered_picture(number, 320, 240) for number in range(500))
    options = "log-level=error:keyint=-1:min-keyint=500:scenecut=0:bframes=0:aud=1:repeat-headers=1"
    x265 = ["-pix_fmt", "yuv420p", "-c:v", "libx265", "-preset", "ultrafast", "-crf", 18, "-f", "hevc"]
    encode(pictures, "gray", 320, 240, *x265, "-x265-params", options, one_key["h265"])
    mounts = []
    for codec, clip in one_key.items():
        cut = ["-c", "copy", "-bsf:v", f"filter_units=remove_types={KEY_SLICES[codec]}"]
        container = {"h264": "h264", "h265": "hevc"}[codec]
        run_ffmpeg("-i", clip, *cut, "-f", container, folder / f"keyless.{codec}")
        mounts.append(f"/{codec}={folder / f'keyless.{codec}'},{codec},25")
    with RtspServer(*mounts) as server:
        yield server


def wait_shown(clients: Sequence[Client]) -> List[float]:
    """Waits until each client shows a picture, and tells after how many seconds; until then they wait for one."""
    begun = time.monotonic()
    shown: Dict[Client, float] = {}
    while len(shown) < len(clients):
        took = time.monotonic() - begun
        assert took < PATIENCE, f"nothing is shown: {[str(client) for client in clients if client not in shown]}"
        for client in clients:
            # In this order: the state may change in between. That it runs is told just before the frame is there.
            state, published = client.state, client.stats().published
            assert published or state in (State.WAITING_KEYFRAME, State.RUNNING)
            if published:
                shown.setdefault(client, took)
        time.sleep(0.02)
    return [shown[client] for client in clients]


def has_counted(client: Client, counter: str, number: int) -> bool:
    return bool(getattr(client.stats(), counter) >= number)


def test_a_stream_without_key_frames_is_shown_after_a_while_and_marked(keyless: RtspServer) -> None:
    """Long: ten seconds pass before anything is shown. Both codecs are waited for at once."""
    with contextlib.ExitStack() as stack:
        urls = [keyless.url("/h264"), keyless.url("/h265")]
        clients = [stack.enter_context(running(url, cache_size=50)) for url in urls]
        # Where damage is left out there is nothing to show, but it is counted.
        strict = [stack.enter_context(running(url, corrupt="drop")) for url in urls]
        for client, took in zip(clients, wait_shown(clients)):
            assert 9 < took < 14, "a picture comes after about ten seconds"
            batch = client.read(25, order=Order.NEXT, timeout=PATIENCE)
            assert batch.first_seq == 1 and all(info.corrupt for info in batch.infos)
            assert not any(info.key for info in batch.infos)
            assert client.state is State.RUNNING and client.stats().connects == 1
            wait_until(functools.partial(has_counted, client, "corrupt", 25), "they are counted")
        for client in strict:
            wait_until(functools.partial(has_counted, client, "dropped_corrupt", 10), "they are left out")
            assert client.stats().published == 0
        for client in [*clients, *strict]:
            told = [event for event in iter(client.next_event, None) if event.kind is EventKind.NO_KEY_FRAME]
            assert len(told) == 1 and "no key frame" in told[0].text


# ---- Intra refresh ----


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RtspServer]:
    """A server of /video, a stream with one key frame at its beginning, which is then made anew column by column."""
    clip = tmp_path_factory.mktemp("refreshed") / "video.h264"
    pictures = (numbered_picture(number, 320, 240) for number in range(CLIP_LENGTH))
    options = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast", "-crf", 18, "-bf", 0, "-g", 25]
    encode(pictures, "gray", 320, 240, *options, "-x264-params", "aud=1:intra-refresh=1", "-f", "h264", clip)
    # Else this would be the same test as that of an ordinary stream.
    kinds = [unit[at + 3] & 0x1F for unit in access_units(clip.read_bytes()) for at in [unit.rfind(b"\0\0\1")]]
    assert kinds.count(5) == 1 and kinds[0] == 5
    with RtspServer(f"/video={clip},h264,25") as server:
        yield server


def test_a_stream_with_intra_refresh_joined_in_the_middle_looks_right_and_is_marked(refreshed: RtspServer) -> None:
    """That it is right to the bit is an encoder's word, and the encoder does not keep it."""
    with running(refreshed.url()) as first:
        first.wait(40, timeout=PATIENCE)
        for _ in range(2):
            begun = time.monotonic()
            with running(refreshed.url(), cache_size=60, corrupt="drop") as client:
                batch = client.read(30, order=Order.NEXT, timeout=PATIENCE)
                numbers = numbers_of(batch.frames)
                assert batch.first_seq == 1 and numbers[0] > 40 and steps(numbers) == [1] * 29
                assert all(info.corrupt for info in batch.infos)
                assert EventKind.NO_KEY_FRAME in [event.kind for event in iter(client.next_event, None)]
                # Two seconds for a whole refresh, one for the pictures, and what a loaded machine adds.
                assert time.monotonic() - begun < 8
            time.sleep(0.3)


# ---- Lost packets ----


def number_if_clean(frame: Pixels) -> Optional[int]:
    """The number that a frame shows; None if it is no clean picture."""
    try:
        return number_of(frame)
    except AssertionError:
        return None


def test_packets_lost_over_rtsp_leave_no_damage_unmarked(clips: Path) -> None:
    """What libavformat misses over UDP is marked. Of what a server itself leaves out over TCP it tells nothing."""
    arguments = ["--network", "drop-probability=0.05", f"/video={clips / 'video.h264'},h264,25"]
    with RtspServer(*arguments) as server, contextlib.ExitStack() as stack:
        clients = {"udp": stack.enter_context(running(server.url(), transport="udp", cache_size=250))}
        wait_until(lambda: all(client.stats().packets >= 170 for client in clients.values()), "packets were lost")
        for transport, client in clients.items():
            batch = client.read(250, order=Order.NEXT, timeout=0)
            numbers = [number_if_clean(frame) for frame in batch.frames]
            shown = list(zip(numbers, batch.infos))
            unmarked = [info.seq for number, info in shown if number is None and not info.corrupt]
            assert not unmarked, f"{transport}: damaged and not marked"
