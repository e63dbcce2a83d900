#!/bin/bash
# The tests of Rust, C and Python under AddressSanitizer, with LeakSanitizer at the end of each process.
#
#   address.sh [--quick]
set -euo pipefail
cd "$(dirname "$0")/../.."
source tests/proof/sanitizer.sh

suppressions=$PWD/tests/proof/leaks.txt
runtime=$(clang -print-file-name="libclang_rt.asan-$(uname -m).so")
export LSAN_OPTIONS=suppressions=$suppressions:print_suppressions=0
export ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1

# ---- It is in ----
tests=(--lib --test state_table --test c_programs --test stress)
flags='-fsanitize=address -fno-omit-frame-pointer'
build address "${tests[@]}"
compile fault $flags
expect_caught overflow 'ERROR: AddressSanitizer: heap-buffer-overflow'
expect_caught leak 'ERROR: LeakSanitizer: detected memory leaks'

# ---- Rust and C ----
status=0
export MPEGCLIENT_TEST_LIBRARY=$library MPEGCLIENT_TEST_CFLAGS=$flags
export MPEGCLIENT_STRESS_SECONDS=$([[ -n $quick ]] && echo 8 || echo 120)
# Neither valgrind nor a malloc of a program's own goes together with a sanitizer; OpenCV is not built with one. A
# program that compares what it holds with a writer at full speed is too slow here, and sees nothing that it would not without.
# The sanitizer's own locks do not survive a fork while other threads allocate.
skip=(--skip leaks_none --skip refuses --skip opencv --skip lent_never_change --skip forked_children)
[[ -z $quick ]] || skip+=(--skip wrapper --skip example)
logged "$scratch/cargo.log" test_with address --no-fail-fast "${tests[@]}" -- "${skip[@]}" || status=$?

# ---- The fault matrix ----
compile watch $flags
cells=('*')
[[ -z $quick ]] || cells=('frozen/rtsp-*' 'FIN/*' 'UDP loss 5 %/rtsp-udp' 'resolution flip/*' 'mute/rtsp-tcp')
fault_matrix "$scratch/watch" --quick --only "${cells[@]}" || status=$?

# ---- Python ----
# The runtime has to be there before the library. Leaks are looked for when asked at the end, and not by the servers.
# Left out is what a sanitizer is too slow for, threads that have to keep up with each other at full speed, and what
# measures memory, of which a sanitizer keeps what was given back; then VLC and a program that a test compiles, which do not
# run with the runtime of a sanitizer before them.
too_much='interpreter or many_threads_hold or d04 or d05 or d12 or d16 or vlc or own_lines'
files=(test_lease)
[[ -n $quick ]] || files+=(test_batches test_client test_lifecycle test_defects test_events test_handle test_converter
    test_pictures test_limits test_waiting test_parameters test_faults test_credentials test_protocols test_files
    test_mpegcoder)
export MPEGCLIENT_LIBRARY=$library PYTHONPATH=bindings/python/src:tests/proof PYTHONDONTWRITEBYTECODE=1 PYTHONMALLOC=malloc
# pytest keeps what is said on the terminal to itself, and with an error of the sanitizer's ends before it shows it.
python() {
    env LD_PRELOAD="$runtime" ASAN_OPTIONS="$ASAN_OPTIONS:leak_check_at_exit=0:log_path=$scratch/asan" \
        "$target/venv/bin/python" "$@"
}
# That a leak of this library is told here, where those of the interpreter are not, has to be seen too.
forget='import ctypes, look_for_leaks, os
ctypes.CDLL(os.environ["MPEGCLIENT_LIBRARY"]).mpegclient_cancel_new()
look_for_leaks.pytest_unconfigure()'
if said=$(python -c "$forget" 2>&1) || [[ $said != *mpegclient_cancel_new* ]]; then
    fail "a leak made on purpose in Python was not told: $said"
fi
logged "$scratch/pytest.log" python -m pytest -q -p no:cacheprovider -p look_for_leaks \
    -k "not ($too_much)" $(printf "bindings/python/tests/%s.py " "${files[@]}") || status=$?
cat "$scratch"/asan.* 2>/dev/null || true

[[ $status -eq 0 ]] || fail "a test failed under AddressSanitizer or left memory behind; see above"
echo "$(count_passed "$scratch/cargo.log") tests of Rust and C and $(count_passed "$scratch/pytest.log") of Python," \
    "$(count_shadows) clients in the fault matrix under AddressSanitizer and LeakSanitizer: no error, no leak; the 3 faults made" \
    "on purpose were caught"
