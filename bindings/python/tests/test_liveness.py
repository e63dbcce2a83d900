"""What is live and what is a file, whatever the address looks like; and streams that change while they are read."""

from __future__ import annotations

import contextlib
import functools
import http.server
import os
import random
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Iterator, List

import pytest
from live import Program, all_frames, listening, mjpeg_server, numbers_of, run_ffmpeg, running
from mpegclient import Client, Order, State, errors
from support import PATIENCE, SUPPORT, free_port, wait_until

sys.path.insert(0, str(SUPPORT))
import scripted_rtsp  # noqa: E402 (found only now)
from scripted_rtsp import Packet, ScriptedRtsp  # noqa: E402

pytest_plugins = ["live_fixtures"]

#: Loops over a clip at its own pace.
LOOP = ["ffmpeg", "-loglevel", "fatal", "-nostdin", "-y", "-re", "-stream_loop", "-1", "-i"]


def frames_come(client: Client, count: int = 5) -> None:
    client.wait(client.stats().newest_seq + count, timeout=PATIENCE)


# ---- What is live ----


@contextlib.contextmanager
def sending_rtp(clip: Path, port: int) -> Iterator[None]:
    with Program(*LOOP, clip, "-c", "copy", "-f", "rtp", f"rtp://127.0.0.1:{port}", stdout=subprocess.DEVNULL):
        yield


def test_a_session_description_in_a_file_is_live_and_survives_a_pause(clips: Path, tmp_path: Path) -> None:
    port = free_port() & ~1
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", f"m=video {port} RTP/AVP 96",
             "a=rtpmap:96 H264/90000", "a=fmtp:96 packetization-mode=1"]  # fmt: skip
    description = tmp_path / "camera.sdp"
    description.write_text("\r\n".join(lines) + "\r\n")
    with Client(description, stall_timeout=700, reconnect_delay_min=50) as client:
        with sending_rtp(clips / "video.h264", port):
            client.setup(timeout=PATIENCE)
            assert client.stream_info().is_live
            client.start()
            frames_come(client)
        wait_until(lambda: client.state is State.RECONNECTING, "the silence is noticed")
        with sending_rtp(clips / "video.h264", port):
            frames_come(client)


@pytest.mark.parametrize("container", ["hls", "dash"])
def test_a_playlist_in_a_file_is_live_until_it_says_that_it_ends(clips: Path, tmp_path: Path, container: str) -> None:
    options, name = {
        "hls": (["-hls_time", 1, "-hls_list_size", 4], "list.m3u8"),
        "dash": (["-seg_duration", 1, "-window_size", 4, "-use_timeline", 1], "manifest.mpd"),
    }[container]
    source = ["-c", "copy", "-f", container, *options]
    playlist = tmp_path / "live" / name
    playlist.parent.mkdir()
    with Program(*LOOP, clips / "video.mp4", *map(str, source), playlist, cwd=playlist.parent):
        wait_until(lambda: len(list(playlist.parent.glob("*"))) >= 5, "there are segments")
        with running(playlist) as client:
            assert client.stream_info().is_live and client.stream_info().container == container
            frames_come(client, 40)
    run_ffmpeg("-i", clips / "short.mp4", *source, tmp_path / name)
    with running(tmp_path / name) as client:
        assert not client.stream_info().is_live
        with pytest.raises(errors.Ended):
            client.wait(10**6, timeout=PATIENCE)


@pytest.mark.parametrize("wrapper", ["cache:", "async:"])
def test_what_a_wrapped_address_leads_to_decides(clips: Path, wrapper: str) -> None:
    with mjpeg_server(clips / "video.mjpeg") as url:
        with running(f"{wrapper}{url}", protocol_whitelist="cache,async,http,tcp", input_format="mpjpeg") as client:
            assert client.stream_info().is_live
            frames_come(client)
    with Client(f"{wrapper}{clips / 'short.mp4'}", protocol_whitelist="cache,async,file") as client:
        client.setup(timeout=PATIENCE)
        assert not client.stream_info().is_live


def test_a_fifo_whose_writer_pauses_goes_on(clips: Path, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    stream = (clips / "video.ts").read_bytes()
    writer = os.open(fifo, os.O_RDWR)
    feeding = threading.Event()

    def feed() -> None:
        for at in range(0, len(stream), 18_800):
            feeding.wait(PATIENCE)
            with contextlib.suppress(OSError):
                os.write(writer, stream[at : at + 18_800])

    thread = threading.Thread(target=feed, daemon=True)
    thread.start()
    feeding.set()
    with running(fifo, stall_timeout=700, reconnect_delay_min=50, realtime="off", cache_size=4) as client:
        frames_come(client, 20)
        feeding.clear()
        wait_until(lambda: client.state is State.RECONNECTING, "the silence is noticed")
        feeding.set()
        frames_come(client, 20)
    os.close(writer)


# ---- Streams that change ----


@pytest.fixture(scope="module")
def moved(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A transport stream of 100 pictures whose video moves to another PID with the 50th, as a new PMT specifies."""
    folder = tmp_path_factory.mktemp("moved")
    parts = []
    for number, pid in enumerate((0x100, 0x150)):
        part = folder / f"{number}.ts"
        run_ffmpeg("-ss", 2 * number, "-i", clips / "video.mp4", "-t", 2, "-c", "copy", "-streamid", f"0:{pid}",
                   "-output_ts_offset", 2 * number, "-muxdelay", 0, part)  # fmt: skip
        parts.append(part.read_bytes())
    whole = folder / "whole.ts"
    whole.write_bytes(b"".join(parts))
    return whole


def test_video_that_moves_to_another_pid_is_followed(moved: Path) -> None:
    with running(moved, overflow="block", cache_size=200) as client:
        seen = [(frame, info.corrupt) for frame, info in all_frames(client)]
        assert client.state is State.ENDED and client.stats().connects == 1
    shown = [number for frame, _ in seen for number in numbers_of(frame[None])]
    assert shown == sorted(shown) and len(shown) >= 98 and shown[-1] == 99
    assert not any(corrupt for _, corrupt in seen)


def test_a_live_stream_that_moves_to_another_pid_goes_on_at_once(moved: Path) -> None:
    port = free_port()
    packets = moved.read_bytes()
    over = threading.Event()

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            begun = time.monotonic()
            for at in range(0, len(packets), 1316):
                sender.sendto(packets[at : at + 1316], ("127.0.0.1", port))
                due = begun + 4.0 * at / len(packets)
                time.sleep(max(0.0, due - time.monotonic()))
        over.set()

    with Client(f"udp://127.0.0.1:{port}", cache_size=120, stall_timeout=5000) as client:
        client.setup(timeout=0)
        client.start()
        time.sleep(0.3)
        threading.Thread(target=send, daemon=True).start()
        wait_until(over.is_set, "all was sent")
        wait_until(lambda: client.stats().packets >= 95, "all has come")
        batch = client.read(120, order=Order.NEXT, timeout=PATIENCE)
        shown = numbers_of(batch.frames)
        assert client.stats().connects == 1 and shown[-1] >= 97 and len(shown) > 80, shown


# ---- HLS ----


@contextlib.contextmanager
def web(folder: Path) -> Iterator[str]:
    """A web server that keeps connections open, as those of HLS do."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def playlist(folder: Path, rows: List[str]) -> None:
    head = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:2", "#EXT-X-MEDIA-SEQUENCE:0"]
    (folder / "list.m3u8").write_text("\n".join([*head, *rows, "#EXT-X-ENDLIST"]) + "\n")


@pytest.fixture(scope="module")
def segments(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four segments of 50 pictures each, each of which counts its packets from 0."""
    folder = tmp_path_factory.mktemp("segments")
    for number in range(4):
        run_ffmpeg("-ss", 2 * number, "-i", clips / "video.mp4", "-t", 2, "-c", "copy", "-muxdelay", 0,
                   "-output_ts_offset", 2 * number, folder / f"{number}.ts")  # fmt: skip
    return folder


@pytest.mark.parametrize("is_remote", [False, True], ids=["file", "HTTP"])
@pytest.mark.parametrize("tag", ["", "#EXT-X-DISCONTINUITY"])
def test_a_new_segment_is_no_loss(segments: Path, tag: str, is_remote: bool) -> None:
    playlist(segments, [row for number in range(4) for row in (tag, "#EXTINF:2.0,", f"{number}.ts") if row])
    with web(segments) as url:
        address = f"{url}/list.m3u8" if is_remote else segments / "list.m3u8"
        with running(address, overflow="block", cache_size=20) as client:
            seen = [(numbers_of(frame[None])[0], info.corrupt) for frame, info in all_frames(client)]
    assert seen == [(number, False) for number in range(200)]


def test_files_in_a_row_are_no_loss(segments: Path) -> None:
    names = [str(segments / f"{number}.ts") for number in range(4)]
    (segments / "list.ffconcat").write_text("ffconcat version 1.0\n" + "".join(f"file {name}\n" for name in names))
    for address in ("concat:" + "|".join(names), segments / "list.ffconcat"):
        with running(address, overflow="block", cache_size=20, **{"av.safe": "0"} if "ffconcat" in str(address) else {}) as client:
            seen = [(numbers_of(frame[None])[0], info.corrupt) for frame, info in all_frames(client)]
        assert seen == [(number, False) for number in range(200)], address


def test_what_is_missing_within_a_segment_is_a_loss(segments: Path, tmp_path: Path) -> None:
    for number in range(4):
        packets = (segments / f"{number}.ts").read_bytes()
        # In the middle of the second second.
        hole = len(packets) // 188 * 3 // 4 * 188
        (tmp_path / f"{number}.ts").write_bytes(packets[:hole] + packets[hole + 3 * 188 :] if number == 1 else packets)
    playlist(tmp_path, [row for number in range(4) for row in ("#EXTINF:2.0,", f"{number}.ts")])
    with running(tmp_path / "list.m3u8", overflow="block", cache_size=20) as client:
        seen = [info.corrupt for _, info in all_frames(client)]
    assert any(seen[50:100]) and not any(seen[:50]) and not any(seen[100:])


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_another_initialization_segment_is_taken(tmp_path: Path, codec: str) -> None:
    """Two encodings one after the other, of different sizes: the decoder has to learn the second's parameters."""
    rows: List[str] = []
    quiet = ["-x265-params", "log-level=none:keyint=25"] if codec == "libx265" else []
    for offset, name, size in ((0, "a", "320x240"), (2, "b", "640x360")):
        options = ["-pix_fmt", "yuv420p", "-c:v", codec, "-preset", "ultrafast", "-g", 25, "-bf", 0, "-tag:v",
                   "avc1" if codec == "libx264" else "hvc1", "-output_ts_offset", offset, "-hls_time", 1, "-hls_segment_type", "fmp4",
                   "-hls_fmp4_init_filename", f"{name}-init.mp4", "-hls_segment_filename", tmp_path / f"{name}%d.m4s",
                   "-hls_playlist_type", "vod", *quiet, tmp_path / f"{name}.m3u8"]  # fmt: skip
        run_ffmpeg("-f", "lavfi", "-i", f"testsrc2=s={size}:r=25:d=2", *options)
        rows += ["#EXT-X-DISCONTINUITY", f'#EXT-X-MAP:URI="{name}-init.mp4"']
        rows += [row for number in range(2) for row in ("#EXTINF:1.0,", f"{name}{number}.m4s")]
    playlist(tmp_path, rows)
    with web(tmp_path) as url, running(f"{url}/list.m3u8", overflow="block", cache_size=20) as client:
        seen = [(info.source_width, info.corrupt) for _, info in all_frames(client)]
    assert seen == [(320, False)] * 50 + [(640, False)] * 50


# ---- Key frames that stay damaged ----


def test_key_frames_that_stay_damaged_have_the_stream_opened_again(clips: Path) -> None:
    good = scripted_rtsp.mount((clips / "video.h264").read_bytes(), "h264", interval=0.01, is_finite=False)

    noise = random.Random(1).randbytes(1500)

    def spoiled(packet: Packet) -> Packet:
        header, kept = packet.payload[:2], 30
        # ITU-T H.264, table 7-1, and RFC 6184, section 5.8: the slice of an IDR picture, whole or in pieces.
        is_key = header[0] & 0x1F == 5 or (header[0] & 0x1F == 28 and header[1] & 0x1F == 5)
        size = len(packet.payload)
        return replace(packet, payload=(packet.payload[:kept] + noise)[:size]) if is_key else packet

    bad = replace(good, packets=[packet and spoiled(packet) for packet in good.packets])
    for engine in ("libav",):
        with ScriptedRtsp({"/": bad}) as server:
            server.go.set()
            with running(server.url(), rtsp_engine=engine, reconnect_delay_min=50) as client:
                wait_until(lambda: client.stats().corrupt > 0, "pictures are marked")
                server.mounts["/"] = good
                wait_until(lambda: client.stats().connects > 1, "it is opened again")
                failure = client.last_failure()
                assert failure is not None and "key frames are damaged" in failure.message
                frames_come(client, 10)
                assert not client.read(3, timeout=PATIENCE).infos[-1].corrupt
