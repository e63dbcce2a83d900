"""The options that every program has, and what makes a client of them."""

from __future__ import annotations

import argparse
import math
from typing import Any, Callable, Dict, Tuple

#: The exit codes; 1 if the stream failed.
OK, FAILED, WRONG_USAGE = 0, 1, 2


def add_stream(parser: argparse.ArgumentParser, seconds: float) -> None:
    """Adds which stream it is, how to connect to it, and how long to watch."""
    parser.add_argument("url", metavar="URL", help="any address that FFmpeg opens, or a path")
    parser.add_argument("--seconds", type=duration, default=seconds, help=f"how long to watch; 0: until Ctrl-C (default: {seconds:g})")
    parser.add_argument("--transport", choices=["auto", "tcp", "udp"], default="auto", help="how RTSP carries the video")
    parser.add_argument("-p", dest="parameters", type=_parameter, action="append", default=[], metavar="KEY=VALUE",
                        help="any parameter of the client, such as stall_timeout=2000; may be given several times")  # fmt: skip


def parameters(options: argparse.Namespace, **own: Any) -> Dict[str, Any]:
    """The client's parameters: a program's own, and over them those that were named one by one."""
    return {"transport": options.transport, **own, **dict(options.parameters)}


def duration(text: str) -> float:
    """A time that may be 0."""
    return _number_of_seconds(text, lambda seconds: seconds >= 0, "0 or more")


def interval(text: str) -> float:
    """A time that may not be 0."""
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


def _parameter(text: str) -> Tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        # Not repeated: it may be a password.
        raise argparse.ArgumentTypeError("no parameter; expected KEY=VALUE")
    return key, value
