"""Shows the newest five frames of a stream with cffi alone: the header itself, through the C preprocessor, is the binding.

    extract_cffi.py URL [PICTURE.ppm]

MPEGCLIENT_LIBRARY names the library if it is not where the system looks; CC the compiler, cc if it is not set.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from cffi import FFI

HEADER = Path(__file__).resolve().parents[1] / "include/mpegclient.h"
FRAMES = 5


def declarations(header: Path) -> str:
    """The header as cffi's parser takes it: without what it includes, which cffi knows, and with its numbers."""
    text = re.sub(r"^#include.*$", "", header.read_text(), flags=re.MULTILINE)
    command = [os.environ.get("CC", "cc"), "-E", "-P", "-dD", "-undef", "-"]
    processed = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    is_ours = re.compile(r"#define MPEGCLIENT_\w+ -?\d+$")
    return "\n".join(line for line in processed.splitlines() if not line.startswith("#") or is_ours.match(line))


ffi = FFI()
ffi.cdef(declarations(HEADER))
lib = ffi.dlopen(os.environ.get("MPEGCLIENT_LIBRARY", "libmpegclient.so.0"))


def require(status: int, what: str) -> None:
    """Ends the program if a call failed. The library's words name what, where and why."""
    if status != lib.MPEGCLIENT_OK:
        sys.exit(f"extract: {what}: {ffi.string(lib.mpegclient_last_error()).decode()}")


def sized(name: str):
    """A struct that tells its size."""
    return ffi.new(f"{name} *", {"struct_size": ffi.sizeof(name)})


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit("usage: extract_cffi.py URL [PICTURE.ppm]")
    client = ffi.gc(lib.mpegclient_new(), lib.mpegclient_free)
    for key, value in {"width": "480", "height": "360", "frame_rate": "5/1", "cache_size": "12"}.items():
        require(lib.mpegclient_set_parameter(client, key.encode(), value.encode()), key)
    require(lib.mpegclient_setup(client, sys.argv[1].encode(), -1, ffi.NULL), "setup")
    require(lib.mpegclient_start(client), "start")

    frame_bytes = ffi.new("size_t *")
    require(lib.mpegclient_output_shape(client, 3000, ffi.NULL, ffi.NULL, ffi.NULL, ffi.NULL, frame_bytes), "shape")
    frames = bytearray(FRAMES * frame_bytes[0])
    infos = ffi.new("MpegClientFrameInfo[]", FRAMES)
    options = sized("MpegClientReadOptions")
    options.count = FRAMES
    options.timeout_ms = 3000
    batch = sized("MpegClientBatch")
    for _ in range(10):
        # For a frame newer than those shown, so that each time shows another.
        require(lib.mpegclient_wait(client, infos[batch.count - 1].seq if batch.count else 0, 3000, ffi.NULL, ffi.NULL), "wait")
        buffer = ffi.from_buffer("uint8_t[]", frames)
        require(
            lib.mpegclient_extract_frames(
                client, options, buffer, len(frames), infos, ffi.sizeof("MpegClientFrameInfo"), batch
            ),
            "extract",
        )
        newest = infos[batch.count - 1]
        print(
            (batch.count, batch.height, batch.width, batch.channels),
            f"seq {infos[0].seq}..{newest.seq}, pts {newest.pts_ns / 1e9:.3f} s, age {batch.newest_age_ns / 1e6:.1f} ms",
        )
    if len(sys.argv) > 2:
        head = f"P6\n{batch.width} {batch.height}\n255\n".encode()
        Path(sys.argv[2]).write_bytes(head + frames[-frame_bytes[0] :])


if __name__ == "__main__":
    main()
