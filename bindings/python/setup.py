"""What pyproject.toml cannot say: a wheel carries the built C library.

MPEGCLIENT_LIBRARY names the library's file when a wheel is built. Without it the wheel, like an editable installation,
holds Python alone and uses the library of the system. MPEGCLIENT_PLATFORM says where the library runs, such as
manylinux_2_34_x86_64; without it that is this machine's kind.
"""

import os
import shutil
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

LIBRARY = os.environ.get("MPEGCLIENT_LIBRARY")
PLATFORM = os.environ.get("MPEGCLIENT_PLATFORM")


class BuildWithLibrary(build_py):
    """Puts the library beside the modules."""

    def run(self):
        super().run()
        if LIBRARY and not self.editable_mode:
            # A copy, whatever links lead to it: a wheel holds files only.
            shutil.copyfile(LIBRARY, Path(self.build_lib, "mpegclient", "libmpegclient.so"))


class PlatformWheel(bdist_wheel):
    """Any Python 3, because ctypes loads the library, but only the platform that the library was built for."""

    def get_tag(self):
        tag = super().get_tag()
        return ("py3", "none", PLATFORM or tag[2]) if LIBRARY else tag


class PlatformDistribution(Distribution):
    """Belongs to a platform as soon as it carries a library, although setuptools did not build that."""

    def has_ext_modules(self):
        return bool(LIBRARY)


setup(distclass=PlatformDistribution, cmdclass={"build_py": BuildWithLibrary, "bdist_wheel": PlatformWheel})
