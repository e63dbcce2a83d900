"""What is measured once a second, for the lines, the verdict and the plot."""

import time
from dataclasses import dataclass, field


#: What a thread that waits for a processor and holds a lock may explain in a call of another thread.
LOCK_MS = 300


def explained_ms(language, machine_ms):
    """By how much a call may be late because threads waited for a processor so long."""
    # The reader in C leaves out what the calling thread waited; in the others it may have waited, and one that it needs.
    return min(machine_ms, LOCK_MS) if language == "C" else 2 * machine_ms


@dataclass
class Record:
    """Series by name of language, one value a second."""

    begun: float
    times: list = field(default_factory=list)
    readers: dict = field(default_factory=dict)
    frames: list = field(default_factory=list)
    reconnects: list = field(default_factory=list)
    #: How far the worst call exceeded its bound, and how long a thread waited for a processor.
    late_ms: list = field(default_factory=list)
    machine_ms: list = field(default_factory=list)
    #: (seconds, name) of all that was done to the servers.
    faults: list = field(default_factory=list)
    #: When the last of it was over, and so by when all runs quietly again.
    quiet_from: float = 0.0
    #: The worst call of all, beyond its bound: (ms, language, call).
    worst: tuple = (0.0, "", "none")
    #: Calls that came back later than the machine explains: (ms, language, call, seconds since the beginning).
    late_calls: list = field(default_factory=list)

    def now(self):
        return time.monotonic() - self.begun

    def sample(self, readers, slack_ms):
        """Asks everybody, and notes calls that came back too late."""
        self.times.append(self.now())
        self.machine_ms.append(0.0)
        self.frames.append(sum(reader.total("frames") for reader in readers))
        self.reconnects.append(sum(max(0, stream.get("connects", 0) - 1) for reader in readers for stream in reader.streams))
        self.late_ms.append(0.0)
        for reader in readers:
            self.note_calls(reader, slack_ms)
            series = self.readers.setdefault(reader.language, {})
            for name, value in reader.footprint().items():
                series.setdefault(name, []).append(value)
            series.setdefault("settled", []).append(reader.all_run() and self.now() >= self.quiet_from)

    def note_calls(self, reader, slack_ms):
        """Notes what a reader has told of its calls."""
        machine_ms = reader.waited_ms()
        self.machine_ms[-1] = max(self.machine_ms[-1], machine_ms)
        for _, late_ms, call in reader.take_late():
            self.late_ms[-1] = max(self.late_ms[-1], late_ms)
            self.worst = max(self.worst, (late_ms, reader.language, call))
            if late_ms > slack_ms + explained_ms(reader.language, machine_ms):
                self.late_calls.append((late_ms, reader.language, call, self.times[-1]))

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
            f" {self.reconnects[-1]:.0f} reconnects | worst call {late_ms:.0f} ms beyond its bound, {machine_ms:.0f} ms without a processor"
        )
