"""Times of capture: when the sender took each picture, by its own clock, whichever engine reads the stream."""

from __future__ import annotations

from typing import Dict

import numpy as np

from live import INTERVAL_NS, numbers_of
from mpegclient import CaptureClock, Client
from support import PATIENCE, RtspServer, wait_until

pytest_plugins = ["live_fixtures"]


def start(server: RtspServer, engine: str, path: str) -> Client:
    client = Client(server.url(path), rtsp_engine=engine, cache_size=400)
    client.setup()
    client.start()
    return client


def knows_capture_times(client: Client) -> bool:
    newest = client.stats().newest_seq
    return newest > 0 and client.frame_info(newest).capture_time_ns is not None


def captures(client: Client) -> Dict[int, int]:
    """The time of capture of each picture that can be read, by the picture's number."""
    batch = client.read(client.stats().newest_seq, timeout=0)
    assert all(info.capture_clock is CaptureClock.RTCP for info in batch.infos), "those before the first report too"
    return dict(zip(numbers_of(batch.frames), (info.capture_time_ns or 0 for info in batch.infos)))


def test_both_engines_tell_the_same_times_of_capture(rtsp: RtspServer) -> None:
    for path in ("/video", "/h265"):
        with start(rtsp, "native", path) as native, start(rtsp, "libav", path) as libav:
            for client in (native, libav):
                wait_until(lambda: knows_capture_times(client), "the sender has told the time")
                client.wait(client.stats().newest_seq + 10, timeout=PATIENCE)
            theirs, ours = captures(libav), captures(native)
            both = sorted(theirs.keys() & ours.keys())
            assert len(both) > 20
            # A frame's interval is 40 ms; the rest is the server's own reckoning between two reports.
            off = [theirs[number] - ours[number] for number in both]
            assert abs(np.median(off)) < INTERVAL_NS / 4, np.median(off) / 1e6
            steps = np.diff([ours[number] for number in both])
            assert abs(np.median(steps) - INTERVAL_NS) < 1e6


def test_what_is_known_of_a_frame_never_changes(rtsp: RtspServer) -> None:
    with start(rtsp, "libav", "/video") as client:
        wait_until(lambda: knows_capture_times(client), "the sender has told the time")
        known = {seq: client.frame_info(seq) for seq in range(1, client.stats().newest_seq + 1)}
        client.wait(client.stats().newest_seq + 25, timeout=PATIENCE)
        assert all(client.frame_info(seq) == info for seq, info in known.items())
