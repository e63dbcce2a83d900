#!/bin/bash
# valgrind over the life cycle and everything that a caller can do wrong (tests/c/misuse.c), and over the fault matrix: in
# each cell a client in C lives through the same faults as the one that is measured (tests/faults/shadow.py).
#
#   valgrind.sh [--quick]
set -euo pipefail
cd "$(dirname "$0")/../.."
source tests/proof/common.sh

# valgrind runs one thread at a time; without fair-sched one of them may starve the others.
valgrind="valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect
    --errors-for-leak-kinds=definite,indirect --fair-sched=yes
    --suppressions=$PWD/tests/proof/valgrind.supp"

# ---- It is in ----
compile fault
expect_caught overflow 'Invalid write' $valgrind
expect_caught leak 'definitely lost' $valgrind

# ---- The life cycle ----
status=0
MPEGCLIENT_TEST_LIBRARY=$library cargo test --test c_programs leaks_none || status=1

# ---- The fault matrix ----
compile watch
# All faults for the engines that differ: the native one, libavformat's for RTSP, one that opens further sources, a file.
# The other protocols run the same code of ours; tests/proof/address.sh has them.
cells=('*/rtsp-tcp' 'UDP */rtsp-udp' '*/rtsps' '*/hls' '*/file')
[[ -z $quick ]] || cells=('frozen/rtsp-tcp' 'garbage for ever/rtsp-tcp' 'FIN/http' 'UDP loss 5 %/rtsp-udp'
    'resolution flip/rtsp-tcp' 'garbage file/file')
fault_matrix "$(echo $valgrind) $scratch/watch" --only "${cells[@]}" || status=1

[[ $status -eq 0 ]] || fail "valgrind found an error or a leak, or a test failed; see above"
echo "the life cycle and misuse, and $(count_shadows) clients in the fault matrix under valgrind: no error, no leak; the" \
    "2 faults made on purpose were caught"
