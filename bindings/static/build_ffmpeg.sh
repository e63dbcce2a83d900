#!/bin/bash
# Builds the FFmpeg of the self-contained library: the parts that open, parse and decode video from cameras, servers and
# files, as static libraries. LGPL version 3 or later: nothing that is GPL, and Mbed TLS (Apache 2.0, hence version 3).
#
#   build_ffmpeg.sh SOURCE PREFIX
#
# Mbed TLS, and not OpenSSL, because with it FFmpeg verifies the names in certificates; and not GnuTLS, which cannot be
# linked statically whole (p11-kit).
set -euo pipefail
source=$(realpath "${1:?usage: build_ffmpeg.sh SOURCE PREFIX}")
prefix=$(realpath -m "${2:?usage: build_ffmpeg.sh SOURCE PREFIX}")

protocols=file,pipe,fd,tcp,udp,udplite,rtp,srtp,tls,http,https,httpproxy,hls,crypto,data,rtmp,rtmps,rtmpt,rtmpts,unix,concat
demuxers=rtsp,sdp,rtp,hls,flv,live_flv,mov,matroska,mpegts,mpegps,mpegvideo,avi,asf,ogg,h264,hevc,m4v,mjpeg,mpjpeg
demuxers+=,image2,image2pipe,image_jpeg_pipe,image_png_pipe,ivf,concat
decoders=h264,hevc,mjpeg,mpeg4,mpeg2video,mpeg1video,h263,vp8,vp9,png,rawvideo
# Sound is never decoded for anybody, but streams that have it are known sooner.
decoders+=,aac,aac_latm,mp3,ac3,pcm_alaw,pcm_mulaw,pcm_s16le,pcm_s16be,adpcm_g726,adpcm_g726le,adpcm_g722
parsers=h264,hevc,mjpeg,mpeg4video,mpegvideo,h263,vp8,vp9,av1,png,aac,aac_latm,mpegaudio,ac3,opus

# Out of the source's folder, and by a path below it: what the compiler is told is what avformat_configuration tells.
mkdir -p "$prefix/build"
cd "$prefix/build"
"$source/configure" --prefix="$prefix" --enable-pic --enable-static --disable-shared --disable-debug \
    --disable-programs --disable-doc --disable-autodetect --disable-everything \
    --disable-avdevice --disable-avfilter --disable-swresample --disable-postproc \
    --enable-version3 --enable-mbedtls --enable-zlib --enable-pthreads \
    --enable-protocol="$protocols" --enable-demuxer="$demuxers" --enable-decoder="$decoders" --enable-parser="$parsers" \
    --enable-bsf=h264_mp4toannexb,hevc_mp4toannexb,extract_extradata,vp9_superframe_split,mpeg4_unpack_bframes \
    --enable-muxer=rtp --enable-network >configure.log 2>&1 || { tail -n 20 configure.log >&2; exit 1; }
make -j"$(nproc)" >make.log 2>&1 || { tail -n 20 make.log >&2; exit 1; }
make install >>make.log 2>&1
