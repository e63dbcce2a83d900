"""What is measured once a second, for the lines, the verdict and the plot."""

import threading
import time
from dataclasses import dataclass, field

#: Seconds from one report of a reader to the next, and what it may come late.
REPORT_S = 2.5


class Canary:
    """How late the machine itself wakes a thread that sleeps: what no library can do better."""

    _NAP_S = 0.01

    def __init__(self):
        self._late = []
        self._lock = threading.Lock()
        threading.Thread(target=self._sing, daemon=True).start()

    def _sing(self):
        while True:
            begun = time.monotonic()
            time.sleep(self._NAP_S)
            late_ms = (time.monotonic() - begun - self._NAP_S) * 1000
            with self._lock:
                self._late = [(at, late) for at, late in self._late if at > begun - REPORT_S]
                self._late.append((begun, late_ms))

    def worst_ms(self):
        """The worst of the last seconds."""
        with self._lock:
            return max((late for _, late in self._late), default=0.0)


@dataclass
class Record:
    """Series by name of language, one value a second."""

    begun: float
    times: list = field(default_factory=list)
    readers: dict = field(default_factory=dict)
    frames: list = field(default_factory=list)
    reconnects: list = field(default_factory=list)
    #: How far the worst call exceeded its bound, and how late the machine was.
    late_ms: list = field(default_factory=list)
    machine_ms: list = field(default_factory=list)
    #: (seconds, name) of all that was done to the servers.
    faults: list = field(default_factory=list)
    #: The worst call of all, beyond its bound: (ms, language, call).
    worst: tuple = (0.0, "", "none")
    #: Calls that came back later than the machine explains, in words.
    late_calls: list = field(default_factory=list)

    def now(self):
        return time.monotonic() - self.begun

    def sample(self, readers, canary, slack_ms):
        """Asks everybody, and notes calls that came back too late."""
        machine_ms = canary.worst_ms()
        self.times.append(self.now())
        self.machine_ms.append(machine_ms)
        self.frames.append(sum(reader.total("frames") for reader in readers))
        self.reconnects.append(sum(max(0, stream.get("connects", 0) - 1) for reader in readers for stream in reader.streams))
        self.late_ms.append(0.0)
        for reader in readers:
            for _, late_ms, call in reader.take_late():
                self.note_call(reader.language, late_ms, call, machine_ms, slack_ms)
            series = self.readers.setdefault(reader.language, {})
            for name, value in reader.footprint().items():
                series.setdefault(name, []).append(value)

    def note_call(self, language, late_ms, call, machine_ms, slack_ms):
        self.late_ms[-1] = max(self.late_ms[-1], late_ms)
        self.worst = max(self.worst, (late_ms, language, call))
        # A call takes more than one turn on the processor.
        if late_ms > slack_ms + 3 * machine_ms:
            self.late_calls.append(
                f"{language}: {call} came back {late_ms:.0f} ms beyond its bound at {self.times[-1]:.0f} s,"
                f" when the machine was {machine_ms:.0f} ms late"
            )

    def line(self):
        """The present in one line."""
        parts = [
            f"{language} {series['pss'][-1] / 1e6:.1f} MB {series['descriptors'][-1]} fd {series['threads'][-1]} threads"
            for language, series in self.readers.items()
        ]
        back = max(0, len(self.times) - 60)
        late_ms, machine_ms = max(self.late_ms[back:]), max(self.machine_ms[back:])
        return (
            f"{self.times[-1] / 60:5.1f} min | {' | '.join(parts)} | {self.frames[-1]:.0f} frames,"
            f" {self.reconnects[-1]:.0f} reconnects | worst call {late_ms:.0f} ms beyond its bound, machine {machine_ms:.0f} ms late"
        )
