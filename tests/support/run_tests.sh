#!/bin/bash
# Runs the tests of Rust, C, C++, Go and C# (cargo) and of Python (pytest), and sums them up in one last line:
#
#   N passed, N failed
#
#   run_tests.sh [--all]      with --all also those that take longer, which cargo calls ignored
#
# Whatever ends this script, its tests end with it, and with them their servers.
set -euo pipefail
cd "$(dirname "$0")/../.."

target=$(realpath "${CARGO_TARGET_DIR:-target}")
logs=$target/test-logs
mkdir -p "$logs"

# Each runner is a job, and so a process group of its own that can be ended as a whole.
set -m
end_runner() { kill -TERM -- "-$runner" 2>/dev/null || true; }
runner=
trap '[[ -z $runner ]] || end_runner' EXIT
trap 'exit 130' INT TERM HUP

passed=0 failed=0

# Runs a command with its output on the terminal and in a log; its exit status is the command's.
run_logged() {
    local log=$1 status=0
    shift
    { "$@" 2>&1 </dev/null | tee "$log"; exit "${PIPESTATUS[0]}"; } &
    runner=$!
    wait "$runner" || status=$?
    runner=
    return "$status"
}

# Adds what a runner counted. One that failed without counting a failure (it did not compile, it crashed) counts as one.
add() {
    local status=$1 good=$2 bad=$3
    [[ $status -eq 0 || $bad -gt 0 ]] || bad=1
    passed=$((passed + good))
    failed=$((failed + bad))
}

cargo_arguments=(test --no-fail-fast)
if [[ ${1:-} == --all ]]; then
    cargo_arguments+=(-- --include-ignored)
    export MPEGCLIENT_TEST_ALL=1
fi

status=0
run_logged "$logs/cargo.log" "${CARGO:-cargo}" "${cargo_arguments[@]}" || status=$?
# test result: ok. 12 passed; 0 failed; 0 ignored; ...
add "$status" $(awk '/^test result: / { passed += $4; failed += $6 } END { print passed + 0, failed + 0 }' "$logs/cargo.log")

export MPEGCLIENT_LIBRARY=$target/release/libmpegclient.so
export PYTHONPATH=bindings/python/src PYTHONDONTWRITEBYTECODE=1
status=0
run_logged "$logs/pytest.log" "$target/venv/bin/python" -m pytest -p no:cacheprovider -ra -n 3 --dist loadfile bindings/python/tests || status=$?
# ===== 1 failed, 12 passed, 1 skipped in 3.45s =====        A test that was skipped has not passed.
add "$status" $(awk '/^=+ .* in [0-9.:]+s/ { for (i = 2; i < NF; i++) count[$(i + 1)] = $i } END {
    for (word in count) { kind = word; sub(/,$/, "", kind); sum[kind] += count[word] }
    print sum["passed"] + 0, sum["failed"] + sum["error"] + sum["errors"] + sum["skipped"] + sum["xpassed"] + 0
}' "$logs/pytest.log")

echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
