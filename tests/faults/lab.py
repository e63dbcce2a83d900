"""What a cell is measured with: calls against their bounds, states, failures, frames, and what the process takes."""

import contextlib
import gc
import os
import time
from pathlib import Path

import clips
import shadow
from mpegclient import Client, Order, State, Status, errors

#: What a loaded machine may add to every bound, in seconds.
SLACK = float(os.environ.get("MPEGCLIENT_FAULT_SLACK", "0.2"))

#: terminate, clear and close are back in this time in every state, as the header promises.
STOP_LIMIT = 0.5

#: Short times, so that a cell does not take minutes. Delays below a second: then the goal for healing counts.
TIMES = {
    "setup_timeout": 2000,
    "stall_timeout": 1000,
    "reconnect_delay_min": 100,
    "reconnect_delay_max": 500,
    "cache_size": 64,
}

#: The goal: seconds from a server that is usable to the first new frame.
HEALED_LIMIT = 2.0
# nginx gives no key frame to who comes in between; the clips have one every so many seconds.
RTMP_KEY_DISTANCE = 4.0

#: Bytes that a process may grow by in a cell: its allocator keeps some of what it once had.
GROWTH_LIMIT = 24 << 20


class Lab:
    """One cell at work: its protocol, its measurements, and what was wrong."""

    def __init__(self, protocol):
        self.protocol = protocol
        #: What is given back at the end of the cell.
        self.stack = contextlib.ExitStack()
        self.measured = {}
        self.problems = []
        self._worst_stop = 0.0
        #: Whether each client has another beside it, where that is wanted at all.
        self.has_shadows = shadow.is_wanted(protocol)
        self._shadows = {}

    def check(self, is_so, problem):
        """Notes a problem unless something is so."""
        if not is_so:
            self.problems.append(problem)
        return is_so

    # ---- Clients ----

    def client(self, url, **more):
        """A client with short times, closed with the cell at the latest."""
        client = Client(url)
        self.stack.callback(client.close)
        parameters = {**TIMES, **self.protocol.parameters, **more}
        self._add_shadow(client, url, parameters)
        for name, value in parameters.items():
            # An older library does not know every parameter that a protocol asks for.
            with contextlib.suppress(errors.UnknownParameter):
                client.parameters[name] = value
        return client

    def _add_shadow(self, client, url, parameters):
        if self.has_shadows:
            self._shadows[client] = shadow.Shadow(url, parameters)
            self.stack.callback(self._end_shadow, client)

    def _end_shadow(self, client):
        if client in self._shadows:
            problem = self._shadows.pop(client).end()
            self.check(problem is None, problem)
            self.measured["shadows"] = self.measured.get("shadows", 0) + 1

    def setup(self, client, timeout):
        """Calls setup against its bound; returns the status."""
        begun = time.monotonic()
        status = Status.OK
        try:
            client.setup(timeout=timeout)
        except errors.Error as error:
            status = Status(error.status)
        took = time.monotonic() - begun
        self.measured["setup_s"] = max(took, self.measured.get("setup_s", 0.0))
        self.check(took <= timeout + SLACK, f"setup took {took:.2f} s of {timeout:.2f} s")
        return status

    def expect_failure(self, client, status, expected):
        """Compares what a failed setup tells with what is expected of it."""
        failure = client.last_failure()
        self.note_failure(failure)
        self.measured["status"] = status.name
        self.check(status.name in expected.statuses, f"setup says {status.name}, not {' or '.join(expected.statuses)}")
        self.check(client.state is State.IDLE, f"the state after a failed setup is {client.state.name}, not IDLE")
        if status is Status.OK or not self.check(failure is not None, "no failure is told"):
            return
        self.check(failure.status is status, f"setup says {status.name}, last_failure {failure.status.name}")
        self.expect_details(failure, expected)

    def expect_details(self, failure, expected):
        phases, phase = expected.phases, failure.phase.name
        self.check(not phases or phase in phases, f"the phase is {phase}, not {' or '.join(phases)}")
        retryable = expected.retryable
        self.check(retryable in (None, failure.retryable), f"retryable is {failure.retryable}")

    def note_failure(self, failure):
        if failure is not None:
            self.measured["status"] = failure.status.name
            self.measured["phase"] = failure.phase.name
            self.measured["retryable"] = failure.retryable
            self.measured["message"] = failure.message

    def start_in_background(self, client):
        """Connects in the background and starts; neither may block."""
        self.timed("setup(0)", 0.0, lambda: client.setup(timeout=0))
        self.timed("start", 0.0, client.start)

    def run(self, client, timeout=10.0):
        """Sets up, starts and waits for the first frames."""
        client.parameters["setup_timeout"] = int(timeout * 1000)
        client.setup(timeout=timeout)
        client.start()
        client.wait(after=client.stats().newest_seq + 3, timeout=timeout)
        # A file would come to its end meanwhile.
        if client in self._shadows and self.protocol.carrier is not None:
            self._shadows[client].wait_for("SEEN")

    def timed(self, name, limit, call):
        """Calls against a bound; returns how long it took."""
        begun = time.monotonic()
        call()
        took = time.monotonic() - begun
        self.check(took <= limit + SLACK, f"{name} took {took:.2f} s, {limit:.2f} s allowed")
        return took

    def stop(self, client):
        """Terminates, clears and closes, each within its bound."""
        self._end_shadow(client)
        for name in ("terminate", "clear", "close"):
            took = self.timed(name, STOP_LIMIT, getattr(client, name))
            self._worst_stop = max(self._worst_stop, took)
        self.measured["stop_s"] = self._worst_stop

    def read_nothing(self, client, after):
        """Reads where there can be no new frame: in time, with TIMEOUT."""
        begun = time.monotonic()
        try:
            client.read(1, after=after, timeout=0.3)
            status = Status.OK
        except errors.Error as error:
            status = Status(error.status)
        took = time.monotonic() - begun
        self.check(status is Status.TIMEOUT, f"a read without new frames says {status.name}, not TIMEOUT")
        self.check(0.25 <= took <= 0.3 + SLACK, f"a read of 0.3 s took {took:.2f} s")

    # ---- Waiting for what must happen ----

    def await_state(self, client, states, seconds, since=None):
        """Waits until the client is in one of the states, and measures when it was."""
        begun = time.monotonic() if since is None else since
        seen = []
        # Longer than allowed, so that a bound that is missed is measured too.
        while time.monotonic() <= begun + 3 * seconds and not (seen and seen[-1] in states):
            state = client.state
            if not seen or seen[-1] is not state:
                seen.append(state)
            time.sleep(0.01)
        took = time.monotonic() - begun
        names = " or ".join(state.name for state in states)
        self.measured["states"] = [state.name for state in seen]
        if not self.check(seen[-1] in states, f"not {names} within {took:.1f} s, but {' '.join(s.name for s in seen)}"):
            return
        self.measured["noticed_s"] = took
        self.check(took <= seconds, f"{names} only after {took:.2f} s, {seconds:.2f} s allowed")

    def await_frame(self, client, after, usable_since, limit=HEALED_LIMIT):
        """Waits for the first new frame after a fault; measures how long after the server was usable it came."""
        patience = max(5 * limit, limit + 15)
        try:
            client.wait(after=after, timeout=patience)
        except errors.Error as error:
            self.check(False, f"not healed {patience:.0f} s after the server was usable: {error}")
            failure = client.last_failure()
            if failure is not None:
                self.problems.append(f"the last failure was {failure.status.name}: {failure.message}")
            return
        info = client.frame_info(after + 1) if client.stats().oldest_seq <= after + 1 else None
        now_ns = time.monotonic_ns()
        shown_ns = info.published_monotonic_ns if info and info.published_monotonic_ns else now_ns
        healed = max(0.0, shown_ns / 1e9 - usable_since)
        self.measured["healed_s"] = healed
        if self.protocol.name == "rtmp":
            limit += RTMP_KEY_DISTANCE
        late = f"the first new frame came {healed:.2f} s after the server was usable, {limit:.1f} s allowed"
        self.check(healed <= limit + SLACK, late)

    # ---- Frames ----

    def watch(self, client, seconds, until=lambda seen: False):
        """Reads every frame for some seconds; see Watched."""
        watched = Watched(self.measured)
        after = client.stats().newest_seq
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not until(watched):
            watched.note_state(client.state)
            try:
                # A long wait would hide states.
                batch = client.read(8, order=Order.NEXT, after=after, timeout=0.1)
            except errors.Timeout:
                continue
            except (errors.Ended, errors.StreamFailed, errors.Stopped):
                watched.note_state(client.state)
                break
            after = batch.last_seq
            watched.note(batch)
        watched.finish()
        return watched

    # ---- What the process takes ----

    def footprint(self):
        gc.collect()
        # The kernel lists a thread for a moment after it was joined.
        time.sleep(0.05)
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return {
            "threads": len(os.listdir("/proc/self/task")),
            "descriptors": len(os.listdir("/proc/self/fd")) - 1,
            "memory": pages * os.sysconf("SC_PAGE_SIZE"),
        }

    def threads_called(self, name):
        """How many threads of this process bear a name."""
        names = []
        for thread in Path("/proc/self/task").iterdir():
            # One that has ended meanwhile has none.
            with contextlib.suppress(OSError):
                names.append((thread / "comm").read_text().strip())
        return names.count(name)

    def expect_flat(self, before):
        """Compares what the process takes with what it took before the client."""
        deadline = time.monotonic() + 2
        after = self.footprint()
        while after["threads"] > before["threads"] and time.monotonic() < deadline:
            time.sleep(0.05)
            after = self.footprint()
        for name in ("threads", "descriptors"):
            self.measured[name] = [before[name], after[name]]
            self.check(after[name] <= before[name], f"{before[name]} {name} before, {after[name]} after")
        growth = after["memory"] - before["memory"]
        self.measured["growth_mib"] = growth / (1 << 20)
        self.check(growth <= GROWTH_LIMIT, f"the process grew by {growth >> 20} MiB")


class Watched:
    """What the frames of some seconds showed."""

    def __init__(self, measured):
        self._measured = measured
        self.states = []
        self._last_number = None
        self._unreadable = 0
        self.sizes = []
        self.generations = set()
        self.frames = self.corrupt = self.lost = self.keys = 0
        #: The first damaged frames that are not marked: their numbers within the cell, and whether each is a key frame.
        self.unmarked_at = []
        self.first_at = None
        self.longest_gap_s = 0.0
        self._last_at = None
        self._begun = time.monotonic()

    def note_state(self, state):
        if not self.states or self.states[-1] != state.name:
            self.states.append(state.name)

    def note(self, batch):
        for frame, info in zip(batch.frames, batch.infos):
            self._note_time(info.published_monotonic_ns / 1e9)
            number = clips.number_of(frame)
            if number is None and not info.corrupt:
                self.unmarked_at.append((self.frames, info.key))
            self.frames += 1
            self.keys += info.key
            self.corrupt += info.corrupt
            self.generations.add(info.generation)
            size = (info.source_width, info.source_height)
            if not self.sizes or self.sizes[-1] != size:
                self.sizes.append(size)
            self._note_number(info.generation, number)

    def _note_number(self, generation, number):
        """Counts the pictures that are missing between those that came over the same connection."""
        if number is None:
            self._unreadable += 1
            return
        if self._last_number is not None and self._last_number[0] == generation:
            # A clip that begins anew is no loss.
            self.lost += max(0, number - self._last_number[1] - 1 - self._unreadable)
        self._last_number = (generation, number)
        self._unreadable = 0

    @property
    def unmarked(self):
        """How many damaged frames are not marked."""
        return len(self.unmarked_at)

    def _note_time(self, moment):
        if self.first_at is None:
            self.first_at = moment - self._begun
        if self._last_at is not None:
            self.longest_gap_s = max(self.longest_gap_s, moment - self._last_at)
        self._last_at = moment

    def finish(self):
        """Adds up what was seen."""
        self._measured.update(frames=self.frames, lost=self.lost, corrupt=self.corrupt, states=self.states)
        self._measured.update(unmarked=self.unmarked, unmarked_at=self.unmarked_at[:20])
