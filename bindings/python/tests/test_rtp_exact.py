"""Whatever a sender does to a stream on its way: a frame that is not marked is the file's, to the byte."""

from __future__ import annotations

import contextlib
import os
import random
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Sequence

import pytest

from live import run_ffmpeg, running
from mpegclient import Client, EventKind, Order, State, errors
from support import PATIENCE, SUPPORT, wait_until

sys.path.insert(0, str(SUPPORT))
from scripted_rtsp import SETS, Mount, Packet, ScriptedRtsp, Way, kind_of, mount, pictures  # noqa: E402 (found only now)

#: One byte a pixel is enough to compare.
GRAY = {"pixel_format": "gray8", "cache_size": "400"}

X264 = ["-c:v", "libx264", "-preset", "veryfast", "-x264-params"]
X265 = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params"]
REFRESH = "intra-refresh=1:scenecut=0:bframes=0:aud=1:"
OPEN = "keyint=20:min-keyint=20:scenecut=0:bframes=2:open-gop=1:aud=1:"
BARE = "log-level=none:repeat-headers=1"

#: Name: source of the pictures, their number, and the encoder's options. A bitrate that needs several packets a picture.
CLIPS: Dict[str, Any] = {
    "plain.h264": ("testsrc2=s=320x240", 60, [*X264, "keyint=20:scenecut=0:bframes=0:aud=1"]),
    "slices.h264": ("testsrc2=s=320x240", 60, [*X264, "keyint=20:scenecut=0:bframes=0:aud=1:slices=4"]),
    "open.h264": ("testsrc2=s=320x240", 60, [*X264, OPEN]),
    "small.h264": ("testsrc2=s=160x128", 30, [*X264, "keyint=20:scenecut=0:bframes=0:aud=1:sps-id=3"]),
    "parts.h264": ("testsrc2=s=320x240", 150, [*X264, REFRESH + "keyint=25"]),
    "plain.h265": ("testsrc2=s=320x240", 60, [*X265, f"keyint=20:scenecut=0:bframes=0:aud=1:{BARE}"]),
    "slices.h265": ("testsrc2=s=320x240", 60, [*X265, f"keyint=20:scenecut=0:bframes=0:aud=1:slices=3:{BARE}"]),
    "open.h265": ("testsrc2=s=320x240", 60, [*X265, OPEN + BARE]),
    "parts.h265": ("testsrc2=s=320x240", 150, [*X265, REFRESH + f"keyint=25:{BARE}"]),
}


def codec_of(name: str) -> str:
    return name[-4:]


@dataclass
class Clip:
    stream: bytes
    #: The checksum of each picture, in the order of showing.
    sums: List[int]


def checksums(url: Any) -> List[int]:
    """Those of a file's pictures, as this very client shows them."""
    with running(url, overflow="block", **GRAY) as client:
        return [zlib.crc32(frame) for frame, _ in shown_by(client)]


def shown_by(client: Client) -> Iterator[Any]:
    """All frames of a stream that has an end, each with what is known of it."""
    after = 0
    while True:
        try:
            batch = client.read(1, order=Order.NEXT, after=after, timeout=PATIENCE)
        except (errors.Ended, errors.StreamFailed):
            return
        after = batch.last_seq
        yield batch.frames[0].tobytes(), batch.infos[0]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Clip]:
    folder = tmp_path_factory.mktemp("exact")
    made = {}
    for name, (source, count, options) in CLIPS.items():
        container = {"h264": "h264", "h265": "hevc"}[codec_of(name)]
        picture = ["-f", "lavfi", "-i", source, "-frames:v", count, "-pix_fmt", "yuv420p", "-b:v", "1500k"]
        run_ffmpeg(*picture, *options, "-f", container, folder / name)
        made[name] = Clip((folder / name).read_bytes(), checksums(folder / name))
        assert len(made[name].sums) == count and len(set(made[name].sums)) == count, f"{name}: pictures look the same"
    return made


@dataclass
class Seen:
    """What the frames of a stream were, in their order."""

    exact: List[int]
    wrong: int
    marked: int
    events: List[str]
    engine: str


def watch(server: ScriptedRtsp, path: str, sums: Sequence[int], **parameters: str) -> Seen:
    """Plays a mount to its end."""
    numbers = {value: number for number, value in enumerate(sums)}
    with running(server.url(path), reconnect="off", **{**GRAY, **parameters}) as client:
        server.go.set()
        seen = Seen([], 0, 0, [], client.stream_info().engine)
        for frame, info in shown_by(client):
            number = numbers.get(zlib.crc32(frame))
            seen.marked += info.corrupt
            seen.wrong += number is None and not info.corrupt
            if number is not None and not info.corrupt:
                seen.exact.append(number)
        seen.events = [event.text for event in take_events(client) if event.kind is EventKind.NO_KEY_FRAME]
        server.go.clear()
        return seen


def take_events(client: Client) -> Iterator[Any]:
    while (event := client.next_event()) is not None:
        yield event


WAYS = {
    "one NAL unit a packet": Way(most=0),
    "pieces": Way(most=300),
    "joined": Way(joins=True),
    "sets in the description alone": Way(sets="sdp"),
    "sets in the band alone": Way(sets="band"),
    "no markers": Way(markers="never"),
    "a marker after every slice": Way(markers="slice"),
    "joined, marked anywhere": Way(joins=True, most=500, markers="slice"),
}


def test_every_way_of_sending_gives_every_picture_as_it_is(clips: Dict[str, Clip]) -> None:
    names = [name for name in clips if not name.startswith(("small", "parts"))]
    mounts = {f"/{way}/{name}".replace(" ", "-"): mount(clips[name].stream, codec_of(name), WAYS[way])
              for way in WAYS for name in names}  # fmt: skip
    with ScriptedRtsp(mounts) as server:
        for path in mounts:
            sums = clips[path.rpartition("/")[2]].sums
            seen = watch(server, path, sums)
            assert seen.engine == "native" and not seen.wrong and not seen.marked and not seen.events, (path, seen)
            # The decoder holds some back until they are followed, and without markers so does the engine.
            assert len(seen.exact) >= len(sums) - 3 and seen.exact == list(range(len(seen.exact))), (path, seen)


#: Rounds and seeds are many where time does not matter.
ALL = "MPEGCLIENT_TEST_ALL" in os.environ


def losing(seed: int, share: float) -> Callable[[int], bool]:
    """Loses this share of the packets, some of them several in a row."""
    chance = random.Random(seed)
    lost = {number + more for number in range(20_000) if chance.random() < share for more in range(chance.choice([1, 1, 4]))}
    return lost.__contains__


LOSSY_WAYS = [Way(most=500), Way(most=900, markers="slice"), Way(most=900, joins=True, markers="never")]


def check_losses(clips: Dict[str, Clip], names: Sequence[str], seeds: Sequence[int], share: float) -> None:
    """Plays each clip with losses of its own for each seed."""
    mounts = {f"/{seed}/{name}": mount(clips[name].stream, codec_of(name), LOSSY_WAYS[seed % len(LOSSY_WAYS)],
                                       is_lost=losing(seed, share)) for name in names for seed in seeds}  # fmt: skip
    exact = dict.fromkeys(names, 0)
    marked = dict.fromkeys(names, 0)
    with ScriptedRtsp(mounts) as server:
        for path in mounts:
            name = path.rpartition("/")[2]
            seen = watch(server, path, clips[name].sums)
            assert not seen.wrong, (path, seen)
            assert seen.exact == sorted(seen.exact), (path, seen)
            exact[name] += len(seen.exact)
            marked[name] += seen.marked
    assert all(exact.values()) and all(marked.values()), f"nothing was lost of a stream, or all: {exact}, {marked}"


def test_what_is_lost_spoils_no_picture_that_is_not_marked(clips: Dict[str, Clip]) -> None:
    names = [name for name in clips if not name.startswith("small")]
    check_losses(clips, names, range(24 if ALL else 3), 0.01)
    if ALL:
        check_losses(clips, [name for name in names if name.startswith("parts")], range(60, 100), 0.003)




def without_first_key(stream: bytes, codec: str) -> bytes:
    """A stream as one sees it who joins it in the middle: the parameter sets are there.

    x265 does not say where a refresh begins, which is where it repeats the sets; that it will be over after 24 pictures
    is put in here (ITU-T H.265, D.2.8), and that it will be exact, as x264 says.
    """
    shown = pictures(stream, codec)
    delimiter = {"h264": b"\0\0\0\1\x09\x10", "h265": b"\0\0\0\1\x46\x01\x10"}[codec]
    sets = [nal for nal in shown[0] if kind_of(nal, codec) in SETS[codec]]
    recovery = [bytes([39 << 1, 1, 6, 2, 0b0000_0110, 0b0001_0100, 0x80])] if codec == "h265" else []
    later = [[*recovery, *picture] if kind_of(picture[0], codec) in SETS[codec] else picture for picture in shown[10:]]
    shown = [[*sets, *shown[9]], *later]
    return b"".join(delimiter + b"".join(b"\0\0\0\1" + nal for nal in picture) for picture in shown)


@pytest.mark.parametrize("name", ["parts.h264", "parts.h265"])
def test_a_stream_that_is_refreshed_in_parts_is_shown_marked_and_that_is_told(
    clips: Dict[str, Clip], name: str
) -> None:
    """Neither encoder keeps its promise to the bit. What looks right is shown even where damage is to be left out."""
    codec = codec_of(name)
    joined = mount(without_first_key(clips[name].stream, codec), codec)
    with ScriptedRtsp({"/joined": joined}) as server:
        for policy in ("mark", "drop"):
            seen = watch(server, "/joined", clips[name].sums, corrupt=policy)
            assert not seen.exact and not seen.wrong and seen.marked > 100, (policy, seen)
            assert len(seen.events) == 1 and "refreshed in parts" in seen.events[0]


def check_lasting_doubt(clips: Dict[str, Clip]) -> None:
    """x265 says nothing of refreshes: after a loss there is nothing to wait for."""
    sent = mount(clips["parts.h265"].stream, "h265", is_lost={30}.__contains__, interval=0.1)
    with ScriptedRtsp({"/lasting": sent}) as server:
        seen = watch(server, "/lasting", clips["parts.h265"].sums, corrupt="drop")
        assert seen.exact and not seen.marked and len(seen.events) == 1 and "no key frame" in seen.events[0]


if ALL:  # It takes 15 seconds.

    def test_doubt_that_does_not_end_is_told(clips: Dict[str, Clip]) -> None:
        check_lasting_doubt(clips)


def test_leading_pictures_are_left_out_where_links_are_broken(clips: Dict[str, Clip]) -> None:
    """Key frames of H.265 that an editor has cut before: ITU-T H.265, table 7-1, 21 is CRA and 16 BLA_W_LP."""
    sent = mount(clips["open.h265"].stream, "h265")
    count = sum(kind >> 1 & 0x3F == 21 for kind in (packet.payload[0] for packet in sent.packets if packet))

    def broken(packet: Packet) -> Packet:
        payload = bytearray(packet.payload)
        at = 0 if payload[0] >> 1 & 0x3F == 21 else 2 if payload[0] >> 1 & 0x3F == 49 and payload[2] & 0x3F == 21 else None
        if at == 0:
            payload[0] = payload[0] & 0x81 | 16 << 1
        elif at == 2:
            payload[2] = payload[2] & 0xC0 | 16
        return Packet(packet.timestamp, packet.is_marked, bytes(payload))

    spliced = Mount(sent.sdp, [broken(packet) for packet in sent.packets if packet])
    with ScriptedRtsp({"/bla": spliced}) as server:
        seen = watch(server, "/bla", clips["open.h265"].sums)
        assert not seen.wrong and not seen.marked and 30 < len(seen.exact) < 60, (count, seen)


def test_size_and_parameter_sets_change_within_a_session(clips: Dict[str, Clip]) -> None:
    """Two streams with sets of different numbers, group by group; all sets are described beforehand, or none."""
    one, other = clips["plain.h264"], clips["small.h264"]
    groups = [one.stream, other.stream, one.stream]
    for sets in ("band", "both"):
        with ScriptedRtsp({"/": mount(b"".join(groups), "h264", Way(sets=sets))}) as server:
            with running(server.url(), reconnect="off", **GRAY) as client:
                server.go.set()
                sizes = [(info.source_width, info.corrupt) for _, info in shown_by(client)]
                assert [size for size, _ in sizes] == [320] * 60 + [160] * 30 + [320] * 60
                assert not any(corrupt for _, corrupt in sizes)


def test_a_codec_that_changes_within_a_session_is_found_anew(clips: Dict[str, Clip]) -> None:
    first, second = clips["plain.h264"], clips["plain.h265"]
    before, after = mount(first.stream, "h264"), mount(second.stream, "h265")
    # The description is that of what came first, until it is asked for again.
    changed = Mount(before.sdp, [*before.packets, *after.packets], interval=0.004)
    with ScriptedRtsp({"/": changed}) as server, running(server.url(), reconnect_delay_min=100, **GRAY) as client:
        server.mounts["/"] = Mount(after.sdp, after.packets, interval=0.02)
        server.go.set()
        wait_until(lambda: client.stream_info().codec == "hevc", "it is seen for what it is")
        wait_until(lambda: client.state is State.RUNNING and client.stats().connects > 1, "it goes on")
        with contextlib.suppress(errors.Error):
            after_seq = client.stats().newest_seq
            frame = client.read(1, order=Order.NEXT, after=after_seq, timeout=PATIENCE)
            assert frame.infos[0].corrupt or zlib.crc32(frame.frames[0].tobytes()) in second.sums
