#!/bin/bash
# Makes the small clips that the tests and the demo stream, each only if it is missing.
#
#   make_media.sh FOLDER [NAME ...]      default: all of them
#
#   video.h264      320x240, 25 frames a second, 4 s, a key frame each second, no B-frames; shows its frame numbers
#   video.h265      the same as H.265
#   video.mjpeg     the same as JPEGs, 2 s at 15 frames a second
#   small.h264      the same at 176x144
#   resize.h264     video.h264, then small.h264: the size changes within the stream
#   long_gop.h264   video.h264 for 20 s with one key frame at its beginning
#   keyless.h264    video.h264 without its key frames, but with its parameter sets: nothing to begin decoding with
#   video.mp4       video.h264 as a file with a length
#   video.ts        video.h264 as an MPEG transport stream
#   short.mp4       the first second of it
#   long.mp4        video.mp4 25 times over: 2500 frames
#
# H.264 and H.265 carry access unit delimiters: the RTSP server cuts the files there.
set -euo pipefail

folder=${1:?usage: make_media.sh FOLDER [NAME ...]}
shift
mkdir -p "$folder"
cd "$folder"
[[ $# -gt 0 ]] || set -- video.h264 video.h265 video.mjpeg small.h264 resize.h264 long_gop.h264 keyless.h264 \
    video.mp4 video.ts short.mp4 long.mp4

run_ffmpeg() { ffmpeg -hide_banner -loglevel error -nostdin -y "$@"; }

# Draws SIZE RATE SECONDS; the pattern moves and shows the number of each frame, so that a look tells which one it is.
picture() { echo "-f lavfi -i testsrc2=size=$1:rate=$2:duration=$3"; }

# Encodes to H.264 with a key frame every so many frames and none in between.
x264() { echo "-c:v libx264 -preset veryfast -pix_fmt yuv420p -b:v 200k -bf 0 -g $1 -sc_threshold 0 -x264-params aud=1"; }

make_clip() {
    case $1 in
        video.h264) run_ffmpeg $(picture 320x240 25 4) $(x264 25) -f h264 "$2" ;;
        small.h264) run_ffmpeg $(picture 176x144 25 4) $(x264 25) -f h264 "$2" ;;
        long_gop.h264) run_ffmpeg $(picture 320x240 25 20) $(x264 500) -f h264 "$2" ;;
        video.h265) run_ffmpeg $(picture 320x240 25 4) -c:v libx265 -preset ultrafast -pix_fmt yuv420p -f hevc \
            -x265-params log-level=error:keyint=25:min-keyint=25:scenecut=0:bframes=0:aud=1:repeat-headers=1 "$2" ;;
        # JPEG over RTP (RFC 2435) carries no Huffman tables: both sides assume the standard's.
        video.mjpeg) run_ffmpeg $(picture 320x240 15 2) -c:v mjpeg -huffman default -pix_fmt yuvj420p -q:v 6 -f mjpeg "$2" ;;
        resize.h264) need video.h264 && need small.h264 && cat video.h264 small.h264 >"$2" ;;
        # 5 is the type of the slices of a key frame.
        keyless.h264) need video.h264 && run_ffmpeg -i video.h264 -c copy -bsf:v filter_units=remove_types=5 -f h264 "$2" ;;
        video.mp4) need video.h264 && run_ffmpeg -r 25 -i video.h264 -c copy -f mp4 "$2" ;;
        video.ts) need video.mp4 && run_ffmpeg -i video.mp4 -c copy -f mpegts "$2" ;;
        long.mp4) need video.mp4 && run_ffmpeg -stream_loop 24 -i video.mp4 -c copy -f mp4 "$2" ;;
        short.mp4) need video.mp4 && run_ffmpeg -i video.mp4 -t 1 -c copy -f mp4 "$2" ;;
        *) echo "make_media.sh: no clip \"$1\"" >&2; return 2 ;;
    esac
}

# A clip appears whole or not at all, also when two runs make it at the same time.
need() {
    [[ -e $1 ]] || { make_clip "$1" "$1.$$" && mv "$1.$$" "$1"; }
}

trap 'rm -f ./*.$$' EXIT
for name; do
    need "$name"
done
