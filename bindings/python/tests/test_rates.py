"""Frame rates: fewer frames than the source has, a constant rate of more, and what batches tell of their spacing."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, List

import numpy as np
import pytest

from live import run_ffmpeg
from mpegclient import Client, Order, errors
from support import RtspServer

MS = 1_000_000


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures at 0, 100, 200, 300 ms, then one at 900 ms, then every 100 ms up to 1300 ms, and one at 5000 ms."""
    path = tmp_path_factory.mktemp("uneven") / "uneven.mkv"
    at = "0.1*N+if(gte(N,4),0.5,0)+if(gte(N,9),3.6,0)"
    source = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=10", "-frames:v", 10]
    run_ffmpeg(*source, "-vf", f"setpts='({at})/TB'", "-fps_mode", "passthrough", "-c:v", "ffv1", path)
    return path


def read_file(path: Path, **parameters: Any) -> Any:
    """All frames of a file, without loss, as infos and pictures."""
    infos: List[Any] = []
    frames: List[Any] = []
    with Client(str(path), overflow="block", **parameters) as client:
        client.setup()
        client.start()
        try:
            while True:
                batch = client.read(3, order=Order.NEXT, after=len(infos), timeout=10)
                infos.extend(batch.infos)
                frames.extend(batch.frames)
        except errors.Ended:
            return infos, frames, client.stats()


def test_a_constant_rate_repeats_marked_frames_but_fills_no_stall(uneven: Path) -> None:
    infos, frames, stats = read_file(uneven, frame_rate=(10, 1), rate_mode="cfr")
    times = [info.pts_ns // MS for info in infos]
    assert times == [*range(0, 1301, 100), 5000]
    repeated = [info.pts_ns // MS for info in infos if info.repeated]
    assert repeated == [400, 500, 600, 700, 800]
    for index in (4, 5, 6, 7, 8):
        assert np.array_equal(frames[index], frames[3])
    assert not np.array_equal(frames[9], frames[3])
    assert stats.repeated == 5 and not any(info.gap_before for info in infos[1:14])
    assert infos[14].gap_before, "the stall of 3.7 s"


def test_a_constant_rate_above_the_source_has_every_frame_several_times(uneven: Path) -> None:
    infos, _, _ = read_file(uneven, frame_rate=(20, 1), rate_mode="cfr")
    within = [info for info in infos if info.pts_ns <= 1300 * MS]
    assert len(within) == 27
    assert {b.pts_ns - a.pts_ns for a, b in zip(within, within[1:])} == {50 * MS}


def test_by_default_nothing_is_invented(uneven: Path) -> None:
    infos, _, stats = read_file(uneven, frame_rate=(20, 1))
    assert len(infos) == 10 and stats.repeated == 0


def test_a_constant_rate_needs_a_rate(uneven: Path) -> None:
    with Client(str(uneven), rate_mode="cfr") as client:
        with pytest.raises(errors.InvalidArgument, match="rate_mode is cfr"):
            client.setup()


def test_batches_tell_whether_their_frames_lie_evenly(uneven: Path) -> None:
    with Client(str(uneven), overflow="block", cache_size=8) as client:
        client.setup()
        client.start()
        even = client.read(4, order=Order.NEXT, timeout=10)
        assert even.is_uniform and even.largest_gap_ns == 100 * MS
        hole = client.read(3, order=Order.NEXT, after=2, timeout=10)
        assert not hole.is_uniform and hole.largest_gap_ns == 600 * MS
        alone = client.read(1, order=Order.NEXT, after=3, timeout=10)
        assert alone.is_uniform and alone.largest_gap_ns is None


def test_a_live_stream_at_a_constant_rate_above_its_own(server: RtspServer) -> None:
    with Client(server.url(), frame_rate=(50, 1), rate_mode="cfr", cache_size=64) as client:
        client.setup()
        client.start()
        batch = client.read(50, timeout=20)
        assert batch.is_uniform and batch.largest_gap_ns == 20 * MS
        # 25 frames a second in, 50 out: every second one is a repetition.
        marks = [info.repeated for info in batch.infos]
        assert marks in ([False, True] * 25, [True, False] * 25)


def test_a_window_of_time_holds_its_share_of_frames(server: RtspServer) -> None:
    with Client(server.url(), frame_rate=(30000, 4004), cache_size=64) as client:
        client.setup()
        client.start()
        client.wait(timeout=10)
        time.sleep(4)
        batch = client.read(64, timeout=0)
    times = [info.pts_ns / 1e9 for info in batch.infos]
    for begin in np.arange(times[0], times[-1] - 2, 0.1):
        count = sum(begin <= time < begin + 2 for time in times)
        assert abs(count - 2 * 30000 / 4004) <= 1, (begin, count)
