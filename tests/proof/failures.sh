#!/bin/bash
# Fails what the library asks of the system: every allocation of FFmpeg's and every large one of ours, mappings, memory
# files, descriptors, connections and threads, one call after the other and all from one call on. See tests/c/failures.c.
#
#   failures.sh [--quick]
set -euo pipefail
cd "$(dirname "$0")/../.."
source tests/proof/common.sh

log=$scratch/log
compile failures -rdynamic -ldl

# The server ends when its standard input does.
coproc server { exec tests/support/rtsp_server.py "/video=$media/video.h264,h264,25"; }
read -r -u "${server[0]}" ready port
[[ $ready == READY ]]
url=rtsp://127.0.0.1:$port/video

# A file takes milliseconds a try; a live stream has to wait for its next key frame, so that many are tried at a time.
status=0
try() { "$scratch/failures" "$@" 2>&1 | tee -a "$log" || status=1; }
if [[ -n $quick ]]; then
    try --step 40 "$media/short.mp4"
    try --step 200 --first 6 --jobs 24 --engine native "$url"
else
    try "$media/short.mp4"
    try --step 5 "$media/video.ts"
    try --step 5 --jobs 24 --engine native "$url"
    try --step 20 --jobs 24 --engine libav "$url"
fi

awk -v status=$status '/ calls failed on purpose: / { tried += $1; defects += $6; leaks += $(NF - 4); crashes += $NF }
    END { printf "%d calls failed on purpose: %d defects%s; FFmpeg itself left memory behind in %d and crashed in %d\n",
          tried, defects, status ? " or more" : "", leaks, crashes }' "$log"
exit "$status"
