"""Finds the shared library and loads it."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import List

from .constants import ABI_VERSION

#: Environment variable that names the library's file. While it is set no other file is looked at.
ENVIRONMENT = "MPEGCLIENT_LIBRARY"

#: Where a wheel carries the library.
PACKAGED = Path(__file__).with_name("libmpegclient.so")

#: What the system's loader is asked for.
SONAME = "libmpegclient.so.0"


def candidates() -> List[str]:
    """The files to try, in this order."""
    chosen = os.environ.get(ENVIRONMENT)
    return [chosen] if chosen else [str(PACKAGED), SONAME]


def load() -> ctypes.CDLL:
    """Loads the first library that is there and new enough.

    CDLL, not PyDLL: each call releases the GIL. The library's symbols stay its own (RTLD_LOCAL, the default), so that
    its FFmpeg does not meet one that another package brings along.

    Raises ImportError, which tells what was tried and what was wrong with each.
    """
    failures = []
    for name in candidates():
        try:
            library = ctypes.CDLL(name)
            _require_abi(library)
            return library
        except (OSError, ImportError) as failure:
            failures.append(f"  {name}: {failure}")
    raise ImportError(
        "mpegclient found no shared library that it can use. Tried:\n"
        + "\n".join(failures)
        + f"\nInstall a wheel that carries it, install the library on the system, or set {ENVIRONMENT} to its file."
    )


def _require_abi(library: ctypes.CDLL) -> None:
    try:
        function = library.mpegclient_abi_version
    except AttributeError:
        raise ImportError("this is not the mpegclient library: it has no mpegclient_abi_version") from None
    function.restype = ctypes.c_uint32
    if function() < ABI_VERSION:
        raise ImportError(f"its ABI number is {function()}, but this package needs {ABI_VERSION} or more")
