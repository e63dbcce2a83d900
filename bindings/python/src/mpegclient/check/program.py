"""The options of the checking program, and the order of it all."""

from __future__ import annotations

import argparse
import math
import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from .. import errors, redact
from ..client import Client
from ..programs import arguments
from ..programs.advice import Explanation, explain
from ..programs.arguments import FAILED, OK
from ..programs.watch import View, Watch
from ..records import Batch
from .lines import LineView, counters_line

if TYPE_CHECKING:
    from .sheet import ContactSheet

_INSTALL = "install it with: pip install 'mpegclient[check]'"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this program's options."""
    arguments.add_stream(parser, seconds=10)
    parser.add_argument("--width", type=int, default=0, help="width of the frames in pixels (default: the source's)")
    parser.add_argument("--height", type=int, default=0, help="height of the frames in pixels (default: the source's)")
    parser.add_argument("--rate", type=_rate, default=Fraction(0), help="frames a second, such as 5 or 30000/1001 (default: all)")
    parser.add_argument("--read-size", type=int, default=5, metavar="N", help="frames of an extraction (default: 5)")
    parser.add_argument("--cache-size", type=int, default=12, metavar="N", help="frames kept readable (default: 12)")
    parser.add_argument("--every", type=arguments.interval, default=1.0, metavar="SECONDS", help="time between extractions (default: 1)")
    parser.add_argument("--output", type=_output, default=Path("mpegclient-check.png"), metavar="FILE.png",
                        help="where the contact sheet goes (default: mpegclient-check.png)")  # fmt: skip
    parser.add_argument("--lines", action="store_true", help="one line a step, also in a terminal")


def run(options: argparse.Namespace) -> int:
    """Runs the program; returns its exit code. Raises errors.InvalidArgument for a parameter that the client refuses."""
    own = {"width": options.width, "height": options.height, "frame_rate": options.rate,
           "read_size": options.read_size, "cache_size": options.cache_size}  # fmt: skip
    with Client(options.url, **arguments.parameters(options, **own)) as client:
        return _check(client, options)


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


def _check(client: Client, options: argparse.Namespace) -> int:
    sheet = _sheet()
    print(f"connecting to {redact(options.url)}", flush=True)
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
        wrong = watch.watch(options.seconds or math.inf)
    print(counters_line(watch.model))
    if sheet and not sheet.is_empty and not _save(sheet, options.output):
        return FAILED
    return _fail(wrong) if wrong else OK


def _save(sheet: ContactSheet, path: Path) -> bool:
    try:
        print(f"contact sheet: {sheet.save(path)}")
    except OSError as error:
        print(f"The contact sheet could not be written: {error}", file=sys.stderr)
        return False
    return True


def _fail(explanation: Explanation) -> int:
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
    return TerminalView(redact(options.url))


def _sheet() -> Optional[ContactSheet]:
    try:
        from .sheet import ContactSheet
    except ImportError:
        print(f"The contact sheet needs the package Pillow; {_INSTALL}", file=sys.stderr)
        return None
    return ContactSheet()


def _forget(_batch: Batch) -> None:
    pass
