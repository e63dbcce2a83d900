"""Runs one cell in this process and prints what it measured as one line of JSON: cell.py NAME CLIPS."""

import contextlib
import json
import os
import sys
import time
import traceback
from pathlib import Path

import network
import table
from lab import Lab
from mpegclient import Client
from servers import protocols


def warm_up(clips):
    """Everything that is made once in a process and kept: libraries, buffers, the log."""
    with contextlib.suppress(Exception), Client(str(clips / "short.mp4")) as client:
        client.setup(timeout=5)
        client.start()
        client.wait(timeout=5)


def run(cell, protocol, clips):
    """The cell's measurements, with the problems that were seen."""
    begun = time.monotonic()
    lab = Lab(protocol)
    try:
        network.enter()
        warm_up(clips)
        before = lab.footprint()
        with lab.stack:
            cell.run(lab)
        lab.expect_flat(before)
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        lab.problems.append(f"could not be run: {type(error).__name__}: {error} ({where.name}, line {where.lineno})")
    return {**lab.measured, "problems": lab.problems, "took_s": time.monotonic() - begun}


def main():
    name, clips = sys.argv[1], Path(sys.argv[2])
    cell = table.cells()[name]
    protocol = protocols(clips)[name.rsplit("/", 1)[1]]
    print(json.dumps(run(cell, protocol, clips)), flush=True)
    # Not even a client that cannot be closed may keep this process.
    os._exit(0)


if __name__ == "__main__":
    main()
