#!/bin/bash
# Fetches the source of FFmpeg as Debian has it, with Debian's patches, into a folder that it then prints; once.
#
#   fetch_ffmpeg.sh FOLDER
#
# The system's own list of packages names the place; sources are asked for in a copy of it, which changes nothing else.
set -euo pipefail
folder=$(realpath -m "${1:?usage: fetch_ffmpeg.sh FOLDER}")

unpacked() { find "$folder" -mindepth 1 -maxdepth 1 -type d -name 'ffmpeg-*' | head -n 1; }

if [[ -d $folder && -n $(unpacked) ]]; then
    unpacked
    exit
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$folder" "$work/parts" "$work/lists/partial"
# Debian's own lists only: others may hold no sources. They come in two forms.
for list in /etc/apt/sources.list.d/*.sources; do
    if [[ -e $list ]] && grep -q debian-archive-keyring "$list"; then
        sed 's/^Types:.*/Types: deb-src/' "$list" >"$work/parts/${list##*/}"
    fi
done
. /etc/os-release
{ cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null || true; } |
    sed -n "s/^deb \(.* $VERSION_CODENAME[^ ]* main.*\)/deb-src \1/p" >"$work/sources.list"

apt() {
    apt-get -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts="$work/parts" \
        -o Dir::State::Lists="$work/lists" -o APT::Sandbox::User= --quiet=2 "$@"
}
apt update >&2
(cd "$folder" && apt source ffmpeg >&2)
unpacked
