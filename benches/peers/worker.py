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
from typing import Any, Callable, Dict, List, Optional, Tuple

import barcode
import usage
from peer import Frame, Live, Peer, Size

Result = Dict[str, Any]

#: The number that a frame shows, None if it is damaged, and the moment at which it could be read.
Seen = Tuple[Optional[int], int]

#: Seconds after the first frame in which a stream catches up with what came while it was being opened.
SETTLING = 1.5

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


def settle(stream: Live) -> None:
    """Lets a stream catch up."""
    end = time.monotonic() + SETTLING
    while time.monotonic() < end:
        stream.next()


def file(peer: Peer, request: Request) -> Result:
    """Every frame of a file."""
    began, cpu = time.monotonic(), usage.cpu_seconds()
    frames = 0
    for frame in peer.file(request.path, request.codec, Size(*request.size)):
        touch(frame)
        frames += 1
    return {"frames": frames, "wall": time.monotonic() - began, "cpu": usage.cpu_seconds() - cpu}


def live(peer: Peer, request: Request) -> Result:
    """A stream for some seconds: processor time and memory."""
    before = usage.memory_bytes()
    stream = open_live(peer, request)
    stream.next()
    settle(stream)
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
    """Each frame's number and the moment at which it could be read, from opening the stream on; then once a second."""
    opened = time.monotonic_ns()
    stream = open_live(peer, request)
    first = read(stream.next)
    seen: List[Seen] = [first]
    while seen[-1][1] < first[1] + (SETTLING + request.seconds) * 1e9:
        seen.append(read(stream.next))
    looks: List[Seen] = []
    for _ in range(request.looks):
        time.sleep(1.0)
        looks.append(read(stream.look))
    stream.close()
    settled = [(number, moment) for number, moment in seen if moment > first[1] + SETTLING * 1e9]
    return {"opened": opened, "seen": seen, "settled": settled, "looks": looks}


def read(call: Callable[[], Frame]) -> Seen:
    """The number that a frame shows and when it was there."""
    frame, moment = call(), time.monotonic_ns()
    return barcode.read(frame), moment


def batch(peer: Peer, request: Request) -> Result:
    """Times of the calls that give the newest five frames, and of NumPy's copy of as much memory."""
    stream: Any = open_live(peer, request)
    client = stream.client
    source = client.read_latest(5, timeout=20)

    def lend() -> None:
        with client.acquire(5):
            pass

    times = {"copied": _time(lambda: client.read_latest(5)), "array": _time(source.copy)}
    if hasattr(client, "acquire"):
        times["lent"] = _time(lend)
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
    frames = [0] * request.streams
    stop = threading.Event()

    def follow(place: int) -> None:
        try:
            stream = open_live(peer, request)
            streams.append(stream)
            stream.next()
            ready.release()
            while not stop.is_set():
                touch(stream.next())
                frames[place] += 1
        except Exception as failure:
            failures.append(repr(failure))
            ready.release()

    ready = threading.Semaphore(0)
    threads = [threading.Thread(target=follow, args=(place,), daemon=True) for place in range(request.streams)]
    for thread in threads:
        thread.start()
    for _ in threads:
        ready.acquire(timeout=60)
    time.sleep(SETTLING)
    before_frames, cpu = sum(frames), usage.cpu_seconds()
    time.sleep(request.seconds)
    seen, cpu = sum(frames) - before_frames, usage.cpu_seconds() - cpu
    memory = usage.memory_bytes()
    stop.set()
    for thread in threads:
        thread.join(20)
    for stream in streams:
        stream.close()
    if failures:
        raise RuntimeError(f"{len(failures)} of {request.streams} streams failed: {failures[0]}")
    return {"frames": seen, "cpu": cpu, "memory_grown": memory - before}


TASKS: Dict[str, Callable[[Peer, Request], Result]] = {
    "file": file, "live": live, "age": age, "batch": batch, "many": many,
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
        if "engine" in request:
            setattr(peer, "engine", request.engine)
        result = {"version": peer.version, **TASKS[request.task](peer, request)}
    except Exception as error:
        result = {"failed": f"{type(error).__name__}: {error}"}
    print("RESULT", json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
