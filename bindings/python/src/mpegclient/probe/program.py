"""The options of the probing program, and the order of it all."""

from __future__ import annotations

import argparse
import math
import sys
import time
from typing import Any, Callable, Dict, List, Optional

from .. import _c, errors, redact
from ..client import Client
from ..programs import arguments
from ..programs.advice import Explanation, explain
from ..programs.arguments import FAILED, OK
from ..programs.model import Model, Read, Write
from ..programs.watch import Watch
from ..records import Batch, Failure, FrameInfo
from . import measure
from .report import Report, as_json, as_text

#: Long enough for the sender's first word about its clock, which RTCP servers say within five seconds (RFC 3550, 6.2),
#: and for two key frames of most cameras.
SECONDS = 6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this program's options."""
    arguments.add_stream(parser, seconds=SECONDS)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text, of a failure too")


def run(options: argparse.Namespace) -> int:
    """Runs the program; returns its exit code. Raises errors.InvalidArgument for a parameter that the client refuses."""
    with Client(options.url, **arguments.parameters(options)) as client:
        probe = Probe(client, _tell)
        wrong = probe.run(options.seconds or math.inf)
        report = {"url": redact(options.url), **probe.report()}
        # The text of a failure goes where errors go; JSON holds all there is.
        failure = {"explanation": wrong, "last": client.last_failure()} if wrong else None
    print(as_json({**report, "failure": failure}) if options.json else as_text(report), flush=True)
    if wrong:
        print(wrong, file=sys.stderr)
    return FAILED if wrong else OK


def _tell(step: str) -> None:
    """Tells a person who waits at a terminal what is going on; what is piped or written to a file stays clean."""
    if sys.stderr.isatty():
        print(f"{step} ...", file=sys.stderr, flush=True)


class Probe:
    """Connects, watches, and gathers what there is to know. It is the view of its own watch, and keeps the frames."""

    def __init__(self, client: Client, tell: Callable[[str], None]) -> None:
        """``tell`` is told what is being done, when that takes a while."""
        self._client = client
        self._tell = tell
        self._infos: List[FrameInfo] = []
        self._setup_at = self._started_at = time.monotonic_ns()
        self._is_set_up = False

    def run(self, seconds: float) -> Optional[Explanation]:
        """Sets up, starts and watches; tells what is wrong with the stream, if anything is."""
        self._tell("connecting")
        try:
            self._client.setup()
            self._started_at = time.monotonic_ns()
            self._client.start()
        except errors.InvalidArgument:
            raise
        except errors.Error as error:
            return explain(error, self._client.last_failure())
        self._is_set_up = True
        self._tell("watching" if math.isinf(seconds) else f"watching for {seconds:g} s")
        return Watch(self._client, self, 1, math.inf, _forget).watch(seconds)

    def report(self) -> Report:
        """All that is known. Of a stream that could not be set up, that is what happened until then."""
        report: Dict[str, Any] = {"library": str(_c.library.mpegclient_build_info())}
        if not self._is_set_up:
            return {**report, "events": self._events()}
        report["state"] = self._client.state
        report["setup"] = {"took_ns": self._started_at - self._setup_at}
        report["stream"] = self._client.stream_info()
        if self._infos:
            frames = measure.newest_connection(self._infos)
            report["output"] = self._output()
            report["first_frame"] = self._first_frame(self._infos[0])
            report["measured_rate"] = measure.rate(frames)
            report["key_frames"] = measure.key_frames(frames)
            report["capture"] = measure.capture(frames)
            report["newest_frame"] = frames[-1]
        report["counters"] = self._client.stats()
        report["events"] = self._events()
        return report

    def _output(self) -> Dict[str, Any]:
        height, width, channels = self._client.shape(0)
        return {"height": height, "width": width, "channels": channels,
                "pixel_format": self._client.parameters["pixel_format"]}  # fmt: skip

    def _first_frame(self, first: FrameInfo) -> Dict[str, Any]:
        """How long the first frame took, from the beginning of setup and of start."""
        return {
            "seq": first.seq,
            "from_setup_ns": _since(self._setup_at, first.published_monotonic_ns),
            "from_start_ns": _since(self._started_at, first.published_monotonic_ns),
            "from_arrival_ns": _since(first.arrival_monotonic_ns, first.published_monotonic_ns),
        }

    def _events(self) -> List[Dict[str, Any]]:
        """What happened, each at its time since the beginning of setup."""
        events = iter(self._client.next_event, None)
        return [
            {"at_ns": event.monotonic_ns - self._setup_at, "kind": event.kind, "state": event.state, "text": event.text}
            for event in events
            if event is not None
        ]

    # ---- The view ----

    def __enter__(self) -> Probe:
        return self

    def __exit__(self, *_exception: object) -> None:
        pass

    def wrote(self, _model: Model, write: Write) -> None:
        """Keeps what is known of a frame."""
        self._infos.append(write.info)

    def missed(self, _model: Model, seq: int) -> None:
        """A frame that nothing can be told of."""

    def read(self, _model: Model, read: Read) -> None:
        """Frames were extracted; their pixels tell nothing here."""

    def changed(self, _model: Model, failure: Optional[Failure]) -> None:
        """The state is told at the end."""

    def idle(self, _model: Model) -> None:
        """Nothing happened for a moment."""


def _since(before: Optional[int], after: Optional[int]) -> Optional[int]:
    """The time from one moment to another, either of which may not be known."""
    return None if before is None or after is None else after - before


def _forget(_batch: Batch) -> None:
    pass
