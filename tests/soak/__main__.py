#!/usr/bin/env python3
"""The soak: 16 streams from real servers that are spoilt by a script, read by programs in four languages at once.

    tests/soak [--minutes N] [--quick]

Once a minute a line tells memory, descriptors, threads, frames, reconnects and the worst call; at the end stand a picture
(target/soak/soak.png), all measurements (soak.json) and a verdict. It runs in a network of its own. --quick takes two
minutes, which is too short to judge memory; all else is judged.
"""

import argparse
import dataclasses
import json
import math
import os
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "faults")]

import matrix  # noqa: E402 (its folder has to be known first)
import network  # noqa: E402
import plot  # noqa: E402
import readers  # noqa: E402
import verdict  # noqa: E402
import world  # noqa: E402
from clips import RATE, make_clips  # noqa: E402
from record import Record  # noqa: E402

QUICK_MINUTES = 2

#: Seconds without faults at the beginning, in which every RTP clock wraps, and at the end, in which all must run.
CALM_S, LAST_CALM_S = 40, 20

#: Seconds from one beginning of the script to the next.
CYCLE_S = 60

#: Seconds after the last that is done to servers and streams by when all is as it was.
QUIET_AFTER_S = 6

#: Seconds at the end in which every stream has to show new frames.
LAST_FRAMES_S = 5

#: What a call may take beyond its bound, in milliseconds, where no thread has to wait for a processor.
SLACK_MS = 200

#: Where a smaller part of the pictures was shown, faults do not explain it.
LEAST_SHOWN = 0.7

#: Seconds that a reader has to end: terminate and clear of each of its streams.
PATIENCE_S = 10


class Soak:
    """One run."""

    def __init__(self, seconds):
        self._seconds = seconds
        self._place = 0
        self._is_over = threading.Event()
        commands, environment = readers.build(matrix.TARGET)
        self._world = world.World(matrix.CLIPS)
        self._commands, self._environment = commands, environment
        self.sites = self._world.sites
        self.record = None
        self.readers = []
        self.problems = []

    def run(self):
        """Runs it to its end."""
        with self._world.opened():
            self.record = Record(time.monotonic())
            streams = [site.stream for site in self.sites.values()]
            self.readers = [
                readers.Reader(language, command, streams, self._environment)
                for language, command in self._commands.items()
            ]  # fmt: skip
            watch = threading.Thread(target=self._watch)
            watch.start()
            # Not on a thread that ends before the run: what a thread has started ends with it.
            self._spoil()
            watch.join()
            self._stop()

    def _spoil(self):
        """Goes through the script again and again, and rests at the beginning and the end."""
        cycle_begins, end = CALM_S, self._seconds - LAST_CALM_S
        while cycle_begins + CYCLE_S <= end and not self._is_over.wait(cycle_begins - self.record.now()):
            self._spoil_once()
            cycle_begins += CYCLE_S
        # The longer a stream runs undisturbed, the more memory it takes (libavformat fills its buffers of 5 MB for MPEG-TS):
        # what it takes later than at the end of a cycle is not comparable with the cycles before.
        self._is_over.wait(cycle_begins - self.record.now())
        self.record.quiet_from = math.inf

    def _spoil_once(self):
        for fault, site, seconds in world.SCRIPT:
            self.record.faults.append((self.record.now(), f"{fault.__name__} {site}"))
            # A stream that is connected anew takes less memory at first, and one that is behind takes more.
            self.record.quiet_from = math.inf
            fault(self._world, site, seconds)
            time.sleep(world.HEALING_S)
        # Users too stop streams and start them again: another one each time.
        for reader in self.readers:
            reader.restart_stream(self._place % len(self.sites))
        self._place += 1
        self.record.quiet_from = self.record.now() + QUIET_AFTER_S

    def _watch(self):
        """Samples once a second, or as often as a busy machine lets it, and tells once a minute."""
        frames, minutes = {}, 0
        while self.record.now() < self._seconds and not self._is_over.is_set():
            time.sleep(1 - self.record.now() % 1)
            if gone := [reader.language for reader in self.readers if reader.has_ended()]:
                self.problems.append(f"{gone[0]}: the reader has ended after {self.record.now():.0f} s")
                break
            self.record.sample(self.readers, SLACK_MS)
            if not frames and self.record.now() >= self._seconds - LAST_FRAMES_S:
                frames = {reader.language: [stream.get("frames", 0) for stream in reader.streams] for reader in self.readers}
            if self.record.now() // 60 > minutes:
                minutes = self.record.now() // 60
                print(self.record.line(), flush=True)
        self._is_over.set()
        self.problems += verdict.stream_problems(self.readers, self.sites, frames)

    def _stop(self):
        """Ends the readers; stopping is a call with a bound too."""
        for reader in self.readers:
            status = reader.stop(PATIENCE_S)
            self.record.note_calls(reader, SLACK_MS)
            if status != 0:
                self.problems.append(f"{reader.language}: the reader ended with {status}, not 0")

    def judge(self):
        """The rest of the verdict; gives the trends of memory."""
        trends = verdict.growth(self.record, warm_up_s(self._seconds), CYCLE_S)
        self.problems += verdict.memory_problems(trends)
        self.problems += verdict.resource_problems(self.record, CALM_S)
        self.problems += verdict.call_problems(self.record)
        return trends


def warm_up_s(seconds):
    """How long buffers, caches and garbage collectors are given to find their size."""
    return min(max(60, seconds / 6), 900)


def tell(soak, trends, folder):
    """Writes the picture and the measurements, and says what was found; the last line says it in one sentence."""
    plot.draw(soak.record, folder / "soak.png")
    told = dataclasses.asdict(soak.record)
    (folder / "soak.json").write_text(json.dumps(told) + "\n")
    judged = {name: found for name, found in trends.items() if found.low > -math.inf}
    for (language, kind), found in judged.items():
        bounds = f"{found.low / verdict.MB:+.1f} to {found.high / verdict.MB:+.1f}"
        slope = f"{found.slope / verdict.MB:+.2f} MB an hour"
        print(f"{language}: {verdict.MEMORIES[kind]} {slope} ({bounds} with {verdict.CONFIDENCE:.0%} each)")
    record = soak.record
    sent = sum(len(reader.streams) for reader in soak.readers) * RATE * record.times[-1]
    if record.frames[-1] < LEAST_SHOWN * sent:
        print(f"NOTE: {record.frames[-1] / sent:.0%} of the pictures were shown: this machine is too busy for so many streams")
    for problem in soak.problems:
        print(f"PROBLEM: {problem}")
    memory = "too short to judge memory"
    if judged:
        steepest = max(judged.values(), key=lambda found: found.low)
        memory = f"memory {steepest.slope / verdict.MB:+.1f} MB an hour ({steepest.low / verdict.MB:+.1f} at least)"
    late_ms, language, call = record.worst
    print(
        f"{sum(len(reader.streams) for reader in soak.readers)} streams in {len(soak.readers)} languages for"
        f" {record.times[-1] / 60:.1f} minutes: {record.frames[-1]:.0f} frames, {len(record.faults)} faults,"
        f" {record.reconnects[-1]:.0f} reconnects,"
        f" {verdict.crossed(soak.readers, soak.sites)} RTP clocks followed across their wrap,"
        f" worst call {call} in {language} {late_ms:.0f} ms beyond its bound, {memory}, {len(soak.problems)} problems"
    )


def enter_own_network():
    """Starts this program anew in a network of its own."""
    prefix = network.prefix()
    if not prefix:
        sys.exit("soak: needs a network of its own (unshare --net), which is not allowed here")
    os.environ[network.MARK] = "1"
    os.execvp(prefix[0], [*prefix, sys.executable, "-B", *sys.argv])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if network.MARK not in os.environ:
        enter_own_network()
    network.enter()
    make_clips(matrix.CLIPS)
    seconds = round(60 * (QUICK_MINUTES if options.quick else options.minutes))
    if seconds < CALM_S + CYCLE_S + LAST_CALM_S:
        sys.exit(f"soak: expected at least {(CALM_S + CYCLE_S + LAST_CALM_S) / 60:g} minutes")
    soak = Soak(seconds)
    soak.run()
    tell(soak, soak.judge(), matrix.TARGET / "soak")
    sys.exit(1 if soak.problems else 0)


if __name__ == "__main__":
    main()
