"""A run as a picture: what each process takes, frames, and calls, over time."""

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402 (the backend has to be chosen first)

#: Series of each process: their names, how they are written, and what they are divided by.
QUANTITIES = [
    ("own", "memory but for files, MB", 1e6),
    ("heap", "given out by malloc, MB", 1e6),
    ("descriptors", "descriptors", 1),
    ("threads", "threads", 1),
]


def draw(record, path):
    """Draws what was recorded; each fault is a line behind it."""
    figure, panels = pyplot.subplots(6, 1, figsize=(12, 18), sharex=True)
    minutes = [time / 60 for time in record.times]
    for panel, (name, unit, scale) in zip(panels, QUANTITIES):
        for language, series in record.readers.items():
            panel.plot(minutes, [value / scale for value in series[name]], label=language, linewidth=1)
        panel.set_ylabel(unit)
        panel.legend(loc="lower right", ncol=4, fontsize=8)
    counted = list(zip(record.times, record.frames))
    rates = [(after[1] - before[1]) / (after[0] - before[0]) for before, after in zip(counted, counted[1:])]
    panels[4].plot(minutes[1:], rates, linewidth=1, color="tab:gray")
    panels[4].set_ylabel("frames a second, all streams")
    panels[5].plot(minutes, record.late_ms, linewidth=1, label="worst call, beyond its bound")
    panels[5].plot(minutes, record.machine_ms, linewidth=1, label="a thread without a processor")
    panels[5].set_ylabel("ms")
    panels[5].legend(loc="upper right", fontsize=8)
    panels[5].set_xlabel("minutes")
    for panel in panels:
        panel.set_ylim(bottom=0)
        for at, _ in record.faults:
            panel.axvline(at / 60, color="tab:red", alpha=0.15, linewidth=1)
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    pyplot.close(figure)
