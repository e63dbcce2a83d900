"""What a process and its children have taken of the system, and a piece of work that shows how quiet the machine is."""

from __future__ import annotations

import hashlib
import os
import resource
from pathlib import Path
from typing import Iterator, List

_TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds() -> float:
    """Processor time, user and system, of this process, of its living children, and of those that it has waited for."""
    ended = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in ended) + sum(map(_child_seconds, _children(os.getpid())))


def memory_bytes() -> int:
    """Memory of this process and its living children as PSS, where what is shared or mapped twice counts once."""
    return sum(map(_pss, [os.getpid(), *_children(os.getpid())]))


def dirty_bytes(pid: int) -> int:
    """Memory that a process has written to, once where it is mapped twice: what it takes beyond the files of its program."""
    return _rollup(pid, "Pss_Dirty:")


def calibrate() -> float:
    """Processor time of a piece of work that is always the same; how it varies is the noise of the machine."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    block = bytes(1 << 20)
    digest = hashlib.sha256()
    for _ in range(100):
        digest.update(block)
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _children(pid: int) -> Iterator[int]:
    for task in _listed(f"/proc/{pid}/task"):
        for child in _read(f"/proc/{pid}/task/{task}/children").split():
            yield int(child)
            yield from _children(int(child))


def _child_seconds(pid: int) -> float:
    # The name of a program, in brackets, may hold spaces; after it, from 1: state, ..., 12 utime, 13 stime.
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK if fields else 0.0


def _pss(pid: int) -> int:
    return _rollup(pid, "Pss:")


def _rollup(pid: int, name: str) -> int:
    rows = [line.split() for line in _read(f"/proc/{pid}/smaps_rollup").splitlines()]
    return sum(int(row[1]) << 10 for row in rows if row[0] == name)


def _read(path: str) -> str:
    # A process may end at any moment.
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def _listed(path: str) -> List[str]:
    try:
        return os.listdir(path)
    except OSError:
        return []
