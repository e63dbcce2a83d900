#!/bin/bash
# Builds and tests the library with the FFmpeg of another Debian: trixie has 7.1, sid the newest.
#
#   other_ffmpeg.sh SUITE
#
# That Debian lies in target/other-ffmpeg/SUITE (1.5 GB). It is entered by chroot, with this tree and Rust's toolchains
# bound into it; the mounts are in a namespace of this script's own and end with it. Run it as root.
set -euo pipefail
suite=${1:?usage: other_ffmpeg.sh SUITE}
cd "$(dirname "$0")/../.."

tree=$PWD
target=$(realpath "${CARGO_TARGET_DIR:-target}")
root=$target/other-ffmpeg/$suite
# Empty: the one that debootstrap knows.
mirror=${DEBIAN_MIRROR:-}
rustup=${RUSTUP_HOME:-$HOME/.rustup} cargo=${CARGO_HOME:-$HOME/.cargo}

packages=(gcc libc6-dev pkg-config libclang-dev ca-certificates
    libavformat-dev libavcodec-dev libavutil-dev libswscale-dev
    ffmpeg python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
    nginx-light libnginx-mod-rtmp vlc-bin vlc-plugin-base openssl
    python3-numpy python3-pytest python3-pytest-xdist)

# What shows how a stream is opened, read, decoded and converted. The rest does not depend on FFmpeg's version.
tests=(client files pictures devices protocols tls faults capture rtsp_engine)

enter() { chroot "$root" env -i HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive PATH="$cargo/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
    RUSTUP_HOME="$rustup" CARGO_HOME="$cargo" "$@"; }

# The folder is complete once it says so: a run that was cut short begins anew.
make_root() {
    [[ ! -e $root/complete ]] || return 0
    rm -rf "$root" && mkdir -p "$root"
    debootstrap --variant=minbase "$suite" "$root" ${mirror:+"$mirror"}
    # No server is to start because it was installed.
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" && chmod +x "$root/usr/sbin/policy-rc.d"
    # The release file of sid is valid for a week, so that of a mirror that lags behind has expired. Signatures are checked.
    enter apt-get -o Acquire::Check-Valid-Until=false update --quiet=2
    enter apt-get install --yes --no-install-recommends --quiet=2 "${packages[@]}"
    touch "$root/complete"
}

bind() {
    mkdir -p "$root$1"
    mount --bind "$1" "$root$1"
}

# In the chroot, in the folder of the tree.
run_tests() {
    cd "$1"
    export CARGO_TARGET_DIR=$2 CARGO_INCREMENTAL=0
    pkg-config --modversion libavformat libavcodec libswscale
    # One profile for both, so that what they depend on is built once.
    cargo rustc --release --lib --crate-type cdylib
    cargo test --release --lib
    export MPEGCLIENT_LIBRARY=$2/release/libmpegclient.so
    export PYTHONPATH=bindings/python/src PYTHONDONTWRITEBYTECODE=1
    python3 -c 'import mpegclient; print(mpegclient.build_info())'
    shift 2
    python3 -m pytest -p no:cacheprovider -q -ra -n 2 --dist loadfile "${@/#/bindings/python/tests/}"
}

if [[ -z ${MPEGCLIENT_NAMESPACE:-} ]]; then
    [[ $(id -u) -eq 0 ]] || { echo "other_ffmpeg.sh: run it as root" >&2; exit 1; }
    make_root
    MPEGCLIENT_NAMESPACE=1 exec unshare --mount --propagation private "$0" "$suite"
fi
mount -t proc proc "$root/proc"
for folder in /dev "$rustup" "$cargo" "$tree"; do
    bind "$folder"
done
names=("${tests[@]/#/test_}")
enter bash -euo pipefail -c "$(declare -f run_tests); run_tests \"\$@\"" run_tests \
    "$tree" "$target/other-ffmpeg/$suite-build" "${names[@]/%/.py}"
