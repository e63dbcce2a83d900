"""What PyInstaller is to know of this package: it does not see which library ctypes loads."""

from __future__ import annotations

import os
from typing import List


def hook_dirs() -> List[str]:
    """The folders of its hooks, for the entry point hook-dirs of the group pyinstaller40."""
    return [os.path.dirname(__file__)]
