"""Has LeakSanitizer look at the end of a pytest run: what is found is a failure.

Not at the exit of the process, as by default: each server and program that the tests start would do so too.
"""

import ctypes
import gc
import os


def pytest_unconfigure():
    gc.collect()
    # The program that looks up names for the report is not to have the sanitizer too: it would wait for itself.
    os.environ.pop("LD_PRELOAD", None)
    if ctypes.CDLL(None).__lsan_do_recoverable_leak_check():
        os._exit(1)
