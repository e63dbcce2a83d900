"""libav has one log callback for the whole process, and another library may take it."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import run_python
from web import Site, make_certificate

pytest_plugins = ["live_fixtures"]

PROGRAM = """
import ctypes, sys
from mpegclient import Client, LogLevel, errors, set_log_callback, set_log_level

lines = []
set_log_level(LogLevel.WARNING)
set_log_callback(lambda _level, line: lines.append(line))
Client("").close()
names = [line.split()[-1] for line in open("/proc/self/maps") if "libavutil" in line]
if not names:
    print("STATIC")
    sys.exit()
libavutil = ctypes.CDLL(names[0])
libavutil.av_log_set_callback(ctypes.cast(libavutil.av_log_default_callback, ctypes.c_void_p))
for url in sys.argv[1:]:
    try:
        with Client(url) as client:
            client.setup(timeout=20)
            client.start()
            client.wait(timeout=20)
            print("OK")
    except errors.Error as error:
        print(type(error).__name__)
print(sum("log callback" in line for line in lines))
"""


def test_what_is_known_without_the_log(clips: Path, tmp_path: Path) -> None:
    """The untrusted certificate is found out by handshakes, and that the log is gone is logged once."""
    certificate = make_certificate(tmp_path, "own", "DNS:localhost", "IP:127.0.0.1")
    with Site(clips, certificate) as site:
        urls = [site.url("video.ts"), site.url("nothing.ts"), clips / "video.ts"]
        result = run_python(["-c", PROGRAM, *map(str, urls)])
        assert not site.paths, "something was asked of a server that is not trusted"
    if result.stdout.startswith("STATIC"):
        pytest.skip("this library has a libavutil of its own")
    assert result.stdout.split() == ["Untrusted", "Untrusted", "OK", "1"], result
