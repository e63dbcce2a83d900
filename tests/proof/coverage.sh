#!/bin/bash
# Which lines and branches of src/ the tests run: those of cargo, with the programs in C, C++, Go and C# that they start, and
# those of Python, counted together.
#
#   coverage.sh [--quick]      --quick: the unit tests, the state table and the stress test alone
#
# Leaves target/coverage/table.txt and, line by line, target/coverage/html/index.html. What stays uncovered and why is in
# tests/coverage.md.
set -euo pipefail
cd "$(dirname "$0")/../.."

quick=
[[ ${1:-} != --quick ]] || quick=yes
target=$(realpath "${CARGO_TARGET_DIR:-target}")
folder=$target/coverage
rm -rf "$folder/raw" "$folder/html"
mkdir -p "$folder/raw" "$folder/build"

# Everything that is built and run from here on counts. Branches are counted by the nightly compiler alone; its own tools
# read what was counted.
export RUSTUP_TOOLCHAIN=nightly CARGO_INCREMENTAL=0 CARGO_TARGET_DIR=$folder/build
export RUSTC_WORKSPACE_WRAPPER=$PWD/tests/proof/instrument.sh LLVM_PROFILE_FILE=$folder/raw/%c%p.profraw
tools=$(dirname "$(find "$(rustc --print sysroot)/lib/rustlib" -name llvm-cov)")
# The tests' own Python, and what they would otherwise make anew.
mkdir -p "$target/go-cache"
for shared in venv test-media go-cache; do
    ln -sfnT "$target/$shared" "$CARGO_TARGET_DIR/$shared"
done

# A test that fails has run its lines too, and on a busy machine a slow build fails some that measure time. Whether the
# tests pass is for `make test` to say.
failed=()
run() { "$@" || failed+=("$*"); }

objects=() tests=()
if [[ -n $quick ]]; then
    export MPEGCLIENT_STRESS_SECONDS=5
    tests=(--lib --test state_table --test stress)
    run cargo test --quiet "${tests[@]}"
else
    make --silent build
    objects+=(--object "$CARGO_TARGET_DIR/release/libmpegclient.so")
    run cargo test --quiet --no-fail-fast
    export MPEGCLIENT_LIBRARY=$CARGO_TARGET_DIR/release/libmpegclient.so
    export PYTHONPATH=bindings/python/src PYTHONDONTWRITEBYTECODE=1
    run "$target/venv/bin/python" -m pytest -q -p no:cacheprovider -n 3 --dist loadfile bindings/python/tests
fi
unset LLVM_PROFILE_FILE

while read -r program; do
    objects+=(--object "$program")
done < <(cargo test "${tests[@]}" --no-run --message-format json 2>/dev/null | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p')
profile=$folder/all.profdata
"$tools/llvm-profdata" merge --sparse --failure-mode all "$folder/raw" --output "$profile"

# Only the sources that are shipped; some functions lie in several objects, of which llvm-cov warns.
report() {
    "$tools/llvm-cov" "$@" --instr-profile "$profile" "${objects[@]:1}" --ignore-filename-regex '/tests\.rs$' --sources src \
        2>"$folder/warnings.txt"
}
report report --show-region-summary=false | tee "$folder/table.txt"
report show --format html --output-dir "$folder/html" --show-branches count --show-instantiations=false
for command in "${failed[@]}"; do
    echo "with failures: $command"
done
[[ -n $quick ]] && which="unit tests, state table and stress test" || which="tests of cargo and Python"
awk -v which="$which" '/^TOTAL/ { total = $7; missed = $6; branches = $10; lines = $5 } END {
    print which " ran " total " of the " lines " lines of src/ and " branches " of its branches; " missed " lines were not run"
}' "$folder/table.txt"
