"""The fixtures of the live tests: clips and servers that the three test files share."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from live import Nginx, make_clips, nginx
from support import RtspServer


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the numbered clips; see live.make_clips."""
    folder = tmp_path_factory.mktemp("clips")
    make_clips(folder)
    return folder


@pytest.fixture(scope="session")
def rtsp(clips: Path) -> Iterator[RtspServer]:
    """A server that no test harms, with the mounts /video, /h265, /intra and /resize."""
    mounts = ["video.h264", "h265.h265", "intra.h264", "resize.h264"]
    files = {"h265.h265": "video.h265"}
    arguments = []
    for mount in mounts:
        name, codec = mount.split(".")
        arguments.append(f"/{name}={clips / files.get(mount, mount)},{codec},25")
    with RtspServer(*arguments) as server:
        yield server


@pytest.fixture(scope="session")
def web(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """nginx with one stream, by RTMP and as HLS."""
    with nginx(clips / "video.mp4", tmp_path_factory.mktemp("nginx")) as addresses:
        yield addresses
