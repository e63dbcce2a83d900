#!/bin/bash
# Builds the self-contained library: libmpegclient.so with a small FFmpeg linked in and hidden.
#
#   build.sh FOLDER
#
# It ends in FOLDER/libmpegclient.so. FOLDER/relink keeps what it was linked from, which the LGPL asks for: link.sh makes the
# library again from there, with another FFmpeg if wanted; the source of FFmpeg lies in FOLDER/source.
set -euo pipefail
folder=$(realpath -m "${1:?usage: build.sh FOLDER}")
cd "$(dirname "$0")/../.."
here=bindings/static
ffmpeg=$folder/ffmpeg relink=$folder/relink
mkdir -p "$relink"

source=$($here/fetch_ffmpeg.sh "$folder/source")
# Built anew only if what says how has changed.
recipe=$(cat $here/build_ffmpeg.sh $here/tls_addresses.patch)
if [[ $recipe != "$(cat "$ffmpeg/built-by" 2>/dev/null)" ]]; then
    echo "building $(basename "$source"), which takes some minutes"
    rm -rf "$ffmpeg"
    $here/build_ffmpeg.sh "$source" "$ffmpeg"
    echo "$recipe" >"$ffmpeg/built-by"
fi

# Only the headers of that FFmpeg are used here: it is linked below.
MPEGCLIENT_STATIC=1 PKG_CONFIG_PATH=$ffmpeg/lib/pkgconfig CARGO_TARGET_DIR=$folder/cargo \
    "${CARGO:-cargo}" rustc --release --lib --crate-type staticlib

system=$(dirname "$("${CC:-gcc}" -print-file-name=libmbedtls.a)")
cp "$folder/cargo/release/libmpegclient.a" "$ffmpeg"/lib/lib{avformat,avcodec,avutil,swscale}.a \
    "$system"/libmbed{tls,x509,crypto}.a "$system/libz.a" tests/abi/symbols.txt $here/link.sh "$relink"
"$relink/link.sh" "$relink" "$folder/libmpegclient.so"
strip --strip-debug "$folder/libmpegclient.so"
ln -sf libmpegclient.so "$folder/libmpegclient.so.0"
echo "$folder/libmpegclient.so: $(($(stat -c %s "$folder/libmpegclient.so") / 1024)) KiB"
