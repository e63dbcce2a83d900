"""Programs in four languages, each of which reads some streams in one process.

PROTOCOL: a reader is given a stream in each argument, "URL KEY=VALUE ...", opens all in the background, and reads each on a
thread of its own: it copies frames one after the other, lends the newest, and asks for all else there is. Once a second it
prints a line for each stream, words and values in turn:

    stream   its place among the arguments
    state    MPEGCLIENT_STATE_*
    frames, connects    published frames and connections, by the client's counters
    back, apart, misdated
             how many frames had a time before that of the frame before, a time that went apart from the local clock by 30 s
             since the connection began, or a time of capture that was not within 30 s of the arrival
    span     the longest time, in ms of the stream's own clock, that one connection went on
    dated    the same up to a frame that had a time of capture
    late     by how many ms the worst call since the last line exceeded what it may take
    call     which call that was

and then a line of its own:

    process heap    bytes that malloc has given out: to the library, and to the language where it asks there; what it kept
                    for later has just been given back to the system

A line on its standard input, the place of a stream, has it terminate and start that stream. When its input ends it
terminates and clears all, prints last lines, and ends.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

from programs import end_with_parent

#: Seconds from one report of a reader to the next, and what it may come late.
REPORT_S = 3.5

#: MPEGCLIENT_STATE_RUNNING.
RUNNING = 4

#: malloc without caches of each thread, and with large buffers in mappings of their own: what it keeps for later would
#: count as memory that grows.
MALLOC = {"arena_max": 1, "tcache_count": 0, "mmap_threshold": 1 << 16}

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SOURCES = HERE / "readers"


def build(target):
    """Makes the readers; gives the command of each by its language, and the environment they want."""
    folder, release = target / "soak", target / "release"
    folder.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "LD_LIBRARY_PATH": str(release),
        "MPEGCLIENT_LIBRARY": str(release / "libmpegclient.so"),
        "PYTHONPATH": str(ROOT / "bindings/python/src"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "GLIBC_TUNABLES": ":".join(f"glibc.malloc.{name}={value}" for name, value in MALLOC.items()),
        # NumPy would keep threads of its own.
        "OPENBLAS_NUM_THREADS": "1",
    }
    commands = {
        "C": build_c(folder, release),
        "Python": [sys.executable, SOURCES / "reader.py"],
        "Go": build_go(folder, target),
        "C#": build_csharp(folder),
    }
    return commands, environment


def build_c(folder, release):
    warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    paths = ["-I", ROOT / "include", "-L", release]
    run(["gcc", "-std=c11", "-D_GNU_SOURCE", "-O1", *warnings, *paths, SOURCES / "reader.c", "-o", folder / "reader_c",
         "-lmpegclient", "-pthread"])  # fmt: skip
    return [folder / "reader_c"]


def build_go(folder, target):
    """The binding finds the library by pkg-config, as it is installed."""
    prefix = folder / "installed"
    shutil.rmtree(prefix, ignore_errors=True)
    run(["make", "--silent", "-C", ROOT, "install", f"PREFIX={prefix}"], {"CARGO_TARGET_DIR": str(target)})
    go = {"GOCACHE": target / "go-cache", "GOPATH": target / "go", "GOPROXY": "off", "GOFLAGS": "-mod=mod"}
    go["PKG_CONFIG_PATH"] = prefix / "lib/pkgconfig"
    # Go keeps what it compiled, and does not see that the header has changed since. It does see its compiler's options.
    go["CGO_CFLAGS"] = f"-g -O2 -DHEADER_IS_{zlib.crc32((ROOT / 'include/mpegclient.h').read_bytes()):x}"
    run(["go", "build", "-o", folder / "reader_go", "."], {key: str(value) for key, value in go.items()}, SOURCES / "go")
    return [folder / "reader_go"]


def build_csharp(folder):
    library, program = folder / "MpegClient.dll", folder / "Reader.exe"
    run(["mcs", "-warnaserror", "-unsafe", "-target:library", f"-out:{library}",
         f"-recurse:{ROOT / 'bindings/csharp/src/*.cs'}"])  # fmt: skip
    run(["mcs", "-warnaserror", f"-out:{program}", f"-r:{library}", SOURCES / "Reader.cs"])
    return ["mono", program]


def run(command, more=None, folder=ROOT):
    # The make that may have started this is not asked for help.
    plain = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL")}
    subprocess.run([str(part) for part in command], check=True, env={**plain, **(more or {})}, cwd=folder)


class Reader:
    """A reader at work: what it last said of each stream, and what its process takes."""

    def __init__(self, language, command, streams, environment):
        self.language = language
        #: By place; numbers and words as PROTOCOL says.
        self.streams = [{} for _ in streams]
        #: (monotonic time, ms, call) of calls that came back later than they may, and were not told of yet.
        self._late = []
        self.heap = 0
        #: (monotonic time, ns that each thread waited for a processor) of the last seconds.
        self._waits = []
        self._longest_ms = 0.0
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [str(part) for part in [*command, *streams]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=environment, preexec_fn=end_with_parent,
        )  # fmt: skip
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self):
        for line in self._process.stdout:
            words = line.split()
            if words[0] == "process":
                self.heap = int(words[2])
                continue
            told = dict(zip(words[::2], words[1::2]))
            call = told.pop("call")
            numbers = {key: float(value) for key, value in told.items()}
            with self._lock:
                self.streams[int(numbers["stream"])] = numbers
                self._late.append((time.monotonic(), numbers["late"], call))

    def take_late(self):
        """The calls that were told of since it was last asked: (monotonic time, ms beyond its bound, call)."""
        with self._lock:
            late, self._late = self._late, []
        return late

    def total(self, what):
        return sum(stream.get(what, 0) for stream in self.streams)

    def all_run(self):
        return all(stream.get("state") == RUNNING for stream in self.streams)

    def footprint(self):
        """What the process takes now: memory in bytes, descriptors, threads."""
        proc = Path("/proc") / str(self._process.pid)
        sizes = dict(re.findall(r"(\w+): +(\d+) kB", (proc / "smaps_rollup").read_text()))
        return {
            "heap": self.heap,
            "pss": int(sizes["Pss"]) << 10,
            # How much of a library's pages is counted here depends on who else has it loaded.
            "own": (int(sizes["Pss_Anon"]) + int(sizes["Pss_Shmem"])) << 10,
            "shared": int(sizes["Pss_Shmem"]) << 10,
            "descriptors": len(os.listdir(proc / "fd")),
            "threads": len(os.listdir(proc / "task")),
        }

    def waited_ms(self):
        """The longest that one of its threads waited for a processor within the last seconds; of those before its end,
        once it has ended."""
        now, waits = time.monotonic(), {}
        with contextlib.suppress(OSError):
            for task in (Path("/proc") / str(self._process.pid) / "task").iterdir():
                waits[task.name] = int((task / "schedstat").read_text().split()[1])
        if waits:
            # At least since the last time, also where that is long ago.
            before = [sample for sample in self._waits if sample[0] >= now - REPORT_S] or self._waits[-1:]
            longest = max((waits[task] - old.get(task, waits[task]) for _, old in before for task in waits), default=0)
            self._waits = [*before, (now, waits)]
            # Some kernels tell of more than has passed, for threads that went from one processor to the other.
            self._longest_ms = min(longest / 1e6, (now - min(at for at, _ in self._waits)) * 1000)
        return self._longest_ms

    def restart_stream(self, place):
        # A reader that has ended is told of where that is seen.
        with contextlib.suppress(OSError):
            self._process.stdin.write(f"{place}\n")
            self._process.stdin.flush()

    def has_ended(self):
        return self._process.poll() is not None

    def stop(self, patience):
        """Has it end in good order; gives its exit status, None if it did not end in time."""
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        deadline = time.monotonic() + patience
        while not self.has_ended() and time.monotonic() < deadline:
            self.waited_ms()
            time.sleep(0.1)
        if not self.has_ended():
            self._process.kill()
            return None
        self._listener.join()
        return self._process.returncode
