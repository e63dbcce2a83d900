#!/bin/bash
# Makes the inputs that the fuzzers begin with, below a folder: one folder a target. A few bytes of choices come first
# (fuzz/src says which), then what is fuzzed.
#
#   seeds.sh FOLDER
set -euo pipefail

folder=${1:?usage: seeds.sh FOLDER}
mkdir -p "$folder"/{media,server,calls,parameters,depacketizers,clips}
cd "$folder"

run_ffmpeg() { ffmpeg -hide_banner -loglevel error -nostdin -y "$@"; }

# make_clip NAME ARGUMENTS...: a clip of some frames, as small as it goes.
make_clip() {
    local name=$1
    shift
    [[ -s clips/$name ]] || run_ffmpeg -f lavfi -i "testsrc=size=${size:-32x32}:rate=25:duration=${seconds:-0.2}" "$@" "clips/$name"
}

x264="-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 3 -bf 0"
make_clip a.h264 $x264 -x264-params aud=1 -f h264
make_clip b.h264 -c:v libx264 -pix_fmt yuv420p -bf 2 -f h264
make_clip a.h265 -c:v libx265 -preset ultrafast -pix_fmt yuv420p -x265-params log-level=none -f hevc
make_clip a.mjpeg -c:v mjpeg -huffman default -pix_fmt yuvj420p -f mjpeg
make_clip a.ts $x264 -f mpegts
make_clip a.mp4 $x264 -f mp4
make_clip f.mp4 $x264 -movflags frag_keyframe+empty_moov -f mp4
make_clip a.mkv $x264 -f matroska
make_clip a.flv $x264 -f flv
make_clip a.avi -c:v mjpeg -pix_fmt yuvj422p -f avi
make_clip a.jpg -frames:v 1 -c:v mjpeg -pix_fmt yuvj420p -f image2
make_clip a.y4m -pix_fmt yuv420p -f yuv4mpegpipe
make_clip a.m1v -c:v mpeg1video -f mpeg1video
make_clip a.mpg -c:v mpeg2video -f vob
make_clip a.ogv -c:v theora -f ogg
make_clip a.ivf -c:v libvpx -f ivf
make_clip a.gif -f gif
make_clip a.wmv -c:v wmv2 -f asf
make_clip a.png -frames:v 1 -c:v png -f image2
make_clip v9.webm -c:v libvpx-vp9 -f webm
make_clip a.m4v -c:v mpeg4 -f m4v
size=48x16 make_clip odd.mkv -c:v ffv1 -pix_fmt yuv444p10 -f matroska

# with CHOICES FILE... >INPUT: the bytes as printf has them, then the files.
with() { printf %b "$1"; shift; [[ $# -eq 0 ]] || cat "$@"; }

# ---- media: format, how it is read, then the 12 choices of the output ----

default='\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00'
for clip in clips/*; do
    with "$default" "$clip" >"media/${clip##*/}"
done
# Its format given, lent, scaled, turned, slowed.
other='\x01\x03\x02\x01\x02\x03\x01\x03\x01\x01\x01\x00\x01\x01'
for clip in a.ts a.mkv; do
    with "$other" clips/$clip >"media/other-$clip"
done
with "\x01${default:4}" clips/a.h264 >media/named.h264
with "\x02${default:4}" clips/a.h265 >media/named.h265

# ---- server: target, flags, the output, then answers with "\n%%\n" between them ----

output='\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00'
ok() { printf 'RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\n%b' "$1"; }
next() { printf '\n%%%%\n'; }

# describe CODEC FMTP: the answer to DESCRIBE.
describe() {
    local sdp
    sdp="v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 $1/90000\r\n${2:-}a=control:v\r\n"
    ok "Content-Base: rtsp://127.0.0.1:{port}/video/\r\nContent-Type: application/sdp\r\nContent-Length: $(printf "$sdp" | wc -c)\r\n\r\n$sdp"
}

setup_and_play() {
    next
    ok 'Session: 12345678;timeout=60\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n'
    next
    ok 'Session: 12345678\r\nRange: npt=0.000-\r\nRTP-Info: url=rtsp://127.0.0.1:{port}/video/v;seq=1;rtptime=0\r\n\r\n'
}

# packets CODEC: the clip of a codec over RTP, interleaved, with a sender report in front.
packets() {
    python3 - "$1" <<'PYTHON'
import struct, sys

codec = sys.argv[1]
out, number, time = sys.stdout.buffer, 0, 0

def frame(channel, packet):
    out.write(struct.pack(">cBH", b"$", channel, len(packet)) + packet)

def rtp(time, is_marked, payload):
    global number
    number += 1
    frame(0, struct.pack(">BBHII", 0x80, (0x80 if is_marked else 0) | (26 if codec == "JPEG" else 96), number, time, 1) + payload)

frame(1, struct.pack(">BBHIIIIII", 0x80, 200, 6, 1, 0xe0000000, 0, 0, 1, 100))
if codec == "JPEG":
    for index in range(3):
        rtp(index * 3600, True, bytes([0, 0, 0, 0, 1, 50, 4, 4]) + bytes([0x55] * 60))
else:
    data = open("clips/a.h264" if codec == "H264" else "clips/a.h265", "rb").read()
    nals = [nal for nal in data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if nal]
    for nal in nals:
        kind = nal[0] & 31 if codec == "H264" else nal[0] >> 1 & 63
        is_slice = kind in (1, 5) if codec == "H264" else kind < 32
        if len(nal) < 300:
            rtp(time, is_slice, nal)
        else:
            size, header = (1, bytes([nal[0] & 0xe0 | 28])) if codec == "H264" else (2, bytes([98, nal[1]]))
            body = nal[size:]
            for at in range(0, len(body), 200):
                flags = (0x80 if at == 0 else 0) | (0x40 if at + 200 >= len(body) else 0)
                rtp(time, is_slice and at + 200 >= len(body), header + bytes([flags | kind]) + body[at : at + 200])
        time += 3600 if is_slice else 0
# Too short for what they say they are.
for payload in {"H264": ["", "1c", "18", "1800"], "H265": ["", "62", "6201", "6001"], "JPEG": ["", "00000000"]}[codec]:
    rtp(time, False, bytes.fromhex(payload))
PYTHON
}

options() { ok 'Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n\r\n'; next; }
for codec in H264 H265 JPEG; do
    # The native engine asks for the description first, libavformat for the options.
    { with "\x00\x00$output"; describe $codec; setup_and_play; packets $codec; } >server/native-$codec
    { with "\x01\x00$output"; options; describe $codec; setup_and_play; packets $codec; } >server/libav-$codec
done
{ with "\x02\x02$output"; describe VP8; next; options; describe H264; setup_and_play; packets H264; } >server/auto
{
    with "\x00\x00$output"
    printf 'RTSP/1.0 401 Unauthorized\r\nCSeq: {cseq}\r\nWWW-Authenticate: Digest realm="x", nonce="y"\r\n\r\n'
    next
    describe H264 'a=fmtp:96 packetization-mode=1;sprop-parameter-sets=Z0IAH5WoFAFuQA==,aM48gA==\r\n'
    setup_and_play
    packets H264
} >server/digest
with "\x01\x00$output" <(printf 'RTSP/1.0 401 Unauthorized\r\nCSeq: {cseq}\r\nWWW-Authenticate: Basic realm="x"\r\n\r\n\n%%%%\n'
    printf 'RTSP/1.0 302 Moved\r\nCSeq: {cseq}\r\nLocation: rtsp://127.0.0.1:{port}/b\r\n\r\n') >server/moved
http() { printf 'HTTP/1.1 200 OK\r\nContent-Type: %s\r\n\r\n' "$1"; }
{ with "\x05\x00$output"; http video/mp2t; cat clips/a.ts; } >server/http-ts
{ with "\x08\x00$output"; http video/x-flv; cat clips/a.flv; } >server/http-flv
{ with "\x04\x00$output"; http video/mp4; cat clips/a.mp4; } >server/http-mp4
{
    with "\x07\x02$output"
    http 'multipart/x-mixed-replace; boundary=b'
    for _ in 1 2; do
        printf -- '--b\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n' "$(wc -c <clips/a.jpg)"
        cat clips/a.jpg
        printf '\r\n'
    done
} >server/http-multipart
{
    with "\x06\x00$output"
    http application/vnd.apple.mpegurl
    printf '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.2,\na.ts\n#EXT-X-ENDLIST\n'
    next
    http video/mp2t
    cat clips/a.ts
} >server/http-hls
with "\x04\x00$output" <(printf 'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n\n%%%%\n'
    printf 'HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n') >server/http-refused

# ---- calls: threads, then calls as fuzz/src/calls.rs numbers them, each with its arguments ----

setup='\x00\x00\x00\x00\x00' start='\x05\x00' terminate='\x09\x00' clear='\x0b\x00' wait='\x13\x00\x00\x03\x00'
setup_live='\x00\x00\x00\x04\x00'
extract='\x15\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00'
acquire='\x18\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00\x00'
interrupt='\x0c\x00\x01' cancel='\x0d\x01\x00' look='\x1e\x00\x00\x00'
with "\x00$setup$start$wait$extract$acquire$look$terminate$start$extract$clear" >calls/file
never='\x13\x00\x00\x03\x03'
with "\x00$setup$start$never$never$never$extract$look$start$never$terminate$never$clear$never" >calls/file-to-its-end
with "\x00$setup_live$start$wait$acquire$look$terminate$start$terminate$look$clear" >calls/live
with "\x00$setup$interrupt$wait$extract$setup$cancel$setup$start" >calls/ended
with "\x02$setup$start$extract$acquire$setup$start$extract$acquire$setup$terminate$start$clear$wait" >calls/several
for source in '\x05' '\x06' '\x07' '\x08' '\x09' '\x0a' '\x0b'; do
    with "\x00\x00\x00\x00$source\x02$look$start$wait$look$terminate$look$start$extract" >"calls/source-${source:2}"
    with "\x00\x00\x00\x00$source\x00$look$start$wait$look$terminate$look$start$extract" >"calls/waited-${source:2}"
done

# ---- parameters: count, then row, kind, value with its length; scheme, slashes, host, user, password, path ----

text() { printf '\\x%02x%s' "${#1}" "$1"; }
with "\x02\x01\x05$(text 640)\x1b\x05$(text 's3cret')\x00\x00\x00$(text bob)$(text hunter22)$(text 'video?x=y@z')" >parameters/rtsp
with "\x01\x00\x01$(text probesize)$(text 32)\x01\x00\x00$(text 'a b')$(text 'p@ss/w#rd')$(text 'live')" >parameters/http
with "\x00\x03\x03\x02$(text u)$(text 'pass"word')$(text '')" >parameters/rtmp

# ---- depacketizers: kind, then packets (flags, a piece) or pictures (flags, sizes, a piece) ----

with "\x00\x00\x03\x67\x42\x00\x00\x02\x68\xce\x01\x05\x65\x88\x80\x10\x20\x01\x04\x7c\x85\x88\x11\x01\x03\x7c\x45\x22" >depacketizers/h264
with "\x01\x00\x03\x40\x01\x0c\x00\x03\x42\x01\x01\x01\x05\x26\x01\x80\x10\x20\x01\x04\x62\x01\x93\x11\x01\x04\x62\x01\x53\x22" >depacketizers/h265
with "\x02\x01\x0a\x00\x00\x00\x00\x01\x32\x04\x04\x55\x55\x01\x0a\x00\x00\x00\x00\x01\x32\x04\x04\x55\x55" >depacketizers/jpeg
pictures='\x01\x04\x00\x02\x00\x00\x00\x08\x00\x00\x19\x05\x01\x00\x08aaaaaaaa\x10\x03\x05\x09bbbbbbbbb\x06\x06cccccc\x01\x05ddddd'
with "\x04$pictures$pictures" >depacketizers/pictures-h264
with "\x06$pictures$pictures" >depacketizers/pictures-h265
with '\x07\x60' <(printf 'm=video 0 RTP/AVP 96\r\na=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0I=,aM48gA\r\n') >depacketizers/sdp
