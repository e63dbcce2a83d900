"""Arguments, and the order of it all."""

from __future__ import annotations

import argparse
import math
import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Callable, List, Optional

from .. import errors
from ..client import Client
from ..records import Batch
from . import words
from .advice import TROUBLE, explain, explain_trouble
from .lines import LineView, counters_line
from .watch import View, Watch

if TYPE_CHECKING:
    from .sheet import ContactSheet

OK, FAILED, WRONG_USAGE = 0, 1, 2

_INSTALL = "install it with: pip install 'mpegclient[check]'"


def main(arguments: List[str]) -> int:
    """Runs the program; returns its exit code: 0, 1 if the stream failed, 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    try:
        with _client(options) as client:
            return _check(client, options)
    except errors.InvalidArgument as error:
        print(f"mpegclient check: {error}", file=sys.stderr)
        return WRONG_USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m mpegclient", description="The newest frames of any live stream.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    check = commands.add_parser(
        "check",
        help="show a stream at work",
        description="Shows every step in which the client puts a received frame into its buffer, "
        "and leaves a contact sheet of frames that it extracted meanwhile.",
    )
    check.add_argument("url", metavar="URL", help="any address that FFmpeg opens, or a path")
    check.add_argument("--width", type=int, default=0, help="width of the frames in pixels (default: the source's)")
    check.add_argument("--height", type=int, default=0, help="height of the frames in pixels (default: the source's)")
    check.add_argument("--rate", type=_rate, default=Fraction(0), help="frames a second, such as 5 or 30000/1001 (default: all)")
    check.add_argument("--read-size", type=int, default=5, metavar="N", help="frames of an extraction (default: 5)")
    check.add_argument("--cache-size", type=int, default=12, metavar="N", help="frames kept readable (default: 12)")
    check.add_argument("--seconds", type=_seconds, default=10.0, help="how long to watch; 0: until Ctrl-C (default: 10)")
    check.add_argument("--every", type=_interval, default=1.0, metavar="SECONDS", help="time between extractions (default: 1)")
    check.add_argument("--transport", choices=["auto", "tcp", "udp"], default="auto", help="how RTSP carries the video")
    check.add_argument("--output", type=_output, default=Path("mpegclient-check.png"), metavar="FILE.png",
                       help="where the contact sheet goes (default: mpegclient-check.png)")  # fmt: skip
    check.add_argument("--lines", action="store_true", help="one line a step, also in a terminal")
    return parser


def _output(text: str) -> Path:
    # Seen now, not after all the watching.
    path = Path(text)
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {str(path.parent)!r}")
    return path


def _rate(text: str) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise argparse.ArgumentTypeError(f"{text!r} is no rate; expected a number or a fraction such as 30000/1001") from None


def _seconds(text: str) -> float:
    return _number_of_seconds(text, lambda seconds: seconds >= 0, "0 or more")


def _interval(text: str) -> float:
    return _number_of_seconds(text, lambda seconds: seconds > 0, "more than 0")


def _number_of_seconds(text: str, fits: Callable[[float], bool], expected: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    # What is no number fits nothing.
    if not fits(seconds):
        raise argparse.ArgumentTypeError(f"{text!r} is no time; expected seconds, {expected}")
    return seconds


def _client(options: argparse.Namespace) -> Client:
    return Client(
        options.url,
        width=options.width,
        height=options.height,
        frame_rate=options.rate,
        read_size=options.read_size,
        cache_size=options.cache_size,
        transport=options.transport,
    )


def _check(client: Client, options: argparse.Namespace) -> int:
    sheet = _sheet()
    print(f"connecting to {words.address(options.url)}", flush=True)
    try:
        client.setup()
        client.start()
    except errors.InvalidArgument:
        raise
    except errors.Error as error:
        return _fail(explain(error, client.last_failure()))
    keep = sheet.add if sheet else _forget
    with _view(options) as view:
        watch = Watch(client, view, options.read_size, options.every, keep)
        end = _watch(watch, options.seconds or math.inf)
    print(counters_line(watch.model))
    if sheet and not sheet.is_empty and not _save(sheet, options.output):
        return FAILED
    return _verdict(client, watch, end)


def _watch(watch: Watch, seconds: float) -> Optional[errors.Error]:
    """Watches; returns the error that was the end of it, if one was."""
    try:
        watch.run(seconds)
    except KeyboardInterrupt:
        # The way to end it: what was seen until now is shown like that of a whole run.
        return None
    except errors.Error as error:
        return error
    return None


def _save(sheet: ContactSheet, path: Path) -> bool:
    try:
        print(f"contact sheet: {sheet.save(path)}")
    except OSError as error:
        print(f"The contact sheet could not be written: {error}", file=sys.stderr)
        return False
    return True


def _verdict(client: Client, watch: Watch, end: Optional[errors.Error]) -> int:
    if end is not None:
        return _fail(explain(end, client.last_failure()))
    if watch.model.state in TROUBLE:
        return _fail(explain_trouble(watch.model.state, client.last_failure()))
    if watch.model.writes == 0:
        return _fail("what failed: the stream came to its end without a single frame")
    return OK


def _fail(explanation: str) -> int:
    print(explanation, file=sys.stderr)
    return FAILED


def _view(options: argparse.Namespace) -> View:
    if options.lines or not sys.stdout.isatty():
        return LineView(sys.stdout)
    try:
        from .terminal import TerminalView
    except ImportError:
        print(f"The picture of the buffer needs the package rich; {_INSTALL}", file=sys.stderr)
        return LineView(sys.stdout)
    return TerminalView(words.address(options.url))


def _sheet() -> Optional[ContactSheet]:
    try:
        from .sheet import ContactSheet
    except ImportError:
        print(f"The contact sheet needs the package Pillow; {_INSTALL}", file=sys.stderr)
        return None
    return ContactSheet()


def _forget(_batch: Batch) -> None:
    pass
