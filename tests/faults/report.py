"""What was measured, for a person."""

import table as matrix


def tell(name, result):
    """One line as a cell ends, and one for each problem."""
    outcome = "FAILED" if result["problems"] else "ok"
    print(f"{outcome:6} {name} ({result.get('took_s', 0):.1f} s)", flush=True)
    for problem in result["problems"]:
        print(f"       - {problem}", flush=True)


def table(results, took_s):
    """The whole matrix as a Markdown table, the measurements of each cell, and the sum."""
    failed = [name for name, result in results.items() if result["problems"]]
    parts = [
        overview(results),
        "Status and seconds until setup or the loss was told; -> seconds from a usable server to the first new frame.",
        measurements(results),
        *(f"FAILED {name}: {problem}" for name in failed for problem in results[name]["problems"]),
        f"{len(results) - len(failed)} cells passed, {len(failed)} failed, {took_s:.0f} s",
    ]
    return "\n\n".join(parts)


def overview(results):
    """Faults as rows, protocols as columns. Rows without a cell that was run are left out."""
    lines = [line(["fault", *matrix.PROTOCOLS]), line(["---"] * (len(matrix.PROTOCOLS) + 1))]
    for row in matrix.ROWS:
        texts = [cell_text(row.columns[protocol], results) for protocol in matrix.PROTOCOLS]
        if any(getattr(cell, "name", None) in results for cell in row.columns.values()):
            lines.append(line([row.fault, *texts]))
    return "\n".join(lines)


def cell_text(cell, results):
    if isinstance(cell, str):
        return f"- ({cell})"
    if cell.name not in results:
        return "not run"
    result = results[cell.name]
    if result["problems"]:
        return "**FAILED**"
    parts = [result.get("status", "ok"), seconds(result, "setup_s", "noticed_s")]
    if "healed_s" in result:
        parts.append(f"-> {result['healed_s']:.2f}")
    return " ".join(filter(None, parts))


def seconds(result, *names):
    """The last of these that was measured."""
    found = [result[name] for name in names if name in result]
    return f"{found[-1]:.2f}" if found else ""


COLUMNS = [
    ("setup s", "setup_s"),
    ("status", "status"),
    ("phase", "phase"),
    ("retry", "retryable"),
    ("noticed s", "noticed_s"),
    ("states", "states"),
    ("stop s", "stop_s"),
    ("healed s", "healed_s"),
    ("frames", "frames"),
    ("lost", "lost"),
    ("corrupt", "corrupt"),
    ("unmarked", "unmarked"),
    ("threads", "threads"),
    ("fds", "descriptors"),
    ("MiB", "growth_mib"),
]


def measurements(results):
    """One row for each cell."""
    lines = [line(["cell", *(title for title, _ in COLUMNS)]), line(["---"] * (len(COLUMNS) + 1))]
    for name, result in results.items():
        lines.append(line([name, *(value_text(result.get(key)) for _, key in COLUMNS)]))
    return "\n".join(lines)


def value_text(value):
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, list):
        return (" > " if value and isinstance(value[0], int) else " ").join(map(str, value))
    return str(value)


def line(texts):
    return "| " + " | ".join(texts) + " |"
