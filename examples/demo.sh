#!/bin/bash
# Shows the client at work: streams a test clip from an RTSP server on loopback, watches the writer fill the ring for ten
# seconds, and leaves a contact sheet of what was read. `make demo` runs it.
#
#   demo.sh TARGET      the folder with the built library and the Python environment
set -euo pipefail
target=$(realpath "${1:?usage: demo.sh TARGET}")
cd "$(dirname "$0")/.."

sheet=$target/demo/contact-sheet.png
mkdir -p "$target/demo"
rm -f "$sheet"
tests/support/make_media.sh "$target/test-media" video.h264

# The server ends with its standard input, which is a pipe from this script: it cannot be left behind.
coproc server { exec tests/support/rtsp_server.py "/video=$target/test-media/video.h264,h264,25"; }
read -r _ port <&"${server[0]}" || { echo "demo.sh: the RTSP server did not start" >&2; exit 1; }

PYTHONPATH=bindings/python/src PYTHONDONTWRITEBYTECODE=1 MPEGCLIENT_LIBRARY=$target/release/libmpegclient.so \
    "$target/venv/bin/python" -m mpegclient check "rtsp://127.0.0.1:$port/video" --seconds 10 \
    --width 480 --height 360 --rate 5/1 --read-size 5 --cache-size 12 --output "$sheet"
