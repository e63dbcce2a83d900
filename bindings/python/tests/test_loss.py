"""What libavformat discards, what it passes over and what it takes for damage: only true loss marks pictures."""

from __future__ import annotations

import sys
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

import pytest
from live import all_frames, run_ffmpeg, running
from mpegclient import Client, FrameInfo
from support import PATIENCE, SUPPORT, wait_until

sys.path.insert(0, str(SUPPORT))
from scripted_rtsp import CLOCK, Mount, Packet, ScriptedRtsp, mount  # noqa: E402 (found only now)

#: One byte a pixel is enough to compare.
GRAY: Dict[str, Any] = {"pixel_format": "gray8", "cache_size": 400}

PICTURE = ["-f", "lavfi", "-i", "testsrc2=s=320x240:r=25", "-pix_fmt", "yuv420p"]
OLDER_PICTURE = ["-f", "lavfi", "-i", "mandelbrot=s=320x240:r=25", "-pix_fmt", "yuv420p"]
X264 = ["-c:v", "libx264", "-preset", "veryfast", "-x264-params", "keyint=20:scenecut=0:bframes=0:aud=1", "-b:v", "1500k"]


def sums_of(client: Client) -> Iterator[Tuple[int, FrameInfo]]:
    """The checksums of all frames of a stream that has an end, each with what is known of it."""
    return ((zlib.crc32(frame.tobytes()), info) for frame, info in all_frames(client))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of two different clips: ours.h264, 100 pictures, and older.h264, 60."""
    folder = tmp_path_factory.mktemp("loss")
    run_ffmpeg(*PICTURE, "-frames:v", 100, *X264, "-f", "h264", folder / "ours.h264")
    run_ffmpeg(*OLDER_PICTURE, "-frames:v", 60, *X264, "-f", "h264", folder / "older.h264")
    return folder


@pytest.fixture(scope="module")
def sums(folder: Path) -> List[int]:
    """The checksums of ours.h264's pictures."""
    with running(folder / "ours.h264", overflow="block", **GRAY) as client:
        return [sum for sum, _ in sums_of(client)]


def by_picture(packets: Sequence[Optional[Packet]]) -> List[List[Packet]]:
    found: Dict[int, List[Packet]] = {}
    for packet in packets:
        assert packet is not None
        found.setdefault(packet.timestamp, []).append(packet)
    return [found[timestamp] for timestamp in sorted(found)]


def interleaved(folder: Path, is_older_first: bool) -> Mount:
    """Between the pictures of a stream, from its 20th on or before the first, come those of an older session: with
    another SSRC, other sequence numbers and other timestamps."""
    ours = mount((folder / "ours.h264").read_bytes(), "h264", interval=0.005)
    older = by_picture(mount((folder / "older.h264").read_bytes(), "h264").packets)
    sent: List[Packet] = []
    own_number, older_number = 200, 5000
    for index, picture in enumerate(by_picture(ours.packets)):
        others: List[Packet] = []
        if is_older_first or 20 <= index < 80:
            for packet in older[index % len(older)]:
                older_number += 1
                timestamp = packet.timestamp + 7_000_000
                others.append(replace(packet, source=0x5E5510, number=older_number, timestamp=timestamp))
        own: List[Packet] = []
        for packet in picture:
            own_number += 1
            own.append(replace(packet, number=own_number, timestamp=packet.timestamp + 1000))
        sent += [*others, *own] if is_older_first else [*own, *others]
    return replace(ours, packets=list(sent))


@pytest.mark.parametrize("engine", ["auto", "native", "libav"])
def test_pictures_between_which_an_older_session_comes_are_right_or_marked(
    folder: Path, sums: List[int], engine: str
) -> None:
    with ScriptedRtsp({"/": interleaved(folder, is_older_first=False)}) as server:
        with running(server.url(), rtsp_engine=engine, reconnect="off", **GRAY) as client:
            server.go.set()
            seen = list(sums_of(client))
            stats, used = client.stats(), client.stream_info().engine
    wrong = [info.seq for sum, info in seen if sum not in sums and not info.corrupt]
    assert not wrong, f"{len(wrong)} of {len(seen)} pictures are wrong and not marked"
    if used == "native":
        # Packets of another SSRC are not taken: the stream is whole.
        assert [sum for sum, _ in seen] == sums[: len(seen)] and len(seen) > 95
        assert stats.lost_packets == 0 and not any(info.corrupt for _, info in seen)
    else:
        assert stats.lost_packets > 50 and any(info.corrupt for _, info in seen)


def test_a_stream_that_goes_on_under_another_ssrc_is_not_silent_for_long(folder: Path) -> None:
    ours = mount((folder / "ours.h264").read_bytes(), "h264", interval=0.02, is_finite=False)
    packets = [
        packet if packet is None or packet.timestamp < 40 * CLOCK // 25 else replace(packet, source=2)
        for packet in ours.packets * 10
    ]
    with ScriptedRtsp({"/": replace(ours, packets=packets)}) as server:
        with running(server.url(), reconnect_delay_min=50, **GRAY) as client:
            server.go.set()
            wait_until(lambda: client.stats().connects > 1, "it is connected again")
            client.wait(client.stats().newest_seq + 10, timeout=PATIENCE)


def test_packets_that_are_discarded_mark_what_builds_on_them(folder: Path, sums: List[int]) -> None:
    """Aggregation packets whose lengths are wrong, and types that RFC 6184 does not define."""
    ours = mount((folder / "ours.h264").read_bytes(), "h264", interval=0.005)
    pictures = by_picture(ours.packets)
    for index, head in ((25, b"\x78\xff\xff"), (45, b"\x7f"), (65, b"\x1e")):
        spoiled = pictures[index][-1]
        pictures[index][-1] = replace(spoiled, payload=head + spoiled.payload[len(head) :])
    packets: List[Optional[Packet]] = [packet for picture in pictures for packet in picture]
    with ScriptedRtsp({"/": replace(ours, packets=packets)}) as server:
        with running(server.url(), rtsp_engine="libav", reconnect="off", **GRAY) as client:
            server.go.set()
            seen = list(sums_of(client))
            lost = client.stats().lost_packets
    assert not [info.seq for sum, info in seen if sum not in sums and not info.corrupt]
    assert lost == 3 and sum(info.corrupt for _, info in seen) >= 30
    assert sum(not info.corrupt for _, info in seen) >= 30, "key frames end it"


# ---- Packets that are ignored ----


def failure_of(mount: Mount, **parameters: Any) -> str:
    """What is said of a stream of which no picture comes."""
    with ScriptedRtsp({"/": mount}) as server:
        options = {"reconnect": "off", "stall_timeout": 700, **GRAY, **parameters}
        with running(server.url(), **options) as client:
            server.go.set()
            wait_until(lambda: client.last_failure() is not None, "it is seen that no picture comes")
            failure = client.last_failure()
            assert failure is not None
            return failure.message


def test_packets_of_another_payload_type_are_no_silence(folder: Path) -> None:
    ours = mount((folder / "ours.h264").read_bytes(), "h264", interval=0.02, is_finite=False)
    packets = [packet and replace(packet, payload_type=98) for packet in ours.packets]
    text = failure_of(replace(ours, packets=packets), rtsp_engine="native")
    assert "payload type 98 instead of 96" in text and "no packet came" not in text
    text = failure_of(replace(ours, packets=packets), rtsp_engine="libav")
    assert "no packet of the video" in text


def test_pictures_too_large_for_their_rtp_header_are_no_silence() -> None:
    sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\na=control:video\r\n"
    payload = bytes([0, 0, 0, 0, 1, 50, 0, 0]) + bytes(500)
    packets = [Packet(number * 3600, True, payload, payload_type=26) for number in range(100)]
    text = failure_of(Mount(sdp, list(packets), interval=0.02, is_finite=False), rtsp_engine="native")
    assert "RTP packets that make no picture" in text and "2040" in text
