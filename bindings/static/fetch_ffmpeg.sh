#!/bin/bash
# Fetches the source of FFmpeg as Debian has it, with Debian's patches, and changes it in one place, into a folder that it
# then prints; once.
#
#   fetch_ffmpeg.sh FOLDER
#
# The LGPL wants the change told, which README.md does. The system's own list of packages names the place; sources are asked
# for in a copy of it, which changes nothing else.
set -euo pipefail
folder=$(realpath -m "${1:?usage: fetch_ffmpeg.sh FOLDER}")

unpacked() { find "$folder" -mindepth 1 -maxdepth 1 -type d -name 'ffmpeg-*' | head -n 1; }

# The patch is kept beside what it has changed: with another one it is fetched anew.
change=$(realpath "$(dirname "$0")/tls_addresses.patch")
if cmp --silent "$change" "$folder/changed-by"; then
    unpacked
    exit
fi
rm -rf "$folder"

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
(cd "$(unpacked)" && patch --silent --strip 1 <"$change")
cp "$change" "$folder/changed-by"
unpacked
