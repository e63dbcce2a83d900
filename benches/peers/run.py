"""Runs a worker and gives what it found out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, TextIO

#: Seconds that a worker may take beyond what it was asked to take.
PATIENCE = 60


ROOT = Path(__file__).resolve().parents[2]


def build_example(name: str, folder: Path) -> Path:
    """Compiles an example in C with the library that is measured."""
    program = folder / Path(name).stem
    library = Path(os.environ["MPEGCLIENT_LIBRARY"])
    link = [str(library), f"-Wl,-rpath,{library.parent}"]
    subprocess.run(["cc", "-O1", f"-I{ROOT}/include", f"{ROOT}/examples/{name}", "-o", str(program), *link], check=True)
    return program


def now() -> int:
    """CLOCK_MONOTONIC in nanoseconds."""
    return time.monotonic_ns()


class Runner:
    """Starts workers, one at a time, and keeps what they say in a log."""

    def __init__(self, log: TextIO) -> None:
        self._log = log

    def run(self, request: Dict[str, Any], begin: Callable[[], int] = now) -> Dict[str, Any]:
        """What a worker found out: its task's result, or "missing" or "failed" with the reason.

        ``begin`` is asked for the moment to begin at once the worker has imported what it needs.
        """
        print(json.dumps(request), file=self._log, flush=True)
        script = Path(__file__).with_name("worker.py")
        limit = PATIENCE + sum(request.get(name, 0) for name in ("seconds", "looks", "streams"))
        command = ["timeout", "--kill-after=1", str(limit), sys.executable, str(script), json.dumps(request)]
        # Libraries that make threads for linear algebra make none here.
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True,
                              env=environment) as worker:  # fmt: skip
            assert worker.stdin is not None and worker.stdout is not None
            for line in worker.stdout:
                if line.startswith("READY"):
                    worker.stdin.write(f"{begin()}\n")
                    worker.stdin.flush()
                elif line.startswith("RESULT "):
                    print(line[:1000], file=self._log, flush=True)
                    result: Dict[str, Any] = json.loads(line.removeprefix("RESULT "))
                    return result
        return {"failed": "it ended without a result, or not in time"}
