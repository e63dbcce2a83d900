"""What is measured, in which order, and for how long.

In each round every peer has its turn, and the next round begins with another: whatever else the machine does meanwhile
hits all of them.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

import usage
from media import Clip, RATE
from peer import TASKS
from results import OURS, Row
from run import Runner, build_example
from server import Server

#: The number that a frame shows, None if it is damaged, and the moment at which it could be read.
Seen = Tuple[Optional[int], int]

#: What every peer is asked for, and frames a second where not all are wanted.
RATE_OUT = 5
SIZE = (480, 360)


@dataclass(frozen=True)
class Extent:
    """How much of it."""

    rounds: int
    #: Seconds of each run on a stream.
    seconds: float
    #: Looks, one a second.
    looks: int
    #: Streams at the same time.
    many: Tuple[int, ...]


FULL = Extent(rounds=3, seconds=5, looks=8, many=(1, 4, 16, 64, 128))
QUICK = Extent(rounds=1, seconds=0.5, looks=1, many=(4,))


class Bench:
    """Measures, row by row."""

    def __init__(self, runner: Runner, extent: Extent) -> None:
        self._runner = runner
        self._extent = extent
        self.rows: List[Row] = []
        self.versions: Dict[str, str] = {}
        #: Processor times of a piece of work that is always the same.
        self.noise: List[float] = []
        #: Load averages of the machine; this run alone makes about 1.
        self.load: List[float] = []

    def files(self, clip: Clip) -> None:
        """Every frame of a file."""
        row = self._row(f"file_{clip.path.stem}", f"file, {clip.title} to {SIZE[0]}x{SIZE[1]} RGB, one decoder thread, CPU",
                        "ms a frame", has_limit=True)  # fmt: skip
        speed = self._row(f"speed_{clip.path.stem}", "the same, wall clock", "frames a second", has_limit=True)
        for _, peer in self._turns("file"):
            result = self._run("file", peer, path=str(clip.path.resolve()), codec=clip.codec)
            frames = result.get("frames", 0)
            if "frames" in result and frames != clip.frames:
                result = {"failed": f"{frames} of {clip.frames} frames"}
                frames = 0
            row.add(peer, result, [result["cpu"] / frames * 1000] if frames else [])
            speed.add(peer, result, [frames / result["wall"]] if frames else [])

    def live(self, server: Server) -> None:
        """A live stream of which a fifth of the frames is wanted."""
        row = self._row("live", f"live, {RATE} frames a second in, 5 out, CPU a stream", "% of a core", has_limit=True)
        grown = self._row("memory", f"memory of one stream, {SIZE[0]}x{SIZE[1]} x 12 slots: PSS that opening it added", "MB")
        whole = self._row("memory_whole", "the same with Python and all that was imported", "MB")
        for _, peer in self._turns("live"):
            result = self._run("live", peer, **self._stream(server, rate=RATE_OUT))
            row.add(peer, result, [result["cpu"] / result["wall"] * 100] if "cpu" in result else [])
            grown.add(peer, result, [result["memory_grown"] / 1e6] if "cpu" in result else [])
            whole.add(peer, result, [result["memory"] / 1e6] if "cpu" in result else [])

    def memory_in_c(self, server: Server) -> None:
        """The same stream in a program without an interpreter."""
        row = self._row("memory_c", "memory of such a stream in a C program, all that it wrote to", "MB")
        with tempfile.TemporaryDirectory() as folder:
            program = build_example("extract.c", Path(folder))
            for _ in range(self._extent.rounds):
                with subprocess.Popen([program, server.url], stdout=subprocess.DEVNULL) as process:
                    most = 0
                    while process.poll() is None:
                        most = max(most, usage.dirty_bytes(process.pid))
                        time.sleep(0.05)
                lacks = {"failed": f"exit code {process.returncode}"} if process.returncode else {}
                row.add(OURS, lacks, [] if lacks else [most / 1e6])

    def ages(self, server: Server) -> None:
        """How old a frame is when it becomes readable, how long the first one takes, and what a rare look gives."""
        age = self._row("age", "age of the newest frame when it becomes readable, 25 frames a second, loopback", "ms")
        first = self._row("first", "open to the first undamaged frame, joining between key frames 2 s apart", "ms")
        beyond = self._row("beyond", "of that, after the next key frame was sent", "ms")
        look = self._row("look", "reader that looks once a second: age of what it gets", "ms")
        for turn, peer in self._turns("age"):
            # Each round joins at another place between key frames, the same for all peers.
            phase = (turn + 0.5) / self._extent.rounds
            looks = self._extent.looks if turn == 0 else 0
            request = {**self._stream(server, rate=0), "looks": looks}
            result = self._run("age", peer, lambda: server.join_moment(phase, _soon()), **request)
            age.add(peer, result, _ages(server, result.get("settled", [])))
            look.add(peer, result, _ages(server, result.get("looks", [])))
            opened = result.get("opened", 0)
            key = server.next_key_frame(opened) or 0
            clean = _first_since(server, key, result.get("seen", []))
            first.add(peer, result, [(clean - opened) / 1e6] if clean else [])
            beyond.add(peer, result, [(clean - key) / 1e6] if clean else [])

    def engines(self, server: Server, codec: str) -> None:
        """Both engines for RTSP, and GStreamer, side by side."""
        name = {"h264": "H.264", "hevc": "H.265"}[codec]
        readers = [("native", OURS, "the native engine"), ("libav", OURS, "libavformat"), ("gstreamer", "gstreamer", "GStreamer")]
        for engine, peer, title in readers:
            key = f"{codec}_{engine}"
            age = self._row(f"age_{key}", f"RTSP with {name} read by {title}: age of the newest frame when it becomes readable", "ms")
            first = self._row(f"beyond_{key}", "the same: first undamaged frame after the next key frame was sent", "ms")
            cost = self._row(f"cost_{key}", "the same: CPU a frame, all of them wanted", "ms")
            for turn in range(self._extent.rounds):
                phase = (turn + 0.5) / self._extent.rounds
                request = {**self._stream(server, rate=0), "codec": codec, "engine": engine}
                result = self._run("age", peer, lambda: server.join_moment(phase, _soon()), **request, looks=0)
                age.add(peer, result, _ages(server, result.get("settled", [])))
                key_frame = server.next_key_frame(result.get("opened", 0)) or 0
                clean = _first_since(server, key_frame, result.get("seen", []))
                first.add(peer, result, [(clean - key_frame) / 1e6] if clean else [])
                spent = self._run("live", peer, **request)
                cost.add(peer, spent, [spent["cpu"] / spent["frames"] * 1000] if spent.get("frames") else [])

    def batches(self, server: Server, sizes: Sequence[Tuple[int, int]]) -> None:
        """The newest five frames as one array."""
        for width, height in sizes:
            title = f"newest 5 frames of {width}x{height} from Python"
            rows = {"lent": self._row(f"lent_{height}", f"{title}, lent", "us"),
                    "copied": self._row(f"copied_{height}", f"{title}, copied", "us"),
                    "array": self._row(f"array_{height}", "NumPy's copy of such an array", "us")}  # fmt: skip
            for _ in range(self._extent.rounds):
                request = {**self._stream(server, rate=0), "size": (width, height)}
                result = self._run("batch", OURS, **request)
                for name, row in rows.items():
                    lacks = {} if name in result else {"failed": result.get("failed", "no such call")}
                    row.add(OURS, lacks, [result[name]] if name in result else [])

    def many(self, server: Server) -> None:
        """One process with many streams."""
        for streams in self._extent.many:
            plural = "stream" if streams == 1 else "streams"
            row = self._row(f"many_{streams}", f"{streams} {plural} of 320x240 in one process, 5 frames a second out, CPU a stream", "% of a core")
            memory = self._row(f"many_memory_{streams}", "the same, PSS a stream", "MB")
            for _, peer in self._turns("many", rounds=1):
                request = {**self._stream(server, rate=RATE_OUT), "size": (320, 240), "streams": streams}
                result = self._run("many", peer, **request)
                # By the frames that came: a machine that cannot keep up would make streams look cheap.
                frames = result.get("frames", 0)
                row.add(peer, result, [result["cpu"] / frames * RATE_OUT * 100] if frames else [])
                memory.add(peer, result, [result["memory_grown"] / 1e6 / streams] if "cpu" in result else [])

    def _row(self, key: str, title: str, unit: str, has_limit: bool = False) -> Row:
        self.rows.append(Row(key, title, unit, has_limit))
        return self.rows[-1]

    def _turns(self, task: str, rounds: int = 0) -> Iterator[Tuple[int, str]]:
        peers = [peer for peer, tasks in TASKS.items() if task in tasks.split()]
        for turn in range(rounds or self._extent.rounds):
            self.noise.append(usage.calibrate())
            self.load.append(os.getloadavg()[0])
            for peer in peers[turn % len(peers):] + peers[:turn % len(peers)]:
                yield turn, peer

    def _stream(self, server: Server, rate: int) -> Dict[str, Any]:
        return {"url": server.url, "codec": "h264", "rate": rate, "seconds": self._extent.seconds}

    def _run(self, task: str, peer: str, *begin: Any, **request: Any) -> Dict[str, Any]:
        result = self._runner.run({"size": SIZE, **request, "task": task, "peer": peer}, *begin)
        if "version" in result:
            self.versions[peer] = result.pop("version")
        told = result.get("missing") or result.get("failed") or "ok"
        print(f"{task:6} {peer:12} {told}", flush=True)
        return result


def _first_since(server: Server, key: int, seen: List[Seen]) -> Optional[int]:
    """When the first picture could be read that was sent at a moment or later; those before it lack their key frame."""
    for number, moment in seen:
        age = None if number is None else server.age_ns(number, moment)
        if age is not None and moment - age >= key:
            return moment
    return None


def _soon() -> int:
    return time.monotonic_ns() + 20_000_000


def _ages(server: Server, seen: List[Seen]) -> List[float]:
    ages = [server.age_ns(number, moment) for number, moment in seen if number is not None]
    return [age / 1e6 for age in ages if age is not None]


def run_all(bench: Bench, clips: List[Clip], live: Path, length: int, small: Path, live_h265: Path) -> None:
    """Measures everything."""
    for clip in clips:
        bench.files(clip)
    with Server(live, length) as server:
        bench.live(server)
        bench.memory_in_c(server)
        bench.ages(server)
        bench.batches(server, [SIZE, (1920, 1080)])
        bench.engines(server, "h264")
    with Server(live_h265, length) as server:
        bench.engines(server, "hevc")
    with Server(small, 250) as server:
        bench.many(server)
