#!/bin/bash
# Model-checks what threads share, over the real source: src/sync.rs hands out the locks and atomics of a checker.
#
#   models.sh [--quick]
#
# loom takes small models (two or three threads, a few steps each) through every order and every value that the orderings
# of the atomics allow, with a thread interrupted at most LOOM_MAX_PREEMPTIONS times where it need not wait. shuttle
# takes those and larger ones, whose orders nobody could count, through SHUTTLE_ORDERS orders by chance each. The
# memory, its mappings and descriptors are the real ones; only time stands still (src/sync/model.rs).
set -euo pipefail
cd "$(dirname "$0")/../.."

export LOOM_MAX_PREEMPTIONS=${LOOM_MAX_PREEMPTIONS:-4} SHUTTLE_ORDERS=${SHUTTLE_ORDERS:-20000}
if [[ ${1:-} == --quick ]]; then
    export LOOM_MAX_PREEMPTIONS=3 SHUTTLE_ORDERS=300
fi
export CARGO_INCREMENTAL=0
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
host=$(rustc -vV | sed -n 's/^host: //p')
log=$target/models.log

# Runs the models under a checker. The flag reaches what is built for the target only, not what builds it. The RTSP
# engine, which has no model, is left out: what it is made of has flags of the same name.
explore() {
    RUSTFLAGS="--cfg $1" cargo test --quiet --no-default-features --lib --target "$host" -- models:: --nocapture \
        | tee "$log.$1"
}

# What was found, in figures: the models that passed, and the orders that they were taken through.
passed() { sed -n 's/^test result: ok\. \([0-9]*\) passed.*/\1/p' "$log.$1"; }
orders() { grep -o 'explored [0-9]* orders' "$log.$1" | awk '{ sum += $2 } END { print sum + 0 }'; }

for checker in loom shuttle; do
    explore $checker
    if [[ $(passed $checker) -eq 0 ]]; then
        echo "$checker ran no model"
        exit 1
    fi
done
echo "$(passed loom) models held in all $(orders loom) orders of at most $LOOM_MAX_PREEMPTIONS preemptions (loom)," \
    "$(passed shuttle) in $(orders shuttle) random ones (shuttle)"
