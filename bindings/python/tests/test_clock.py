"""The clocks of senders: timestamps that do not keep pace with arrival, and times of capture after 2036."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Iterator, List

import numpy as np
import pytest

from live import RATE, running
from mpegclient import Client, Event, EventKind
from support import PATIENCE, SUPPORT, wait_until

sys.path.insert(0, str(SUPPORT))
import scripted_rtsp  # noqa: E402 (found only now)
from scripted_rtsp import CLOCK, Mount, Packet, Report, ScriptedRtsp  # noqa: E402

pytest_plugins = ["live_fixtures"]

ENGINES = ["native", "libav"]

#: Units of RTP time from one picture to the next.
STEP = CLOCK // RATE

#: Frames a second that are asked for.
WANTED = 5


def stamped(clip: Path, stamp: Callable[[int], int]) -> Mount:
    """A clip, sent in real time, whose pictures have timestamps of a test's own by their number."""
    sent = scripted_rtsp.mount(clip.read_bytes(), "h264", interval=1 / RATE, is_finite=False)
    packets: List[Any] = [
        replace(packet, stamp=stamp(packet.timestamp // STEP)) for packet in sent.packets if isinstance(packet, Packet)
    ]
    return replace(sent, packets=packets)


@contextlib.contextmanager
def both_engines(mount: Mount, **parameters: Any) -> Iterator[List[Client]]:
    """A client of each engine on a server that has begun to send."""
    with ScriptedRtsp({"/": mount}) as server, contextlib.ExitStack() as stack:
        server.go.set()
        yield [stack.enter_context(running(server.url(), rtsp_engine=engine, **parameters)) for engine in ENGINES]


def next_of(client: Client, kind: EventKind) -> Event:
    """The next event of a kind."""
    found: List[Event] = []

    def is_there() -> bool:
        found.extend(event for event in iter(client.next_event, None) if event.kind is kind)
        return bool(found)

    wait_until(is_there, f"an event {kind.name}")
    return found[0]


def assert_paced(client: Client, count: int) -> None:
    """Fails unless the next frames come at the rate that is wanted, by arrival, and their times say so."""
    after = client.stats().newest_seq
    client.wait(after + count, timeout=PATIENCE)
    infos = client.read(count, timeout=0).infos
    arrived = np.array([info.arrival_monotonic_ns for info in infos]) / 1e9
    shown = np.array([info.pts_ns for info in infos]) / 1e9
    assert abs((arrived[-1] - arrived[0]) * WANTED - (count - 1)) <= 1, np.diff(arrived)
    assert abs((shown[-1] - shown[0]) * WANTED - (count - 1)) <= 1, np.diff(shown)
    assert (np.diff(shown) > 0).all()


@pytest.mark.parametrize("mode", ["drop", "cfr"])
@pytest.mark.parametrize("speed", [0.0, 0.1, 10.5])
def test_timestamps_that_do_not_keep_pace_give_way_to_arrival(clips: Path, speed: float, mode: str) -> None:
    mount = stamped(clips / "video.h264", lambda number: 1_000_000 + int(number * STEP * speed))
    with both_engines(mount, frame_rate=(WANTED, 1), rate_mode=mode, cache_size=32) as clients:
        for client in clients:
            event = next_of(client, EventKind.CLOCK_UNRELIABLE)
            assert event.value == 1 and "in a second" in event.text
            assert client.stats().clock_faults == 1
        for client in clients:
            client.wait(client.stats().newest_seq + 2, timeout=PATIENCE)
            assert_paced(client, 20)
            wait_until(lambda: (client.stream_info().measured_frame_rate or 0) > RATE / 2, "the rate is measured")
            assert client.stream_info().measured_frame_rate < RATE * 2
            assert client.read(1, timeout=0).newest_age < 1


def test_a_clock_that_is_right_again_is_told_and_one_that_jumps_is_no_wrong_one(clips: Path) -> None:
    # Standing for 4 s, then right, with a jump back and one ahead.
    def stamp(number: int) -> int:
        jump = 0 if number < 700 else 10_000_000 if number < 750 else -900_000_000
        return 2_000_000_000 + (0 if number < 100 else number * STEP + jump)

    with both_engines(stamped(clips / "video.h264", stamp), frame_rate=(WANTED, 1), cache_size=32) as clients:
        for client in clients:
            assert next_of(client, EventKind.CLOCK_UNRELIABLE).value == 1
        for client in clients:
            assert next_of(client, EventKind.CLOCK_UNRELIABLE).value == 0
            assert_paced(client, 20)
        for client in clients:
            wait_until(lambda: client.stats().decoded >= 850, "the jumps have come")
            assert client.stats().clock_faults == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_times_of_capture_after_2036_are_of_the_next_era(clips: Path, engine: str) -> None:
    sent = stamped(clips / "video.h264", lambda number: number * STEP)
    # 1000.5 s after NTP time has begun anew, on 2036-02-07.
    report = Report(ntp=(1000 << 32) + (1 << 31), timestamp=0)
    packets: List[Any] = [packet for one in sent.packets[:200] for packet in (report, one)]
    with ScriptedRtsp({"/": replace(sent, packets=packets)}) as server, running(
        server.url(), rtsp_engine=engine, cache_size=32
    ) as client:
        server.go.set()
        client.wait(5, timeout=PATIENCE)
        begun = ((1 << 32) - 2_208_988_800) * 1_000_000_000 + 1_000_500_000_000
        for info in client.read(5, timeout=0).infos:
            assert 0 <= (info.capture_time_ns or 0) - begun < 10_000_000_000


def test_a_constant_rate_reports_no_dropped_frame_after_a_reconnection(clips: Path) -> None:
    sent = scripted_rtsp.mount((clips / "video.h264").read_bytes(), "h264", interval=1 / RATE)
    with ScriptedRtsp({"/": replace(sent, packets=sent.packets[:150])}) as server, running(
        server.url(), frame_rate=(2 * RATE, 1), rate_mode="cfr"
    ) as client:
        server.go.set()
        wait_until(lambda: client.stats().connects >= 3 and client.stats().newest_seq > 0, "it is connected again")
        client.wait(client.stats().newest_seq + 10, timeout=PATIENCE)
        kinds = [event.kind for event in iter(client.next_event, None)]
        assert EventKind.RECONNECTED in kinds and EventKind.FRAMES_DROPPED not in kinds
