# What the parts share that run programs of tests/c. Sourced from the top of the tree, with the part's arguments.

quick=
[[ ${1:-} != --quick ]] || quick=yes

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

media=$target/test-media
tests/support/make_media.sh "$media"

# The library as it is shipped, or the one that is named.
library=$(realpath -m "${MPEGCLIENT_LIBRARY:-$target/release/libmpegclient.so}")

# Ends the part with a sentence, as the table wants it.
fail() {
    echo "$*"
    exit 1
}

# Compiles a program of tests/c against the library, with more options.
compile() {
    local name=$1
    shift
    "${compiler:-gcc}" -std=gnu11 -Wall -Wextra -Wpedantic -Werror -O1 -g -pthread -Iinclude "tests/c/$name.c" \
        -o "$scratch/$name" "$@" -L"${library%/*}" -lmpegclient "-Wl,-rpath,${library%/*}"
}

# Commits a fault on purpose (tests/c/fault.c), behind a tool if one is named. It has to be told, and that it is in this
# library: else nothing watches it.
expect_caught() {
    local fault=$1 told=$2
    shift 2
    if "$@" "$scratch/fault" "$fault" "$media/short.mp4" >"$scratch/said" 2>&1 ||
        ! grep -q "$told" "$scratch/said" || ! grep -q 'mpegclient::\|mpegclient_' "$scratch/said"; then
        cat "$scratch/said"
        fail "the fault \"$fault\", made on purpose, was not told as \"$told\" in this library"
    fi
}

# The fault matrix: beside each cell's own client one in C (tests/c/watch.c) lives through the same faults, behind a tool
# or linked with it. How soon things happen is not what is measured here.
#
#   fault_matrix COMMAND [OPTION...]
fault_matrix() {
    MPEGCLIENT_FAULT_SLACK=10 MPEGCLIENT_SHADOW=$1 "$target/venv/bin/python" tests/faults/matrix.py "${@:2}" \
        --json "$scratch/cells.json"
}

# How many clients in C that were.
count_shadows() { grep -o '"shadows": [0-9]*' "$scratch/cells.json" | awk '{ sum += $2 } END { print sum + 0 }'; }

# Runs a command with its output on the terminal and in a log.
logged() {
    local log=$1
    shift
    "$@" 2>&1 | tee "$log"
    return "${PIPESTATUS[0]}"
}
