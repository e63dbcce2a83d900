"""What is wrong with a run, in words; nothing if nothing is."""

from statistics import median

import readers
import world
from trend import CONFIDENCE, trend

MB = 1e6

#: What the memory of a process may grow by, in bytes an hour.
GROWTH = 1 * MB

#: Seconds of calm at the beginning and the end in which descriptors and threads are compared.
CALM_S = 8

#: Threads and descriptors that a language's own runtime may still add after the first calm.
RUNTIME = {"C": (0, 0), "Python": (0, 0), "Go": (8, 2), "C#": (8, 2)}

#: A connection that began with its server and lasted so long has crossed the wrap.
BEYOND_WRAP_MS = (world.WRAP_S + 10) * 1000

#: What is wrong with the times of frames, by the readers' words.
CLOCK_FAULTS = {
    "back": "have a time before that of the frame before",
    "apart": "have a time that went apart from the local clock",
    "misdated": "were captured at another time than they came",
}

#: The same for what malloc has given out: with less noise, it shows a leak of a few bytes a frame within minutes.
MEMORIES = {"own": "memory", "heap": "the heap"}

#: Seconds until the garbage collectors of Python, Go and Mono have found how much memory they want; what malloc has given
#: out tells of a leak of the library's before.
RUNTIME_WARM_UP_S = 1800


def growth(record, warm_up_s, cycle_s):
    """How memory grows once all is warm: the trend of each kind in each process, in bytes an hour."""
    trends = {}
    for language, series in record.readers.items():
        for kind in MEMORIES:
            is_runtimes = kind == "own" and language != "C"
            start = max(warm_up_s, RUNTIME_WARM_UP_S) if is_runtimes else warm_up_s
            trends[language, kind] = trend(*lower_envelope(record.times, series, kind, start, cycle_s))
    return trends


def lower_envelope(times, series, kind, warm_up_s, cycle_s):
    """The least memory of each cycle while all streams ran undisturbed: what is held for a moment is left out."""
    least = {}
    for time, settled, value in zip(times, series["settled"], series[kind]):
        if settled and time >= warm_up_s:
            cycle = time // cycle_s
            least[cycle] = min(least.get(cycle, value), value)
    return [cycle * cycle_s for cycle in least], list(least.values())


def memory_problems(trends):
    return [
        f"{language}: {MEMORIES[kind]} grows by {found.slope / MB:.1f} MB an hour, at least by {found.low / MB:.1f}"
        f" with a confidence of {CONFIDENCE:.0%}; {GROWTH / MB:.0f} allowed"
        for (language, kind), found in trends.items()
        if found.low > GROWTH
    ]  # fmt: skip


def call_problems(record):
    """Calls that were late, those of the same name in the same language together."""
    late = {}
    for late_ms, language, call, time in record.late_calls:
        late.setdefault((language, call), []).append((late_ms, time))
    return [
        f"{language}: {call} came back too late {len(found)} times, at worst {max(found)[0]:.0f} ms beyond its bound"
        f" at {max(found)[1]:.0f} s"
        for (language, call), found in late.items()
    ]  # fmt: skip


def resource_problems(record, calm_end_s):
    """Descriptors and threads at the end, against those before the first fault."""
    before = [index for index, time in enumerate(record.times) if calm_end_s - CALM_S <= time < calm_end_s]
    after = [index for index, time in enumerate(record.times) if time >= record.times[-1] - CALM_S]
    problems = []
    for language, series in record.readers.items():
        for name, allowed in zip(("threads", "descriptors"), RUNTIME[language]):
            first, last = (median(series[name][index] for index in part) for part in (before, after))
            if last > first + allowed:
                problems.append(f"{language}: {first:.0f} {name} before the faults, {last:.0f} after them")
    return problems


def stream_problems(programs, sites, frames_before):
    """Whether each stream runs, was lost and came back, and has the right times."""
    problems = []
    for reader in programs:
        for place, (stream, (name, site)) in enumerate(zip(reader.streams, sites.items())):
            for problem in _problems_of(stream, site, frames_before[reader.language][place] if frames_before else 0):
                problems.append(f"{reader.language}, {name}: {problem}")
    return problems


def crossed(programs, sites):
    """How many streams were followed across the wrap of their RTP clock."""
    return sum(
        site.wraps and stream.get("dated", 0) >= BEYOND_WRAP_MS
        for reader in programs
        for stream, site in zip(reader.streams, sites.values())
    )


def _problems_of(stream, site, frames_before):
    if stream.get("state") != readers.RUNNING or stream["frames"] <= frames_before:
        yield f"does not run at the end (state {stream.get('state')})"
        return
    if stream["connects"] < 2:
        yield "was never connected again: the faults did not hit it"
    for name, what in CLOCK_FAULTS.items():
        if stream[name]:
            yield f"{stream[name]:.0f} frames {what}"
    if site.wraps and stream["span"] < BEYOND_WRAP_MS:
        yield f"no connection went on for more than {stream['span'] / 1000:.0f} s: none crossed the wrap"
    elif site.wraps and stream["dated"] < BEYOND_WRAP_MS:
        yield "no frame beyond the wrap has a time of capture"
