"""The RTSP server on loopback, which tells when it sent which picture."""

from __future__ import annotations

import bisect
import subprocess
import threading
import time
from pathlib import Path
from typing import List, Optional

from media import GOP, RATE

ROOT = Path(__file__).resolve().parents[2]

#: Nanoseconds of one round of key frames.
GOP_NS = 1_000_000_000 * GOP // RATE


class Server:
    """GStreamer's server with one clip in an endless loop. Leaving the ``with`` block stops it."""

    def __init__(self, clip: Path, length: int) -> None:
        """``length`` is the clip's number of pictures."""
        self._length = length
        # The moment of each picture since the first, by CLOCK_MONOTONIC.
        self._sent: List[int] = []
        script = ROOT / "tests/support/rtsp_server.py"
        self._process = subprocess.Popen(
            ["/usr/bin/python3", str(script), "--tell-sent", f"/video={clip},{clip.suffix[1:]},{RATE}"],
            stdin=subprocess.PIPE,  # it ends when this does, even if this process is killed
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        ready = self._process.stdout.readline().split()
        if ready[:1] != ["READY"]:
            raise SystemExit("the RTSP server did not start")
        self.url = f"rtsp://127.0.0.1:{ready[1]}/video"
        threading.Thread(target=self._collect, daemon=True).start()
        # A client that never leaves: the server begins a clip anew once nobody watches it.
        self._watcher = subprocess.Popen(
            ["ffmpeg", "-v", "quiet", "-rtsp_transport", "tcp", "-i", self.url, "-c", "copy", "-f", "null", "-"],
            stdin=subprocess.DEVNULL,
        )
        while len(self._sent) < RATE:
            time.sleep(0.05)

    def _collect(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            word, number, moment = line.split()
            if word == "SENT" and int(number) == len(self._sent):
                self._sent.append(int(moment))

    def age_ns(self, number: int, moment: int) -> Optional[int]:
        """How long before a moment the picture that shows this number was sent for the last time."""
        newest = bisect.bisect_right(self._sent, moment) - 1
        sent = newest - (newest - number) % self._length
        return moment - self._sent[sent] if 0 <= sent else None

    def join_moment(self, phase: float, earliest: int) -> int:
        """The first moment from ``earliest`` on that lies this far, 0 to 1, between two key frames."""
        last_key = self._sent[len(self._sent) // GOP * GOP - (0 if len(self._sent) % GOP else GOP)]
        wanted = last_key + round(phase * GOP_NS)
        return wanted + max(0, -(-(earliest - wanted) // GOP_NS)) * GOP_NS

    def next_key_frame(self, moment: int) -> Optional[int]:
        """When the first key frame after a moment was sent."""
        return next((sent for sent in self._sent[::GOP] if sent >= moment), None)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_exception: object) -> None:
        for process in (self._watcher, self._process):
            process.kill()
            process.wait()
