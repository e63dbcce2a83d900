"""One of the four readers of the soak: the Python binding. See PROTOCOL in ../readers.py.

    reader.py "URL KEY=VALUE ..." ...
"""

import contextlib
import ctypes
import itertools
import sys
import threading
import time

from mpegclient import Client, Order, errors

BATCH, WAIT_S, STOP_S = 8, 0.2, 0.5
TOLERANCE_NS = 30_000_000_000

is_over = threading.Event()


def is_apart(one_ns, other_ns):
    return abs(one_ns - other_ns) > TOLERANCE_NS


class Clock:
    """Compares a frame's times with those of the frames before: within a connection they go on with the local clock."""

    def __init__(self):
        self.back = self.apart = self.misdated = self.span_ns = self.dated_ns = 0
        self._generation = None

    def note(self, frame):
        if frame.pts_ns is None:
            return
        if frame.generation != self._generation:
            self._generation = frame.generation
            self._first_pts_ns = self._last_pts_ns = frame.pts_ns
            self._first_arrival_ns = frame.arrival_monotonic_ns
        span_ns = frame.pts_ns - self._first_pts_ns
        self.back += frame.pts_ns < self._last_pts_ns
        self.apart += is_apart(span_ns, frame.arrival_monotonic_ns - self._first_arrival_ns)
        if frame.capture_time_ns is not None:
            self.dated_ns = max(self.dated_ns, span_ns)
            self.misdated += is_apart(frame.capture_time_ns, frame.arrival_time_ns)
        self._last_pts_ns = frame.pts_ns
        self.span_ns = max(self.span_ns, span_ns)


class Stream:
    """A stream and the thread that reads it."""

    def __init__(self, words):
        url, *parameters = words.split()
        self._client = Client(**dict(parameter.split("=", 1) for parameter in parameters))
        self._lock = threading.Lock()
        self._late, self._call = 0.0, "none"
        self._clock = Clock()
        self.timed("setup", 0, lambda: self._client.setup(url, timeout=0))
        self.timed("start", 0, self._client.start)
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def timed(self, name, bound, call):
        """Calls against a bound in seconds; gives what the call does, None where it fails."""
        begun = time.monotonic()
        result = None
        with contextlib.suppress(errors.Error):
            result = call()
        late = time.monotonic() - begun - bound
        with self._lock:
            if late > self._late:
                self._late, self._call = late, name
        return result

    def _read(self):
        after = 0
        for turn in itertools.count():
            if is_over.is_set():
                return
            after = self._read_on(after)
            if turn % 5 == 0:
                self.timed("acquire", 0, self._look)
            if turn % 25 == 0:
                self.timed("describe", 0, self._ask)

    def _read_on(self, after):
        options = {"order": Order.NEXT, "after": after, "timeout": WAIT_S}
        batch = self.timed("extract", WAIT_S, lambda: self._client.read(BATCH, **options))
        if batch is None:
            time.sleep(0.01)
            return after
        for frame in batch.infos:
            self._clock.note(frame)
        return batch.last_seq

    def _look(self):
        with self._client.acquire(BATCH // 2, timeout=0) as lease:
            return lease.frames[-1, -1, -1, -1]

    def _ask(self):
        self._client.describe()
        while self._client.next_event() is not None:
            pass
        self._client.stream_info()

    def restart(self):
        self.timed("terminate", STOP_S, self._client.terminate)
        self.timed("start", 0, self._client.start)

    def stop(self):
        self.thread.join()
        self.timed("terminate", STOP_S, self._client.terminate)
        self.timed("clear", STOP_S, self._client.clear)

    def close(self):
        self._client.close()

    def report(self):
        stats, clock = self._client.stats(), self._clock
        with self._lock:
            late, call, self._late, self._call = self._late, self._call, 0.0, "none"
        return (
            f"state {int(self._client.state)} frames {stats.published} connects {stats.connects}"
            f" back {clock.back} apart {clock.apart}"
            f" misdated {clock.misdated} span {clock.span_ns // 1_000_000} dated {clock.dated_ns // 1_000_000}"
            f" late {late * 1000:.1f} call {call}"
        )


class MallInfo(ctypes.Structure):
    """struct mallinfo2 of the C library."""

    _fields_ = [(name, ctypes.c_size_t) for name in
                "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()]  # fmt: skip


libc = ctypes.CDLL(None)
libc.mallinfo2.restype = MallInfo


def heap_in_use():
    # What malloc keeps for later says nothing of a leak.
    libc.malloc_trim(0)
    heap = libc.mallinfo2()
    return heap.uordblks + heap.hblkhd


def report(streams):
    for index, stream in enumerate(streams):
        print("stream", index, stream.report(), flush=True)
    print("process heap", heap_in_use(), flush=True)


def report_every_second(streams):
    while not is_over.is_set():
        report(streams)
        is_over.wait(1)


def main():
    streams = [Stream(words) for words in sys.argv[1:]]
    reporter = threading.Thread(target=report_every_second, args=[streams])
    reporter.start()
    for line in sys.stdin:
        streams[int(line)].restart()
    is_over.set()
    reporter.join()
    for stream in streams:
        stream.stop()
    report(streams)
    for stream in streams:
        stream.close()


if __name__ == "__main__":
    main()
