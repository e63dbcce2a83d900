"""``python -m mpegclient COMMAND URL``: ``check`` shows a stream at work, ``probe`` tells what is known of it."""

from __future__ import annotations

import argparse
import sys
from typing import List, NoReturn

from . import errors, redact
from .check import program as check
from .probe import program as probe
from .programs.arguments import WRONG_USAGE


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        # It repeats arguments, which may be addresses with passwords.
        super().error(redact(message))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m mpegclient", description="The newest frames of any live stream.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, program, summary, description in (
        ("check", check, "show a stream at work",
         "Shows every step in which the client puts a received frame into its buffer, "
         "and leaves a contact sheet of frames that it extracted meanwhile."),
        ("probe", probe, "tell all that is known of a stream",
         "Connects, watches for some seconds, and tells what the stream declares, what was measured, "
         "and what is known of its frames' times."),
    ):  # fmt: skip
        command = commands.add_parser(name, help=summary, description=description)
        command.set_defaults(run=program.run)
        program.add_arguments(command)
    return parser


def main(arguments: List[str]) -> int:
    """Runs a program; returns its exit code: 0, 1 if the stream failed, 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except errors.InvalidArgument as error:
        print(f"mpegclient {options.command}: {error}", file=sys.stderr)
        return WRONG_USAGE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
