"""Has a frozen program carry the library that the package holds; one of the system's stays where it is."""

from PyInstaller.utils.hooks import collect_dynamic_libs

binaries = collect_dynamic_libs("mpegclient")
