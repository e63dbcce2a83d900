"""Pictures that a program can tell apart, streams of them over many protocols, and what the live tests measure with."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import numpy.typing as npt

from mpegclient import Batch, Client, FrameInfo, Order, errors
from support import PATIENCE, SUPPORT, SYSTEM_PYTHON, RtspServer, free_port, wait_until

Pixels = npt.NDArray[np.uint8]

Numbers = npt.NDArray[np.float64]

#: More frames than a test ever waits for.
NEVER = 10**9

#: Seconds in which terminate, clear and close must be back: the 500 ms that the header promises, and what a loaded
#: machine may add.
STOP_LIMIT = 0.7

#: Frames a second of every clip.
RATE = 25

#: Nanoseconds between two frames of every clip.
INTERVAL_NS = 1_000_000_000 // RATE

# ---- Numbered pictures ----

# A picture shows its number as black and white cells, one for each bit, in 15 bands; every second band shows the bits
# turned over. So a picture that is black, grey, smeared, damaged or put together from two is found out, whatever its
# size, and a clean one tells which it is.
BITS = 10
BANDS = 15

#: Pictures of a clip: 40 seconds, so that no test of a few seconds sees a sender begin anew.
CLIP_LENGTH = 1000


def numbered_picture(number: int, width: int, height: int) -> Pixels:
    """The picture with this number, in black and white."""
    bits = [(number >> bit) & 1 for bit in range(BITS)]
    cells = np.array([[bit ^ (band & 1) for bit in bits] for band in range(BANDS)], np.uint8) * 255
    return cells.repeat(height // BANDS, axis=0).repeat(width // BITS, axis=1)


def number_of(frame: Pixels) -> int:
    """The number that a frame shows; fails if it is no clean picture."""
    lightness = frame.mean(axis=2)
    height, width = lightness.shape
    cells = lightness.reshape(BANDS, height // BANDS, BITS, width // BITS)
    # Scaling and compression blur the edges.
    inner = cells[:, 2:-2, :, 2:-2]
    darkest, lightest = inner.min(axis=(1, 3)), inner.max(axis=(1, 3))
    assert ((darkest > 160) | (lightest < 96)).all(), "a frame that is no clean picture of the clip"
    bits = darkest > 128
    bits[1::2] ^= True
    assert (bits == bits[0]).all(), "a frame that is put together from several pictures"
    return int(bits[0] @ (1 << np.arange(BITS)))


def numbers_of(frames: Pixels) -> List[int]:
    """The numbers that frames show."""
    return [number_of(frame) for frame in frames]


def steps(values: Sequence[int], modulus: int = CLIP_LENGTH) -> List[int]:
    """The differences between neighbours, of numbers that begin anew with the clip."""
    return [(after - before) % modulus for before, after in zip(values, values[1:])]


def pts_steps_ms(batch: Batch) -> List[float]:
    """The time between neighbouring frames by the stream's own clock."""
    times = [info.pts_ns for info in batch.infos]
    assert None not in times, "a frame without timestamp"
    return list(np.diff(np.array(times, np.int64)) / 1e6)


# ---- Making clips ----


def run_ffmpeg(*arguments: Any, feed: Iterable[bytes] = ()) -> None:
    """Runs the ffmpeg program to its end, with ``feed`` as its standard input."""
    command = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", *map(str, arguments)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    assert process.stdin is not None
    with process:
        for chunk in feed:
            process.stdin.write(chunk)
    assert process.returncode == 0, f"{command} failed"


def frames_of(path: Path) -> List[Optional[float]]:
    """The best times that the ffprobe program has of all frames that it decodes, in the order of showing."""
    entry = "best_effort_timestamp_time"
    command = ["ffprobe", "-v", "quiet", "-select_streams", "v:0", "-show_entries", f"frame={entry}", "-of", "json"]
    output = subprocess.run([*command, str(path)], check=True, capture_output=True, timeout=60).stdout
    times = [frame.get(entry) for frame in json.loads(output)["frames"]]
    return [None if time is None else float(time) for time in times]


def encode(pictures: Iterable[Pixels], pixel_format: str, width: int, height: int, *output: Any) -> None:
    """Encodes raw pictures, as ``output`` tells the ffmpeg program."""
    source = ["-f", "rawvideo", "-pix_fmt", pixel_format, "-s", f"{width}x{height}", "-r", RATE, "-i", "-"]
    run_ffmpeg(*source, *output, feed=(picture.tobytes() for picture in pictures))


def x264(key_distance: int) -> List[Any]:
    """Options for H.264 with a key frame every so many frames, and with the delimiters that the RTSP server cuts at."""
    key_frames = ["-g", key_distance, "-keyint_min", key_distance, "-sc_threshold", 0, "-bf", 0]
    return ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast", "-crf", 18, *key_frames,
            "-x264-params", "aud=1", "-f", "h264"]  # fmt: skip


X265 = ["-pix_fmt", "yuv420p", "-c:v", "libx265", "-preset", "ultrafast", "-crf", 18, "-f", "hevc", "-x265-params",
        "log-level=error:keyint=25:min-keyint=25:scenecut=0:bframes=0:aud=1:repeat-headers=1"]  # fmt: skip


def make_clips(folder: Path) -> None:
    """Makes the numbered clips, all at 25 frames a second:

    video.h264, .mp4, .ts   320x240, 1000 pictures, a key frame each second
    video.h265              the same as H.265, 250 pictures
    video.mjpeg             the same as JPEGs, 250 pictures
    long.h264               the same with one key frame at its beginning
    intra.h264              250 pictures, each of them a key frame
    resize.h264             pictures 0 to 49 at 320x240, then 50 to 99 at 160x120
    short.mp4               the first two seconds
    """

    def make(name: str, numbers: range, options: Sequence[Any], width: int = 320, height: int = 240) -> Path:
        pictures = (numbered_picture(number, width, height) for number in numbers)
        encode(pictures, "gray", width, height, *options, folder / name)
        return folder / name

    make("video.h264", range(CLIP_LENGTH), x264(25))
    make("video.h265", range(250), X265)
    make("video.mjpeg", range(250), ["-pix_fmt", "yuvj420p", "-c:v", "mjpeg", "-q:v", 2, "-f", "mjpeg"])
    make("long.h264", range(CLIP_LENGTH), x264(CLIP_LENGTH))
    make("intra.h264", range(250), x264(1))
    large = make("large.h264", range(50), x264(25))
    small = make("small.h264", range(50, 100), x264(25), 160, 120)
    (folder / "resize.h264").write_bytes(large.read_bytes() + small.read_bytes())
    video = ["-r", RATE, "-i", folder / "video.h264", "-c", "copy"]
    run_ffmpeg(*video, folder / "video.mp4")
    run_ffmpeg("-i", folder / "video.mp4", "-c", "copy", folder / "video.ts")
    run_ffmpeg("-i", folder / "video.mp4", "-t", 2, "-c", "copy", folder / "short.mp4")


# ---- Programs that never outlive the tests ----


class Program:
    """A program in the background. Leaving the ``with`` block kills it, and so does the end of this process."""

    def __init__(self, *command: Any, as_nobody: bool = False, **options: Any) -> None:
        guard = ["setpriv", "--pdeathsig", "KILL"]
        if as_nobody and os.geteuid() == 0:
            guard += ["--reuid=65534", "--regid=65534", "--clear-groups"]
        self._process = subprocess.Popen([*guard, *map(str, command)], stdin=subprocess.DEVNULL, **options)

    def freeze(self) -> None:
        """Stops it without closing a connection, as a cable that is pulled does."""
        self._process.send_signal(signal.SIGSTOP)

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._process.kill()
        self._process.wait()


def is_bound(port: int, protocol: str = "tcp") -> bool:
    """Whether a server waits at a port of loopback. The kernel is asked: to connect might use up its one client."""
    listening = {"tcp": "0A", "udp": "07"}[protocol]
    rows = [line.split() for line in Path(f"/proc/net/{protocol}").read_text().splitlines()[1:]]
    return any(int(row[1].split(":")[1], 16) == port and row[3] == listening for row in rows)


def wait_bound(port: int, protocol: str = "tcp") -> None:
    """Waits until a server waits at a port."""
    wait_until(lambda: is_bound(port, protocol), f"a server waits at port {port}")


@contextlib.contextmanager
def sending(clip: Path, *output: Any) -> Iterator[None]:
    """The ffmpeg program while it sends a clip at its own pace in an endless loop."""
    command = ["ffmpeg", "-hide_banner", "-loglevel", "fatal", "-nostdin", "-re", "-stream_loop", "-1"]
    with Program(*command, "-i", clip, "-c", "copy", *output):
        yield


@contextlib.contextmanager
def listening(clip: Path, url: str, *output: Any, protocol: str = "tcp") -> Iterator[str]:
    """A sender that waits for its one client at ``url``, which has {port} in it."""
    port = free_port()
    address = url.format(port=port)
    with sending(clip, *output, address):
        wait_bound(port, protocol)
        yield address.split("?")[0]


@contextlib.contextmanager
def vlc(clip: Path) -> Iterator[str]:
    """VLC as an RTSP server, which answers 461 to a client that wants TCP. It refuses to run as root."""
    port = free_port()
    url = f"rtsp://127.0.0.1:{port}/video"
    with tempfile.TemporaryDirectory() as home:
        # Where a user without rights may read and write.
        Path(home).chmod(0o777)
        shutil.copy(clip, home)
        command = ["cvlc", "-q", "-I", "dummy", "--no-audio", "--loop", Path(home, clip.name)]
        output = ["--sout", f"#rtp{{sdp={url}}}", "--sout-keep"]
        environment = {**os.environ, "HOME": home}
        with Program(*command, *output, as_nobody=True, env=environment, stderr=subprocess.DEVNULL):
            wait_until(lambda: describes(port), "VLC has opened its clip")
            yield url


def describes(port: int) -> bool:
    """Whether an RTSP server has a description of its stream: VLC listens before it has one, and answers 500."""
    request = f"DESCRIBE rtsp://127.0.0.1:{port}/video RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(request.encode())
            return b" 200 " in connection.recv(64)
    except OSError:
        return False


@contextlib.contextmanager
def mjpeg_server(clip: Path) -> Iterator[str]:
    """A camera that sends JPEGs over HTTP."""
    command = [SYSTEM_PYTHON, SUPPORT / "mjpeg_server.py", "--fps", RATE, clip]
    with subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().split()[1]}/"
        finally:
            process.kill()


NGINX = """
load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
daemon off;
master_process off;
pid nginx.pid;
events {{ worker_connections 64; }}
rtmp {{
    server {{
        listen 127.0.0.1:{rtmp};
        application live {{ live on; hls on; hls_path {folder}/hls; hls_fragment 2s; hls_playlist_length 8s; }}
    }}
}}
http {{
    access_log off;
    client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp; uwsgi_temp_path temp; scgi_temp_path temp;
    types {{ application/vnd.apple.mpegurl m3u8; video/mp2t ts; }}
    server {{
        listen 127.0.0.1:{http};
        location /hls/ {{ alias {folder}/hls/; add_header Cache-Control no-cache; }}
    }}
}}
"""


class Nginx(NamedTuple):
    """The addresses of one stream that nginx hands on."""

    rtmp: str
    hls: str


@contextlib.contextmanager
def nginx(clip: Path, folder: Path) -> Iterator[Nginx]:
    """nginx with a stream that is published to it by RTMP."""
    rtmp, http = free_port(), free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX.format(rtmp=rtmp, http=http, folder=folder))
    url = f"rtmp://127.0.0.1:{rtmp}/live/video"
    with Program("/usr/sbin/nginx", "-p", folder, "-e", folder / "error.log", "-c", configuration):
        wait_bound(rtmp)
        with sending(clip, "-f", "flv", url):
            wait_until((folder / "hls/video.m3u8").exists, "the first segments are there")
            yield Nginx(url, f"http://127.0.0.1:{http}/hls/video.m3u8")


# ---- Servers with faults ----


@contextlib.contextmanager
def mute_server() -> Iterator[int]:
    """A port where connections are made, by the system alone, and nobody ever answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield listener.getsockname()[1]


@contextlib.contextmanager
def black_hole() -> Iterator[int]:
    """A port that does not even answer a call: the queue of those who want to connect is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        address = listener.getsockname()
        for _ in range(4):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(address)
        yield address[1]


def restart(server: RtspServer, *arguments: str) -> RtspServer:
    """Another RTSP server at the port of one that was stopped."""
    return RtspServer("--port", str(server.port), *arguments)


# ---- Clients and threads ----


@contextlib.contextmanager
def running(url: Any, **parameters: Any) -> Iterator[Client]:
    """A client that was set up and started."""
    with Client(url, **parameters) as client:
        client.setup(timeout=PATIENCE)
        client.start()
        yield client


def all_frames(client: Client) -> Iterator[Tuple[Pixels, FrameInfo]]:
    """All frames of a stream that has an end, in their order, each with what is known of it."""
    after = 0
    while True:
        try:
            batch = client.read(1, order=Order.NEXT, after=after, timeout=PATIENCE)
        except (errors.Ended, errors.StreamFailed):
            return
        after = batch.last_seq
        yield batch.frames[0], batch.infos[0]


class Worker(threading.Thread):
    """A call in a thread of its own, whose failure is raised where it is joined."""

    def __init__(self, call: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._call = call
        self.failure: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._call()
        except BaseException as failure:
            self.failure = failure

    def finish(self) -> None:
        """Joins the thread and raises what its call raised."""
        self.join(2 * PATIENCE)
        assert not self.is_alive(), "a call did not return"
        if self.failure is not None:
            raise self.failure


def repeat(call: Callable[[], Any], until: threading.Event) -> Worker:
    """A thread that calls again and again."""

    def loop() -> None:
        while not until.is_set():
            call()

    return Worker(loop)


# ---- What a process takes ----


class Footprint(NamedTuple):
    """What this process takes of the system."""

    memory: int
    threads: int
    descriptors: int


def footprint() -> Footprint:
    """Bytes of memory in use, threads and open descriptors."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Footprint(
        memory=pages * os.sysconf("SC_PAGE_SIZE"),
        threads=len(os.listdir("/proc/self/task")),
        descriptors=len(os.listdir("/proc/self/fd")),
    )


def fastest(frames: int, published_ns: Sequence[int]) -> float:
    """The shortest time, in seconds, in which so many frames one after another were published."""
    times = np.sort(np.array(published_ns, np.int64))
    return float((times[frames - 1 :] - times[: len(times) - frames + 1]).min()) / 1e9


def sleep_until(moment: float) -> None:
    """Sleeps until a moment of the monotonic clock."""
    time.sleep(max(0.0, moment - time.monotonic()))
