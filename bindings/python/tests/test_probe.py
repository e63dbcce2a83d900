"""The probing program: its measures without a stream, and as a person or a program runs it, on a real stream and a file."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Callable, Dict, Optional

import pytest

from mpegclient import CaptureClock, FrameInfo, State, Stats, StreamInfo
from mpegclient.probe import measure, report
from mpegclient.programs import advice
from support import RtspServer, free_port, run_python

MILLISECOND = 1_000_000


def info(seq: int, pts_ms: Optional[int], arrival_ms: Optional[int], **others: Any) -> FrameInfo:
    """A frame of which little is known."""

    def ns(milliseconds: Optional[int]) -> Optional[int]:
        return None if milliseconds is None else milliseconds * MILLISECOND

    unknown: Dict[str, Any] = dict.fromkeys(FrameInfo.__dataclass_fields__)
    known = {"seq": seq, "generation": 1, "pts_ns": ns(pts_ms), "arrival_monotonic_ns": ns(arrival_ms),
             "capture_clock": CaptureClock.NONE, "key": False}  # fmt: skip
    return FrameInfo(**{**unknown, **known, **others})


# ---- Measures ----


def test_rates_and_jitter_are_those_of_the_times() -> None:
    rate = measure.rate([info(1, 0, 1000), info(2, 40, 1046), info(3, 80, 1080), info(4, 200, 1200)])
    assert (rate.frames, rate.by_timestamps, rate.by_arrival) == (4, 15.0, 15.0)
    assert rate.longest_interval_ns == 120 * MILLISECOND
    assert rate.arrival_jitter_ns == 4 * MILLISECOND  # 6, 6 and 0


def test_times_that_are_not_known_are_left_out() -> None:
    rate = measure.rate([info(1, 0, None), info(2, None, None), info(3, 80, None), info(4, 120, None)])
    assert (rate.by_timestamps, rate.by_arrival, rate.arrival_jitter_ns) == (25.0, None, None)
    alone = measure.rate([info(1, 0, 0)])
    assert (alone.by_timestamps, alone.by_arrival, alone.longest_interval_ns) == (None, None, None)


def test_only_the_newest_connection_is_measured() -> None:
    frames = [info(1, 0, 0), info(2, 40, 40), replace(info(3, 7, 90), generation=2)]
    assert measure.newest_connection(frames) == frames[2:]


def test_the_distance_of_key_frames_is_the_longest() -> None:
    keys = measure.key_frames([info(seq, seq * 40, 0, key=seq in (3, 13, 38)) for seq in range(1, 40)])
    assert (keys.seen, keys.distance_frames, keys.distance_ns) == (3, 25, 1000 * MILLISECOND)
    one = measure.key_frames([info(1, 0, 0, key=True)])
    assert (one.seen, one.distance_frames, one.distance_ns) == (1, None, None)


def test_the_capture_clock_is_that_of_the_frames_that_have_one() -> None:
    told = {"capture_clock": CaptureClock.RTCP, "capture_time_ns": 5 * MILLISECOND, "arrival_time_ns": 8 * MILLISECOND}
    capture = measure.capture([info(1, 0, 0), info(2, 40, 40, **told)])
    assert (capture.clock, capture.frames, capture.to_arrival_ns) == (CaptureClock.RTCP, 1, 3 * MILLISECOND)
    assert measure.capture([info(1, 0, 0)]).clock is CaptureClock.NONE


def test_the_text_has_a_line_for_each_thing_known_with_its_unit() -> None:
    text = report.as_text({"url": "file", "part": {"took_ns": 2_500_000, "is_live": True, "rate": None}, "none": None})
    assert text.splitlines() == ["url: file", "", "part", "  took     2.5 ms", "  is live  yes", "  rate     not known"]


# ---- The program ----


def probe(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs it."""
    return run_python(["-m", "mpegclient", "probe", *arguments])


def probe_json(*arguments: str, returns: int = 0) -> Dict[str, Any]:
    """Runs it and reads what it tells."""
    result = probe(*arguments, "--json")
    assert result.returncode == returns, result.stderr
    told: Dict[str, Any] = json.loads(result.stdout)
    return told


def names(record: Any) -> set[str]:
    """The members of a record."""
    return {field.name for field in fields(record)}


def test_all_that_is_known_of_a_live_stream_is_told(server: RtspServer) -> None:
    # Long enough for the server's first word about its clock.
    told = probe_json(server.url(userinfo="bob:hunter2@"), "--seconds", "5", "--transport", "tcp", "-p", "width=160")
    assert "hunter2" not in json.dumps(told) and told["url"] == server.url(userinfo="***@") and told["failure"] is None
    assert told["state"] == "RUNNING" and 0 < told["setup"]["took_ns"] < told["first_frame"]["from_setup_ns"]
    assert names(StreamInfo) == set(told["stream"]) and names(Stats) == set(told["counters"])
    assert told["stream"]["codec"] == "h264" and told["stream"]["is_live"]
    assert (told["output"]["width"], told["output"]["height"], told["newest_frame"]["source_width"]) == (160, 120, 320)
    assert told["measured_rate"]["by_timestamps"] == pytest.approx(25, abs=0.1)
    assert (told["key_frames"]["distance_frames"], told["key_frames"]["distance_ns"]) == (25, pytest.approx(1e9, rel=0.01))
    assert told["capture"]["clock"] == "RTCP" and abs(told["capture"]["to_arrival_ns"]) < 1e9
    assert [event["state"] for event in told["events"]][-1] == "RUNNING"


def test_a_file_is_told_as_text(media: Path) -> None:
    result = probe(str(media / "short.mp4"))
    assert (result.returncode, result.stderr) == (0, "")
    lines = {line.strip().rsplit("  ", 1)[0].strip(): line.rsplit("  ", 1)[-1] for line in result.stdout.splitlines()}
    assert lines["frame rate"] == "25/1" and lines["duration"] == "1.000 s" and lines["is live"] == "no"
    assert lines["source width"] == "320" and "state: ENDED" in result.stdout.splitlines()


def test_a_person_at_a_terminal_is_told_what_takes_so_long(media: Path) -> None:
    terminal, its_end = pty.openpty()
    try:
        result = run_python(["-m", "mpegclient", "probe", str(media / "short.mp4"), "--seconds", "7"], stderr=its_end)
        told = os.read(terminal, 1000).decode().split("\r\n")
    finally:
        os.close(its_end)
        os.close(terminal)
    assert result.returncode == 0 and told == ["connecting ...", "watching for 7 s ...", ""]


def test_a_failure_is_told_with_its_phase_and_advice(media: Path, start_server: Callable[..., RtspServer]) -> None:
    told = probe_json(f"rtsp://bob:hunter2@127.0.0.1:{free_port()}/video", returns=1)
    explanation = told["failure"]["explanation"]
    assert (explanation["status"], explanation["phase"]) == ("REFUSED", "connecting")
    assert "nothing listens" in explanation["advice"] and "hunter2" not in json.dumps(told)
    assert told["failure"]["last"]["status"] == "REFUSED" and set(told) == {"url", "library", "events", "failure"}
    server = start_server(f"/keyless={media / 'keyless.h264'},h264,25")
    result = probe(server.url("/keyless"), "--seconds", "1")
    what, what_to_try = result.stderr.splitlines()
    assert result.returncode == 1 and "WAITING_KEYFRAME" in what and what_to_try.endswith(advice.TROUBLE[State.WAITING_KEYFRAME])
    assert "codec" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [[], ["x", "-p", "width"], ["x", "-p", "width=-1"], ["x", "-p", "with=1"], ["x", "--seconds", "x"]],
    ids=" ".join,
)
def test_wrong_usage_is_told_apart(arguments: list[str]) -> None:
    result = probe(*arguments)
    assert result.returncode == 2 and result.stderr and "Traceback" not in result.stderr
