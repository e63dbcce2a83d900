#!/bin/bash
# Links the self-contained library from the object code of this project and of FFmpeg. It is how `make static` does it, and
# how anybody replaces the FFmpeg within by another, which the LGPL grants them:
#
#   link.sh FOLDER OUTPUT
#
# The folder holds libmpegclient.a, libavformat.a, libavcodec.a, libswscale.a, libavutil.a, what these need, and symbols.txt,
# the names that the library shows. Everything else stays hidden, so that it can live beside any other FFmpeg.
set -euo pipefail
folder=${1:?usage: link.sh FOLDER OUTPUT}
output=${2:?usage: link.sh FOLDER OUTPUT}

exports=$(mktemp)
trap 'rm -f "$exports"' EXIT
{ echo '{ global:'; sed 's/$/;/' "$folder/symbols.txt"; echo 'local: *; };'; } >"$exports"

"${CC:-gcc}" -shared -o "$output" \
    -Wl,-soname,libmpegclient.so.0 -Wl,-z,nodelete -Wl,-z,relro -Wl,-z,now -Wl,-Bsymbolic -Wl,--gc-sections \
    -Wl,--version-script="$exports" -Wl,--undefined-version -Wl,-O1 \
    -Wl,--whole-archive "$folder/libmpegclient.a" -Wl,--no-whole-archive \
    -Wl,--start-group "$folder"/libav{format,codec,util}.a "$folder/libswscale.a" \
    "$folder"/libmbed{tls,x509,crypto}.a "$folder/libz.a" -Wl,--end-group \
    -lgcc_s -lpthread -lm -ldl -lc
