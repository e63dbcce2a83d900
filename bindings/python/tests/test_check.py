"""The parts of the checking program, without a stream."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Optional

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from mpegclient import Batch, CaptureClock, Failure, FrameInfo, Phase, PixelFormat, State, Stats, Status, errors
from mpegclient._c import library
from mpegclient.check import lines
from mpegclient.check.sheet import LABEL_HEIGHT, MARGIN, THUMBNAIL_WIDTH, ContactSheet
from mpegclient.check.terminal import HISTORY, TerminalView
from mpegclient.programs import advice, words
from mpegclient.programs.model import Model

#: A second of CLOCK_MONOTONIC, and of every other clock here.
SECOND = 1_000_000_000


def info(seq: int, *, key: bool = False, pts_ns: Optional[int] = 0) -> FrameInfo:
    """A frame that arrived at the second of its number."""
    return FrameInfo(
        seq=seq,
        generation=1,
        pts_ns=pts_ns,
        capture_time_ns=None,
        capture_clock=CaptureClock.NONE,
        arrival_time_ns=seq * SECOND,
        arrival_monotonic_ns=seq * SECOND,
        decoded_monotonic_ns=seq * SECOND,
        published_monotonic_ns=seq * SECOND,
        key=key,
        corrupt=False,
        gap_before=False,
        repeated=False,
        source_width=320,
        source_height=240,
        to_source=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
    )


def stats(**counters: int) -> Stats:
    """A ring of 4 slots, and the counters given."""
    zeros = dict.fromkeys(Stats.__dataclass_fields__, 0)
    return Stats(**{**zeros, "ring_capacity": 4, **counters})


def batch(first_seq: int, count: int, width: int = 64, height: int = 48) -> Batch:
    """Frames of one colour each."""
    colours = np.arange(count, dtype=np.uint8)[:, None, None, None] * 20
    return Batch(
        frames=np.broadcast_to(colours, (count, height, width, 3)).copy(),
        infos=tuple(info(seq) for seq in range(first_seq, first_seq + count)),
        first_seq=first_seq,
        generation=1,
        newest_age=0.04,
        pixel_format=PixelFormat.RGB24,
        mixed_generations=False,
        is_uniform=True,
        largest_gap_ns=None,
    )


def model_of(*seqs: int, oldest: int = 1) -> Model:
    """A model that has seen these frames written; every fourth is a key frame."""
    model = Model()
    model.update(State.RUNNING, stats(newest_seq=seqs[-1], oldest_seq=oldest, published=len(seqs)))
    for seq in seqs:
        model.wrote(info(seq, key=seq % 4 == 0), seq * SECOND + 5_000_000)
    return model


# ---- Model ----


def test_a_write_is_a_frame_in_its_slot() -> None:
    model = model_of(6)
    write = model.last_write
    assert write is not None
    assert (write.slot, write.capacity, write.info.seq) == (2, 4, 6)
    assert write.age == pytest.approx(0.005)


def test_the_ring_shows_frames_writer_and_read_region() -> None:
    model = model_of(1, 2, 3, 4, 5, 6, oldest=4)
    read = model.read(batch(5, 2))
    assert (read.first_seq, read.last_seq, read.slots) == (5, 6, [1, 2])
    slots = model.slots()
    assert [slot.number for slot in slots] == [0, 1, 2, 3]
    assert [slot.seq for slot in slots] == [4, 5, 6, None], "frame 3 is there, but not readable any more"
    assert [slot.is_key for slot in slots] == [True, False, False, False]
    assert [slot.is_read for slot in slots] == [False, True, True, False]
    assert [slot.is_writers for slot in slots] == [False, False, False, True]


def test_a_region_may_wrap_around() -> None:
    assert model_of(1, 2, 3, 4, 5).read(batch(3, 3)).slots == [3, 0, 1]


def test_a_new_ring_is_empty() -> None:
    model = model_of(1, 2, 3)
    assert not model.update(State.RUNNING, stats(ring_capacity=8, newest_seq=3))
    assert [slot.seq for slot in model.slots()] == [None] * 8


def test_a_change_of_state_is_told() -> None:
    model = Model()
    assert model.slots() == [] and model.capacity == 0
    assert model.update(State.RUNNING, stats())
    assert not model.update(State.RUNNING, stats(packets=1))
    assert model.update(State.STALLED, stats())


def test_counts_of_steps() -> None:
    model = model_of(1, 2, 4)
    model.missed_write()
    assert model.has_unread_writes
    model.read(batch(3, 2))
    assert (model.writes, model.missed, model.reads, model.has_unread_writes) == (3, 1, 1, False)


# ---- Words and lines ----


def test_numbers_in_words() -> None:
    assert (words.seconds(1_234_567_890), words.seconds(None)) == ("1.235 s", "unknown")
    assert (words.milliseconds(0.0421), words.milliseconds(None)) == ("42 ms", "unknown")
    assert [words.bytes_of(count) for count in (0, 999, 1000, 2_500_000)] == ["0 bytes", "999 bytes", "1.0 kB", "2.5 MB"]
    assert words.time_of_day(1_500_000_123_456_789).endswith(".123")
    assert words.time_of_day(None) == "unknown"


def test_one_line_a_step() -> None:
    output = io.StringIO()
    model = model_of(1, 2, 3, 4)
    assert model.last_write is not None
    failure = Failure(Status.STALLED, Phase.READ, 0, None, True, 0, "no packet came")
    with lines.LineView(output) as view:
        view.wrote(model, model.last_write)
        view.missed(model, 5)
        view.read(model, model.read(batch(3, 2)))
        view.changed(model, failure)
        model.update(State.RECONNECTING, stats())
        view.changed(model, failure)
        view.idle(model)
    assert output.getvalue().splitlines() == [
        "write frame 4  slot 0 of 4  pts 0.000 s  age 5 ms  key",
        "missed frame 5: it was overwritten before it could be looked at",
        "read  frames 3 to 4  slots 3,0  newest is 40 ms old",
        "state RUNNING",
        "state RECONNECTING: no packet came",
    ]


def test_marks_of_a_frame() -> None:
    frame = replace(info(1), key=True, corrupt=True, gap_before=True, repeated=True)
    assert lines.properties(frame) == ["key", "corrupt", "gap before", "repeated"]
    assert lines.counters_line(Model()) == "nothing was received"


# ---- Terminal ----


def drawn(model: Model, width: int) -> str:
    """What a terminal of so many columns shows."""
    console = Console(file=io.StringIO(), width=width, height=40, force_terminal=True, color_system=None)
    with console.capture() as capture:
        console.print(TerminalView("rtsp://camera/1", console).draw(model))
    return capture.get()


def test_the_terminal_shows_the_ring_and_the_counters() -> None:
    model = model_of(1, 2, 3, 4, 5, oldest=2)
    model.read(batch(4, 2))
    picture = drawn(model, width=80)
    assert "rtsp://camera/1" in picture and "RUNNING" in picture
    (ring,) = [line for line in picture.splitlines() if "0:" in line]
    assert ring.split()[1:-1] == ["0:", "4K", "5", "2", "3"]
    assert "4 to 5" in picture


def test_a_ring_wider_than_the_terminal_goes_on_below() -> None:
    model = Model()
    model.update(State.RUNNING, stats(ring_capacity=64))
    rows = [line for line in drawn(model, width=70).splitlines() if re.match(r"│ +\d+:", line)]
    first_slots = [int(row.split()[1].rstrip(":")) for row in rows]
    assert len(rows) > 1 and first_slots == list(range(0, 64, first_slots[1]))
    assert sum(row.count("-") for row in rows) == 64
    assert {len(row) for row in rows} == {70}


def test_the_terminal_keeps_the_last_steps() -> None:
    console = Console(file=io.StringIO(), width=100, height=40, force_terminal=True, color_system=None)
    with TerminalView("title", console) as view:
        model = model_of(*range(1, HISTORY + 3))
        for seq in range(1, HISTORY + 3):
            view.wrote(model, model.wrote(info(seq), 0))
    last = console.file.getvalue()[-3000:]  # type: ignore[attr-defined]
    assert f"write frame {HISTORY + 2} " in last and "write frame 2 " not in last.rpartition("title")[2]


# ---- Contact sheet ----


def test_the_sheet_has_a_row_for_each_of_the_last_extractions(tmp_path: Path) -> None:
    sheet = ContactSheet(rows=2)
    assert sheet.is_empty
    for first_seq in (1, 3, 5):
        sheet.add(batch(first_seq, 2))
    with Image.open(sheet.save(tmp_path / "sheet.png")) as file:
        image = file.convert("RGB")
    assert image.size == (MARGIN + 2 * (64 + MARGIN), MARGIN + 2 * (48 + LABEL_HEIGHT + MARGIN))
    assert image.getpixel((MARGIN, MARGIN)) == (0, 0, 0)
    assert image.getpixel((MARGIN + 64 + MARGIN, MARGIN)) == (20, 20, 20)
    label = image.crop((MARGIN, MARGIN + 48 + 1, MARGIN + 64, MARGIN + 48 + LABEL_HEIGHT))
    assert label.getextrema()[0][0] < 128, "the label is there"


def test_large_frames_become_thumbnails() -> None:
    sheet = ContactSheet()
    sheet.add(batch(1, 1, width=1920, height=1080))
    assert sheet.draw().width == THUMBNAIL_WIDTH + 2 * MARGIN


# ---- Advice ----


def test_every_way_to_lose_a_stream_has_advice() -> None:
    ways = {status for status, error in errors.BY_STATUS.items() if issubclass(error, errors.ConnectError)}
    assert ways | {Status.TIMEOUT, Status.FAILED} <= set(advice.ADVICE)


def test_every_phase_and_every_living_state_without_frames_has_words() -> None:
    assert set(advice._PHASES) == set(Phase) - {Phase.NONE}
    assert all(library.mpegclient_phase_string(phase) for phase in Phase)
    assert set(advice.TROUBLE) == {state for state in State if state.is_living} - {State.RUNNING}


def test_a_failure_is_explained_with_phase_and_advice() -> None:
    failure = Failure(Status.UNAUTHORIZED, Phase.AUTH, 0, 401, False, 0, "401 Unauthorized")
    assert str(advice.explain(errors.Unauthorized("the server wants other credentials"), failure)).splitlines() == [
        "what failed: the server wants other credentials",
        "in phase:    authenticating",
        "answer:      401",
        f"what to try: {advice.ADVICE[Status.UNAUTHORIZED]}",
    ]
    # A stream that failed for good failed of something.
    assert "401" in str(advice.explain(errors.StreamFailed("the stream has failed"), failure))
    # An older failure of another kind explains nothing.
    assert "401" not in str(advice.explain(errors.Timeout("too late"), failure))
    assert str(advice.explain(errors.Timeout("too late"), None)).startswith("what failed: too late\nwhat to try:")


def test_a_stream_without_frames_is_explained() -> None:
    failure = Failure(Status.STALLED, Phase.READ, 0, None, True, 0, "no packet came")
    text = str(advice.explain_trouble(State.RECONNECTING, failure))
    assert "lost" in text and "no packet came" in text and advice.ADVICE[Status.STALLED] in text
    assert "key frame" in str(advice.explain_trouble(State.WAITING_KEYFRAME, failure))
    assert "CONNECTING" in str(advice.explain_trouble(State.CONNECTING, None))
