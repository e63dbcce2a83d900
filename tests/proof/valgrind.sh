#!/bin/bash
# valgrind over the life cycle and everything that a caller can do wrong (tests/c/misuse.c), and over the fault matrix: in
# each cell a client in C lives through the same faults as the one that is measured (tests/faults/shadow.py).
#
#   valgrind.sh [--quick]
set -euo pipefail
cd "$(dirname "$0")/../.."

quick=
[[ ${1:-} != --quick ]] || quick=yes
target=$(realpath "${CARGO_TARGET_DIR:-target}")
library=$(realpath "${MPEGCLIENT_LIBRARY:-$target/release/libmpegclient.so}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

compile() {
    gcc -std=gnu11 -Wall -Wextra -Wpedantic -Werror -O1 -g -pthread -Iinclude "tests/c/$1.c" -o "$scratch/$1" \
        -L"${library%/*}" -lmpegclient "-Wl,-rpath,${library%/*}"
}

# valgrind runs one thread at a time; without fair-sched one of them may starve the others.
valgrind="valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect
    --errors-for-leak-kinds=definite,indirect --fair-sched=yes"

# ---- It is in ----
tests/support/make_media.sh "$target/test-media"
compile fault
for fault in overflow leak; do
    if $valgrind "$scratch/fault" "$fault" "$target/test-media/short.mp4" >"$scratch/said" 2>&1 ||
        ! grep -q 'mpegclient_' "$scratch/said"; then
        cat "$scratch/said"
        echo "the fault \"$fault\", made on purpose, was not caught by valgrind"
        exit 1
    fi
done

# ---- The life cycle ----
status=0
MPEGCLIENT_TEST_LIBRARY=$library cargo test --test c_programs leaks_none 2>&1 | tee "$scratch/cargo.log" || status=1

# ---- The fault matrix ----
compile watch
export MPEGCLIENT_LIBRARY=$library MPEGCLIENT_FAULT_SLACK=2
export MPEGCLIENT_SHADOW="$(echo $valgrind) $scratch/watch"
cells=('*')
[[ -z $quick ]] || cells=('frozen/rtsp-tcp' 'garbage for ever/rtsp-tcp' 'FIN/http' 'UDP loss 5 %/rtsp-udp'
    'resolution flip/rtsp-tcp' 'garbage file/file')
"$target/venv/bin/python" tests/faults/matrix.py --jobs 3 --only "${cells[@]}" --json "$scratch/cells.json" || status=1

[[ $status -eq 0 ]] || { echo "valgrind found an error or a leak, or a test failed; see above"; exit 1; }
"$target/venv/bin/python" - "$scratch/cells.json" <<'EOF'
import json, sys

shadows = [cell.get("shadows", 0) for cell in json.load(open(sys.argv[1])).values()]
print(f"the life cycle, and {sum(shadows)} clients in {sum(map(bool, shadows))} cells of the fault matrix"
      f" under valgrind: no error, no leak; the 2 faults made on purpose were caught")
EOF
