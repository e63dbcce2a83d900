#!/bin/bash
# Installs what a group of the Makefile's targets needs and this machine lacks; says nothing when nothing is missing.
#
#   install.sh build | static | demo | test | test-all | other-ffmpeg | proof | bench
#
# build, demo, test and test-all each hold the one before; static holds build, bench holds demo, test-all static, proof
# test; other-ffmpeg stands alone. Debian packages come by apt-get, Python packages go into an environment of their own
# below target/, those of bench into another, where the peers cannot disturb the tests; what proof needs of Rust comes by
# rustup and cargo, and PARTS may name the parts of it that are wanted. A system without apt is only told what is needed;
# once that is there, MPEGCLIENT_PACKAGES_PRESENT=1 says so.
set -euo pipefail

group=${1:?usage: install.sh build|static|demo|test|test-all|other-ffmpeg|proof|bench}
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-target}

# Debian's name | what it is for | its name on other systems
build_packages='
gcc                        | to link                                    | a C compiler
libc6-dev                  | to link                                    | the C library with its headers
pkg-config                 | to find FFmpeg                             | pkg-config
libavformat-dev            | to open streams                            | FFmpeg 5.1 or later with its headers
libavcodec-dev             | to decode                                  | (part of FFmpeg)
libavutil-dev              | to decode                                  | (part of FFmpeg)
libswscale-dev             | to scale and convert colours               | (part of FFmpeg)
libclang-dev               | to read the headers of FFmpeg (bindgen)    | libclang'
static_packages='
dpkg-dev                   | to fetch the source of FFmpeg              | (Debian only)
xz-utils                   | to unpack it                               | xz
patch                      | to change it                               | patch
make                       | to build it                                | make
nasm                       | to build its fast parts                    | nasm
libmbedtls-dev             | to link TLS in                             | Mbed TLS 2.28 as a static library
zlib1g-dev                 | to link zlib in                            | zlib as a static library'
demo_packages='
ffmpeg                     | to make test clips                         | the ffmpeg program with libx264 and libx265
python3-gi                 | to run the RTSP server                     | PyGObject
gir1.2-gst-rtsp-server-1.0 | to run the RTSP server                     | GStreamer RTSP server with introspection
gstreamer1.0-plugins-good  | to send RTP                                | GStreamer plugins good
gstreamer1.0-plugins-bad   | to parse H.264 and H.265                   | GStreamer plugins bad
python3-venv               | to keep Python packages apart              | Python 3.9 or later with venv'
test_packages='
g++                        | to test the header and the C++ wrapper     | a C++17 compiler
clang                      | to test them with a second compiler        | clang
golang-go                  | to test the Go binding                     | Go 1.19 or later
mono-mcs                   | to test the C# binding                     | the C# compiler of Mono 6.8
mono-runtime               | to test the C# binding                     | Mono 6.8
cmake                      | to test the CMake package                  | CMake 3.16 or later
binutils                   | to read symbols and sections (nm, readelf) | binutils
abigail-tools              | to compare binary interfaces (abidiff)     | libabigail
libopencv-core-dev         | to test the wrapper with OpenCV            | the core module of OpenCV with its headers
valgrind                   | to find memory errors                      | valgrind
nginx-light                | to run the RTMP and HLS server             | nginx
libnginx-mod-rtmp          | to run the RTMP and HLS server             | the RTMP module of nginx
vlc-bin                    | to run a second RTSP server                | VLC (cvlc)
vlc-plugin-base            | to run a second RTSP server                | (part of VLC)
openssl                    | to make certificates for TLS servers       | the openssl program
iproute2                   | to make networks that can be spoilt        | iproute2
nftables                   | to lose and to block packets               | nftables'
other_packages='
debootstrap                | to have another Debian in a folder         | debootstrap
util-linux                 | to mount what it needs for itself alone    | util-linux'
proof_packages='
libclang-rt-14-dev         | to give C programs AddressSanitizer        | the sanitizers of clang'
bench_packages='
gstreamer1.0-plugins-base  | to measure GStreamer                       | GStreamer plugins base
gstreamer1.0-libav         | to measure GStreamer                       | GStreamer plugins libav'

# Name of the import | name of the package | what it is for
demo_modules='
numpy  | numpy  | to hold frames
rich   | rich   | to draw the terminal of the checking program
PIL    | pillow | to write the contact sheet'
test_modules='
pytest | pytest | to run the Python tests
xdist  | pytest-xdist | to run several of them at a time
cffi   | cffi   | to test the example with cffi
mypy   | mypy   | to check the type hints'
proof_modules='
matplotlib | matplotlib | to draw how the endurance test went'
all_modules='
jax    | jax    | to import frames through DLPack
PyInstaller | pyinstaller | to freeze a program'
bench_modules='
numpy      | numpy      | to hold frames
matplotlib | matplotlib | to draw the results'
# What is measured against. One that cannot be had is named and missing in the results.
peer_modules='
cv2       | opencv-python-headless | to measure OpenCV
av        | av                     | to measure PyAV
decord    | decord                 | to measure decord
mpegCoder | mpegCoder              | to measure mpegCoder'

# A component of the nightly toolchain | the parts of the proof that need it | what it is for. Sanitizers, Miri and fuzzing
# need options that no other toolchain has.
proof_components='
rust-src   | threads miri | to build the standard library for a sanitizer and for Miri
miri       | miri         | to run the pure parts in an interpreter
llvm-tools | coverage     | to measure coverage'
# A command | the parts that need it | what it is for. Each is a package of its own name.
proof_tools='
cargo-fuzz | fuzz   | to fuzz
cargo-deny | supply | to check licences and dependencies'

venv=$target/venv peers= components= tools=
case $group in
    build) packages=$build_packages modules= ;;
    static) packages=$build_packages$static_packages modules= ;;
    demo) packages=$build_packages$demo_packages modules=$demo_modules ;;
    test) packages=$build_packages$demo_packages$test_packages modules=$demo_modules$test_modules ;;
    test-all) packages=$build_packages$static_packages$demo_packages$test_packages
        modules=$demo_modules$test_modules$all_modules ;;
    other-ffmpeg) packages=$other_packages modules= ;;
    proof) packages=$build_packages$demo_packages$test_packages$proof_packages
        modules=$demo_modules$test_modules$proof_modules components=$proof_components tools=$proof_tools ;;
    bench) packages=$build_packages$demo_packages$bench_packages modules=$bench_modules peers=$peer_modules venv=$target/bench-venv ;;
    *) echo "install.sh: no group \"$group\"" >&2; exit 2 ;;
esac

# The rows of a table, without its padding: "first|second|third".
rows() { sed 's/ *| */|/g; s/ *$//; /^$/d' <<<"$1"; }

install_packages() {
    local missing=() name purpose present
    present=" $(cut -d'|' -f1 <<<"$(rows "$packages")" | xargs dpkg-query --show \
        --showformat='${db:Status-Status}:${Package} ' 2>/dev/null || true) "
    while IFS='|' read -r name purpose _; do
        if [[ $present != *" installed:$name "* ]]; then
            echo "missing: $name, $purpose"
            missing+=("$name")
        fi
    done < <(rows "$packages")
    [[ ${#missing[@]} -gt 0 ]] || return 0

    local as_root=()
    if [[ $(id -u) -ne 0 ]]; then
        command -v sudo >/dev/null || { echo "please install as root: apt-get install ${missing[*]}" >&2; exit 1; }
        as_root=(sudo)
    fi
    echo "installing ${#missing[@]} Debian package(s)"
    "${as_root[@]}" apt-get update --quiet=2
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install --yes --no-install-recommends --quiet=2 "${missing[@]}" >/dev/null
    # Debian starts a server once it is installed. The tests start their own.
    if [[ " ${missing[*]} " == *" nginx-light "* && -d /run/systemd/system ]]; then
        "${as_root[@]}" systemctl disable --now --quiet nginx
    fi
}

name_packages() {
    echo "This system has no apt. mpegclient needs here:" >&2
    rows "$packages" | while IFS='|' read -r _ purpose name; do
        [[ $name == "("* ]] || echo "  $name, $purpose" >&2
    done
    echo "Once they are installed, set MPEGCLIENT_PACKAGES_PRESENT=1." >&2
    exit 1
}

make_environment() {
    # An environment whose making was cut short has no pip yet.
    if [[ ! -x $venv/bin/pip ]]; then
        echo "making a Python environment in $venv"
        /usr/bin/python3 -m venv "$venv"
    fi
}

# Names the packages of a table that the environment lacks, in the array "missing".
find_missing() {
    local import name purpose present
    missing=()
    present=" $("$venv/bin/python" -c 'import importlib.util, sys
print(*(name for name in sys.argv[1:] if importlib.util.find_spec(name)))' $(cut -d'|' -f1 <<<"$(rows "$1")")) "
    while IFS='|' read -r import name purpose; do
        if [[ $present != *" $import "* ]]; then
            echo "missing: Python package $name, $purpose"
            missing+=("$name")
        fi
    done < <(rows "$1")
}

install_modules() {
    local missing
    find_missing "$modules"
    [[ ${#missing[@]} -eq 0 ]] || "$venv/bin/python" -m pip install --quiet "${missing[@]}"
}

# One at a time: that one cannot be had is no reason to go without the others.
install_peers() {
    local missing name
    find_missing "$peers"
    for name in "${missing[@]}"; do
        "$venv/bin/python" -m pip install --quiet --only-binary :all: "$name" 2>/dev/null || echo "$name cannot be installed here"
    done
}

# Whether one of the parts that are wanted is among these; without PARTS all are.
is_wanted() {
    local part
    for part in $1; do
        [[ " ${PARTS:-$part} " != *" $part "* ]] || return 0
    done
    return 1
}

# Adds to Rust what proof needs, once: what is there already stays as it is.
install_components() {
    local name parts purpose present
    is_wanted "supply miri address threads fuzz coverage" || return 0
    if ! rustup run nightly rustc --version >/dev/null 2>&1; then
        echo "missing: Rust's nightly toolchain, for sanitizers, Miri and fuzzing"
        rustup toolchain install nightly --profile minimal
    fi
    present=$(rustup component list --toolchain nightly | grep -F '(installed)')
    while IFS='|' read -r name parts purpose; do
        if is_wanted "$parts" && ! grep -q "^$name" <<<"$present"; then
            echo "missing: Rust's component $name, $purpose"
            rustup component add --toolchain nightly "$name"
        fi
    done < <(rows "$components")
}

# Building them takes minutes.
install_tools() {
    local name parts purpose
    while IFS='|' read -r name parts purpose; do
        if is_wanted "$parts" && ! command -v "$name" >/dev/null; then
            echo "missing: $name, $purpose"
            cargo install --quiet --locked "$name"
        fi
    done < <(rows "$tools")
}

if command -v apt-get >/dev/null; then
    install_packages
elif [[ -z ${MPEGCLIENT_PACKAGES_PRESENT:-} ]]; then
    name_packages
fi
if [[ -n $modules ]]; then
    make_environment
    install_modules
fi
if [[ -n $peers ]]; then
    install_peers
fi
if [[ -n $components ]]; then
    install_components
    install_tools
fi
