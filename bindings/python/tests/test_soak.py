"""How the soak (tests/soak) tells growth from noise: what it must find, and what it must not take for growth."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Callable, List

TESTS = Path(__file__).resolve().parents[3] / "tests"
sys.path += [str(TESTS / "soak"), str(TESTS / "faults")]

import verdict  # noqa: E402 (its folder has to be known first)
from trend import Trend, trend  # noqa: E402

#: Of ten minutes, what follows upon the warm-up, second by second.
SECONDS = list(range(150, 600))

MB = 1e6

#: 100 bytes for each frame of four streams of 25 frames a second, in bytes an hour.
LEAK = 100 * 4 * 25 * 3600


def measured(at: Callable[[int], float], noise: float = 0.2 * MB) -> Trend:
    """The trend of a process of 50 MB whose memory moves up and down, and is otherwise as told."""
    choice = random.Random(1)
    values: List[float] = []
    wave = 0.0
    for second in SECONDS:
        # What is used now is mostly what was used a second ago.
        wave = 0.8 * wave + choice.gauss(0, noise)
        values.append(50 * MB + wave + at(second))
    return trend(SECONDS, values)


def test_a_leak_of_100_bytes_a_frame_is_found() -> None:
    found = measured(lambda second: LEAK * second / 3600)
    assert found.low > 1 * MB
    assert found.low < LEAK < found.high


def test_noise_is_no_growth() -> None:
    found = measured(lambda second: 0)
    assert found.low < 0 < found.high


def test_a_step_is_no_growth() -> None:
    """As when a buffer finds its size, or another thread its own heap, once."""
    assert measured(lambda second: 3 * MB * (second > 400)).low < 1 * MB


def test_peaks_are_no_growth() -> None:
    assert measured(lambda second: 20 * MB * (second % 60 > 50)).low < 1 * MB


def test_an_exact_line_has_its_own_slope() -> None:
    found = measured(lambda second: LEAK * second / 3600, noise=0)
    assert round(found.slope) == LEAK


def test_too_few_measurements_say_nothing() -> None:
    found = trend([1, 2, 3], [1, 2, 3])
    assert found.low < -1e300 and found.high > 1e300


def test_what_is_held_for_a_moment_or_between_two_connections_is_left_out() -> None:
    times = [float(second) for second in range(600)]
    is_quiet = [second % 60 >= 45 for second in range(600)]
    values = [20 * MB if quiet and second % 2 else 20 * MB + 1000 * second for second, quiet in enumerate(is_quiet)]
    found = trend(*verdict.lower_envelope(times, {"settled": is_quiet, "heap": values}, "heap", 60, 60))
    assert found.low <= 0 <= found.high
