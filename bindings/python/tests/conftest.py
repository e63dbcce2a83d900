"""What the tests share: the clips, and real RTSP servers that never outlive their test."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path
from typing import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pytest

ROOT = Path(__file__).resolve().parents[3]

# The library of this tree, unless another is named; before anything imports the package.
os.environ.setdefault("MPEGCLIENT_LIBRARY", str(ROOT / "target/release/libmpegclient.so"))

from mpegclient import Client  # noqa: E402 (the library has to be named first)
from support import SUPPORT, RtspServer  # noqa: E402

StartServer = Callable[..., RtspServer]


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the clips: video.h264 (320x240, 25 frames a second, 4 s, a key frame each second), video.mp4,
    short.mp4 (its first second), long.mp4 (25 times over), keyless.h264 (video.h264 without its key frames)."""
    folder = tmp_path_factory.mktemp("media")
    clips = ["video.h264", "keyless.h264", "video.mp4", "short.mp4", "long.mp4"]
    subprocess.run([SUPPORT / "make_media.sh", folder, *clips], check=True, timeout=120)
    return folder


@pytest.fixture(scope="session")
def server(media: Path) -> Iterator[RtspServer]:
    """A server that all tests share, none of which harms it: /video in an endless loop."""
    with RtspServer(f"/video={media / 'video.h264'},h264,25") as server:
        yield server


@pytest.fixture
def start_server(media: Path) -> Iterator[StartServer]:
    """Starts a server of the test's own, with the options given."""
    servers = []

    def start(*options: str) -> RtspServer:
        servers.append(RtspServer(*options, f"/video={media / 'video.h264'},h264,25"))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def pictures(media: Path) -> npt.NDArray[np.uint8]:
    """What video.h264 shows, decoded by the ffmpeg program: (100, 240, 320, 3)."""
    command = ["ffmpeg", "-v", "error", "-i", media / "video.h264", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    pixels = subprocess.run(command, check=True, capture_output=True, timeout=120).stdout
    return np.frombuffer(pixels, np.uint8).reshape(-1, 240, 320, 3)


@pytest.fixture
def running(server: RtspServer) -> Iterator[Client]:
    """A client that runs on the shared server: every frame in the source's size, the newest 12 kept."""
    with Client(server.url(), cache_size=12) as client:
        client.setup()
        client.start()
        yield client


@pytest.fixture
def mute_port() -> Iterator[int]:
    """A port where connections are made, by the system alone, and nobody ever answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
        yield listener.getsockname()[1]
