"""Has LeakSanitizer look at the end of a pytest run: what it finds of others than the interpreter is a failure.

Not at the exit of the process, as by default: each server and program that the tests start would do so too. The
interpreter forgets some objects of its own, whose memory it alone asked for; LeakSanitizer's suppressions cannot tell that
from what was asked for by a library that the interpreter called.
"""

import ctypes
import gc
import os
import re
import sys
from pathlib import Path
from typing import List

# `    #1 0x563d53 in function (/usr/bin/python3.11+0x563d53) (BuildId: ...)`
FRAME = re.compile(r"^ +#\d+ 0x.*$", re.MULTILINE)


def asked_for_by(record: str) -> str:
    """The frame that called the sanitizer's malloc."""
    return next((frame for frame in FRAME.findall(record) if "libclang_rt.asan" not in frame), "")


def leaks() -> List[str]:
    """What the sanitizer says of each leak that is not the interpreter's own."""
    runtime = ctypes.CDLL(None)
    report = os.memfd_create("leaks")
    runtime.__sanitizer_set_report_fd(ctypes.c_void_p(report))
    is_any = runtime.__lsan_do_recoverable_leak_check()
    said = Path(f"/proc/self/fd/{report}").read_text(encoding="utf-8", errors="replace")
    records = [record for record in said.split("\n\n") if "leak of" in record.split("\n")[0]]
    # A report that could not be read is taken for a leak.
    if is_any and not records:
        return [said]
    interpreter = f"({Path(sys.executable).resolve()}+"
    return [record for record in records if interpreter not in asked_for_by(record)]


def pytest_unconfigure() -> None:
    gc.collect()
    # The program that looks up names for the report is not to have the sanitizer too: it would wait for itself.
    os.environ.pop("LD_PRELOAD", None)
    found = leaks()
    if found:
        print("\n\n".join(["LeakSanitizer found:", *found]), file=sys.stderr, flush=True)
        os._exit(1)
