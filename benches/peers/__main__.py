"""Measures this library against others, side by side in one run; ``make bench`` runs it.

    python benches/peers --output FOLDER [--quick] [--media FOLDER] [--readme] [--again]

The results go to FOLDER as results.json, results.md and results.png. ``--readme`` also puts the short table into the
README; with ``--again`` the last results are taken instead of measuring.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Dict

import media
import plan
import plot
import report
from run import Runner

README = Path(__file__).resolve().parents[2] / "README.md"

#: Frames of the clips, of the one that is streamed in a loop, and of both for a quick run.
FRAMES, LOOP, QUICK_FRAMES = 300, 500, 100


def main() -> None:
    parser = argparse.ArgumentParser(prog="benches/peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="where media, log and results go")
    parser.add_argument("--quick", action="store_true", help="a little of everything")
    parser.add_argument("--media", type=Path, help="footage to use instead of clips made here")
    parser.add_argument("--readme", action="store_true", help="put the short table into the README")
    parser.add_argument("--again", action="store_true", help="measure nothing, use the last results")
    options = parser.parse_args()
    if options.again:
        told = json.loads((options.output / "results.json").read_text())
    else:
        told = measure(options)
    report.write(told, options.output)
    plot.draw(told, options.output / "results.png")
    print(report.markdown(told))
    print(f"written to {options.output}: results.json, results.md, results.png")
    if options.readme:
        README.write_text(report.readme(told, README.read_text()))


def measure(options: argparse.Namespace) -> Dict[str, Any]:
    """Makes or finds the clips, and runs it all."""
    frames, loop = (QUICK_FRAMES, QUICK_FRAMES) if options.quick else (FRAMES, LOOP)
    folder = options.output / "media"
    folder.mkdir(parents=True, exist_ok=True)
    clips = media.found(options.media, folder, frames) if options.media else media.made(folder, frames)
    source = next(clip for clip in clips if clip.codec == "h264")
    live = media.numbered(source, folder, loop)
    footage = f"footage {', '.join(clip.path.name for clip in clips)}" if options.media else "synthetic clips of 1080p25, 4 Mbit/s"
    with open(options.output / "log.txt", "w") as log:
        bench = plan.Bench(Runner(log), plan.QUICK if options.quick else plan.FULL)
        plan.run_all(bench, clips[:1] if options.quick else clips, live, loop, media.small(folder),
                     media.numbered(source, folder, loop, "h265"))  # fmt: skip
    return report.as_dict(bench.rows, bench.versions, bench.noise, bench.load, footage)


if __name__ == "__main__":
    main()
