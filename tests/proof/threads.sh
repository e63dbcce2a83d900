#!/bin/bash
# Everything that uses threads under ThreadSanitizer, the standard library included: the unit tests, the state table, any
# calls from four threads, programs in C, and clients in C in the fault matrix.
#
#   threads.sh [--quick]
set -euo pipefail
cd "$(dirname "$0")/../.."
source tests/proof/sanitizer.sh

# What cannot be had is an error of the library's, not of the program's.
export TSAN_OPTIONS="allocator_may_return_null=1 suppressions=$PWD/tests/proof/races.txt halt_on_error=0 second_deadlock_stack=1"
build_std=-Zbuild-std=std,panic_unwind

# ---- It is in ----
tests=(--lib --test state_table --test c_programs --test stress)
build thread "$build_std" "${tests[@]}"
compile fault -fsanitize=thread -fno-sanitize-link-runtime $(thread_runtime)
expect_caught race 'WARNING: ThreadSanitizer: data race'

# ---- Rust and C ----
status=0
export MPEGCLIENT_TEST_LIBRARY=$library MPEGCLIENT_TEST_CFLAGS
# Only the library is instrumented there: what the programs do to their own memory is their own.
MPEGCLIENT_TEST_CFLAGS=$(thread_runtime)
export MPEGCLIENT_STRESS_SECONDS=$([[ -n $quick ]] && echo 10 || echo 240)
export RUST_TEST_THREADS=2
# Neither valgrind nor a malloc of a program's own goes together with a sanitizer; a child of fork has but one thread.
# A program's writer at full speed is too slow here for what the test of lent frames waits for; the ring's own has both.
# The program that refuses threads does so in place of the sanitizer's own function.
skip=(--skip leaks_none --skip refuses --skip opencv --skip fork --skip example --skip lent_never_change
    --skip start_without_a_thread)
[[ -z $quick ]] || skip+=(--skip converter --skip wrapper)
logged "$scratch/cargo.log" test_with thread "$build_std" --no-fail-fast "${tests[@]}" -- "${skip[@]}" || status=$?

# ---- The fault matrix ----
compile watch $MPEGCLIENT_TEST_CFLAGS
cells=('*')
[[ -z $quick ]] || cells=('frozen/*' 'FIN/*' 'mute/rtsp-tcp')
fault_matrix "$scratch/watch" --quick --only "${cells[@]}" || status=$?

[[ $status -eq 0 ]] || fail "a race, or a test that failed under ThreadSanitizer; see above"
echo "$(count_passed "$scratch/cargo.log") tests of Rust and C under ThreadSanitizer, $MPEGCLIENT_STRESS_SECONDS s of any" \
    "calls from four threads among them, and $(count_shadows) clients in the fault matrix: no race; the fault made on purpose" \
    "was caught"
