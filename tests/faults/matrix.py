#!/usr/bin/env python3
"""The fault matrix: what the client does when things go wrong, over every protocol.

    matrix.py [--quick] [--only PATTERN...] [--engine ENGINE] [--json FILE] [--jobs N] [--list]

Each cell runs in a process and, where that is allowed, a network of its own: nothing leaves loopback, and nothing is
left behind. At the end a table is printed, with what was measured; a cell that could not be run has failed. The status
is 1 if any cell failed.

PATTERN is matched against FAULT/PROTOCOL, as in 'frozen/*' or '*/rtsp-tcp'.
"""

import argparse
import fnmatch
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PACKAGE = ROOT / "bindings/python/src"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
#: Made anew when what makes them changes.
CLIPS = TARGET / f"fault-clips-{zlib.crc32((HERE / 'clips.py').read_bytes()):08x}"

os.environ.setdefault("MPEGCLIENT_LIBRARY", str(TARGET / "release/libmpegclient.so"))
sys.path[:0] = [str(PACKAGE), str(HERE)]

import clips  # noqa: E402 (the package has to be found first)
import network  # noqa: E402
import report  # noqa: E402
import servers  # noqa: E402
import shadow  # noqa: E402
import table  # noqa: E402
from programs import end_with_parent  # noqa: E402

#: Seconds after which a cell has failed and is killed.
CELL_LIMIT = 90 if shadow.COMMAND not in os.environ else 280

#: Cells at the same time. They mostly wait; more would blur what is measured.
JOBS = 5

#: The process groups of the cells at work.
running = set()


def run_cell(name, prefix):
    """Runs a cell in a process of its own; returns what it measured."""
    paths = [str(PACKAGE), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONDONTWRITEBYTECODE": "1"}
    # NumPy would keep threads of its own, and end them when it likes.
    environment["OPENBLAS_NUM_THREADS"] = "1"
    if prefix:
        environment[network.MARK] = "1"
    with tempfile.TemporaryDirectory() as scratch:
        environment["TMPDIR"] = scratch
        command = [*prefix, sys.executable, str(HERE / "cell.py"), name, str(CLIPS)]
        return run_group(command, environment)


def run_group(command, environment):
    """Runs a command in a process group that ends with it."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    own_group = {"start_new_session": True, "preexec_fn": end_with_parent}
    with subprocess.Popen(command, text=True, env=environment, **own_group, **pipes) as process:
        running.add(process.pid)
        try:
            output, complaints = process.communicate(timeout=CELL_LIMIT)
        except subprocess.TimeoutExpired:
            return {"problems": [f"has not ended within {CELL_LIMIT} s"]}
        finally:
            kill_group(process.pid)
            running.discard(process.pid)
    lines = output.splitlines()
    if lines and lines[-1].startswith("{"):
        return json.loads(lines[-1])
    how = f"died of signal {-process.returncode}" if process.returncode < 0 else f"ended with {process.returncode}"
    return {"problems": [f"{how}: {complaints.strip()[-300:]}"]}


def kill_group(leader):
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        pass


def run(names, jobs=JOBS, tell=lambda name, result: None):
    """Runs cells, several at a time; returns what each measured, by name."""
    clips.make_clips(CLIPS)
    prefix = network.prefix()

    def one(name):
        result = run_cell(name, prefix)
        tell(name, result)
        return result

    pool = ThreadPoolExecutor(jobs)
    try:
        return dict(zip(names, pool.map(one, names)))
    finally:
        # After Ctrl-C the cells that were not begun never are, and the others end.
        pool.shutdown(wait=False, cancel_futures=True)
        for leader in list(running):
            kill_group(leader)


def chosen(quick, *patterns):
    """The names of the cells to run, those that match any of the patterns."""
    return [
        name
        for name, cell in table.cells().items()
        if (cell.is_quick or not quick) and any(fnmatch.fnmatch(name, pattern) for pattern in patterns)
    ]  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="only the cells that take seconds")
    parser.add_argument("--only", nargs="+", default=["*"], metavar="PATTERN", help="only the cells whose name matches")
    engines = ["auto", "libav", "native"]
    parser.add_argument("--engine", choices=engines, default="auto", help="what reads rtsp:// (default: auto)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured")
    parser.add_argument("--jobs", type=int, default=JOBS, help=f"cells at the same time (default: {JOBS})")
    parser.add_argument("--list", action="store_true", help="only list the cells")
    options = parser.parse_args()
    names = chosen(options.quick, *options.only)
    for pattern in options.only:
        if not chosen(options.quick, pattern):
            sys.exit(f"matrix.py: no cell matches {pattern!r}")
    if options.list:
        print("\n".join(names))
        return
    os.environ[servers.ENGINE] = options.engine
    # Ctrl-C and a plain kill both have to end the cells, also where a shell had them ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    begun = time.monotonic()
    results = run(names, options.jobs, report.tell)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    print(report.table(results, time.monotonic() - begun))
    sys.exit(1 if any(result["problems"] for result in results.values()) else 0)


if __name__ == "__main__":
    main()
