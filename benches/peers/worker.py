"""Runs one task of one peer in a process of its own, so that nothing of another is counted with it.

    worker.py REQUEST       a JSON object: peer, task, and what the task needs

It writes READY once everything is imported, waits for a line with the moment to begin at (CLOCK_MONOTONIC, nanoseconds),
and ends with a line RESULT and a JSON object.
"""

from __future__ import annotations

import importlib
import json
import sys
import threading
import time
from typing import Any, Callable, Dict, List, Tuple

import barcode
import usage
from peer import Frame, Live, Peer, Size

Result = Dict[str, Any]

#: Looks that are taken for one measurement of the time of a call.
CALLS = 200


class Request(Dict[str, Any]):
    """What is asked for, by attribute."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


def touch(frame: Frame) -> int:
    """Reads a part of every row, as whoever uses a frame would read all of it."""
    return 0 if frame is None else int(frame[:, ::64].sum())


def open_live(peer: Peer, request: Request) -> Live:
    return peer.live(request.url, request.codec, Size(*request.size), request.rate)


def file(peer: Peer, request: Request) -> Result:
    """Every frame of a file."""
    began, cpu = time.monotonic(), usage.cpu_seconds()
    frames = 0
    for frame in peer.file(request.path, request.codec, Size(*request.size)):
        touch(frame)
        frames += 1
    return {"frames": frames, "wall": time.monotonic() - began, "cpu": usage.cpu_seconds() - cpu}


def live(peer: Peer, request: Request) -> Result:
    """A stream for some seconds from its first frame on: processor time and memory."""
    before = usage.memory_bytes()
    stream = open_live(peer, request)
    stream.next()
    began, cpu = time.monotonic(), usage.cpu_seconds()
    frames = 0
    while time.monotonic() < began + request.seconds:
        touch(stream.next())
        frames += 1
    wall, cpu = time.monotonic() - began, usage.cpu_seconds() - cpu
    memory = usage.memory_bytes()
    stream.close()
    return {"frames": frames, "wall": wall, "cpu": cpu, "memory_grown": memory - before, "memory": memory}


def age(peer: Peer, request: Request) -> Result:
    """Each frame's number and the moment at which it could be read, and when the stream was opened."""
    opened = time.monotonic_ns()
    stream = open_live(peer, request)
    seen: List[Tuple[Any, int]] = []
    end = None
    while end is None or time.monotonic() < end:
        frame = stream.next()
        seen.append((barcode.read(frame), time.monotonic_ns()))
        # The stream's beginning comes at once where it was kept until the reader is ready.
        end = end or time.monotonic() + request.seconds
    stream.close()
    return {"opened": opened, "seen": seen}


def look(peer: Peer, request: Request) -> Result:
    """What a program gets that looks once a second."""
    stream = open_live(peer, request)
    stream.next()
    seen: List[Tuple[Any, int]] = []
    for _ in range(request.looks):
        time.sleep(1.0)
        frame = stream.look()
        seen.append((barcode.read(frame), time.monotonic_ns()))
    stream.close()
    return {"seen": seen}


def batch(peer: Peer, request: Request) -> Result:
    """Times of the calls that give the newest five frames, and of copying as much memory."""
    import numpy as np

    stream: Any = open_live(peer, request)
    client = stream.client
    source = client.read_latest(5, timeout=20)
    target = np.empty_like(source)
    times = {"copying": _time(lambda: client.read_latest(5)), "memcpy": _time(lambda: np.copyto(target, source))}
    if hasattr(client, "acquire"):
        times["lent"] = _time(lambda: client.acquire(5).__exit__(None, None, None))
    stream.close()
    return times


def _time(call: Callable[[], Any]) -> float:
    """The median time of a call in microseconds."""
    times = []
    for _ in range(CALLS):
        began = time.perf_counter_ns()
        call()
        times.append(time.perf_counter_ns() - began)
    return sorted(times)[CALLS // 2] / 1000


def many(peer: Peer, request: Request) -> Result:
    """Many streams at once, a thread for each, as a program has it that needs the frames of all."""
    before = usage.memory_bytes()
    streams: List[Live] = []
    failures: List[str] = []
    stop = threading.Event()

    def follow() -> None:
        try:
            stream = open_live(peer, request)
            streams.append(stream)
            stream.next()
            ready.release()
            while not stop.is_set():
                touch(stream.next())
        except Exception as failure:
            failures.append(repr(failure))
            ready.release()

    ready = threading.Semaphore(0)
    threads = [threading.Thread(target=follow, daemon=True) for _ in range(request.streams)]
    for thread in threads:
        thread.start()
    for _ in threads:
        ready.acquire(timeout=60)
    began, cpu = time.monotonic(), usage.cpu_seconds()
    time.sleep(request.seconds)
    wall, cpu = time.monotonic() - began, usage.cpu_seconds() - cpu
    memory = usage.memory_bytes()
    stop.set()
    for thread in threads:
        thread.join(20)
    for stream in streams:
        stream.close()
    if failures:
        raise RuntimeError(f"{len(failures)} of {request.streams} streams failed: {failures[0]}")
    return {"wall": wall, "cpu": cpu, "memory_grown": memory - before}


TASKS: Dict[str, Callable[[Peer, Request], Result]] = {
    "file": file, "live": live, "age": age, "look": look, "batch": batch, "many": many,
}  # fmt: skip


def main() -> None:
    request = Request(json.loads(sys.argv[1]))
    try:
        peer: Peer = importlib.import_module(f"peer.{request.peer}").Peer()
    except ImportError as error:
        print("RESULT", json.dumps({"missing": str(error)}))
        return
    print("READY", flush=True)
    begin = int(sys.stdin.readline())
    time.sleep(max(0.0, (begin - time.monotonic_ns()) / 1e9))
    try:
        result = {"version": peer.version, **TASKS[request.task](peer, request)}
    except Exception as error:
        result = {"failed": f"{type(error).__name__}: {error}"}
    print("RESULT", json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
