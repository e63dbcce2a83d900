"""No frame is held back until the next one comes, where the stream tells that it is whole."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any, List

import pytest

from live import frames_of, run_ffmpeg
from mpegclient import Client, State
from support import free_port, wait_until

PACKET = 188  # bytes of a packet of a transport stream: ISO/IEC 13818-1, section 2.4.3.2

#: What ffmpeg gives the first stream.
VIDEO_PID = 0x100


def pictures_of(stream: bytes) -> List[bytes]:
    """Cuts a transport stream before each packet that begins a picture; what comes before the first goes with it."""
    packets = [stream[at : at + PACKET] for at in range(0, len(stream), PACKET)]
    pictures = [b""]
    has_begun = False
    for packet in packets:
        begins = bool(packet[1] & 0x40) and (packet[1] & 0x1F) << 8 | packet[2] == VIDEO_PID
        if begins and has_begun:
            pictures.append(b"")
        has_begun |= begins
        pictures[-1] += packet
    return pictures


def send(sender: socket.socket, picture: bytes) -> None:
    for at in range(0, len(picture), 7 * PACKET):
        sender.send(picture[at : at + 7 * PACKET])


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize("lengths, held_back", [("with lengths", 0), ("without lengths", 1)])
def test_a_transport_stream_holds_back_no_more_than_it_must(
    tmp_path: Path, codec: str, lengths: str, held_back: int
) -> None:
    options: List[Any] = ["-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-pix_fmt", "yuv420p"]
    if codec == "hevc":
        options = ["-c:v", "libx265", "-preset", "ultrafast", "-tune", "zerolatency", "-x265-params", "log-level=error"]
    length = ["-omit_video_pes_length", 0 if lengths == "with lengths" else 1]
    source = ["-f", "lavfi", "-i", "testsrc2=s=128x96:r=25:d=2"]
    run_ffmpeg(*source, *options, *length, "-f", "mpegts", tmp_path / "stream.ts")
    pictures = pictures_of((tmp_path / "stream.ts").read_bytes())
    times = frames_of(tmp_path / "stream.ts")
    assert len(pictures) == len(times) == 50
    newest = times[29 - held_back]
    assert newest is not None
    port = free_port()
    with Client(f"udp://127.0.0.1:{port}", cache_size=64, stall_timeout=60_000) as client:
        client.setup(timeout=0)
        client.start()
        with socket.socket(type=socket.SOCK_DGRAM) as sender:
            sender.connect(("127.0.0.1", port))
            wait_until(lambda: begin(sender, pictures[0], client), "the stream is connected")
            for picture in pictures[1:30]:
                send(sender, picture)
                time.sleep(0.02)
            # Nothing more comes: what is held back now would be until the next picture.
            wait_until(lambda: newest_pts(client) >= newest - 0.001, "all pictures are shown")


def newest_pts(client: Client) -> float:
    """Seconds by the stream's clock; before the first frame long ago."""
    newest = client.stats().newest_seq
    pts_ns = client.frame_info(newest).pts_ns if newest else None
    return -1e9 if pts_ns is None else pts_ns / 1e9


def begin(sender: socket.socket, picture: bytes, client: Client) -> bool:
    """Sends the first picture until somebody listens and has made out what it is."""
    try:
        send(sender, picture)
    except ConnectionRefusedError:
        pass
    time.sleep(0.1)
    return client.state not in (State.IDLE, State.CONNECTING)
