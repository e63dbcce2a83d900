#!/bin/bash
# Fuzzes each target of fuzz/ in turn with AddressSanitizer and LeakSanitizer, 60 s each or as long as SECONDS_EACH says.
#
#   fuzz.sh [--quick] [TARGET...]     --quick: 20 s each
#
# What a run finds worth keeping stays below target/fuzz/corpus for the next one. An input that makes something fail is
# named; once the defect is mended it goes into fuzz/crashes/TARGET, where this and tests/fuzz_regressions.rs run it ever
# after: some fail only under a sanitizer.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${SECONDS_EACH:-60}
if [[ ${1:-} == --quick ]]; then
    seconds=20
    shift
fi
targets=("$@")
[[ $# -gt 0 ]] || targets=(media server calls parameters depacketizers)

folder=$(realpath -m "${CARGO_TARGET_DIR:-target}")/fuzz
host=$(rustc -vV | sed -n 's/^host: //p')
cargo +nightly fuzz build --target-dir "$folder"
fuzz/seeds.sh "$folder/seeds"

# What fuzzed playlists and redirections name must not be reached: they see a network of nothing but this machine.
alone=()
if unshare --net --map-root-user true 2>/dev/null; then
    alone=(unshare --net --map-root-user sh -c 'ip link set lo up && exec "$@"' sh)
else
    echo "fuzz.sh: no network of its own can be made here; inputs may ask for names" >&2
fi

export LSAN_OPTIONS=suppressions=$PWD/tests/proof/leaks.txt:print_suppressions=0

# The function that failed, without those of the sanitizer, if it is in one of libav's libraries.
libav_frame() {
    grep -aE '^ *#[0-9]+ 0x' "$1" | grep -avE 'compiler-rt|libclang_rt|/asan/|sanitizer|libc\.so' | head -n 1 |
        grep -aoE 'lib(avcodec|avformat|avutil|swscale|swresample)\.so.*' || true
}

runs=0 kept=0 findings=()
for target in "${targets[@]}"; do
    corpus=$folder/corpus/$target artifacts=$folder/artifacts/$target log=$folder/$target.log
    mkdir -p "$corpus" "$artifacts"
    options=(-max_total_time="$seconds" -timeout=25 -rss_limit_mb=3072 -max_len=65536 -print_final_stats=1
        -artifact_prefix="$artifacts/")
    [[ ! -e fuzz/dictionaries/$target.dict ]] || options+=(-dict="fuzz/dictionaries/$target.dict")
    inputs=("$corpus" "fuzz/corpus/$target" "$folder/seeds/$target")
    [[ ! -e fuzz/crashes/$target ]] || inputs+=("fuzz/crashes/$target")
    if ! "${alone[@]}" env ASAN_OPTIONS="detect_leaks=1:allocator_may_return_null=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}" \
        "$folder/$host/release/$target" "${options[@]}" "${inputs[@]}" >"$log" 2>&1 </dev/null; then
        where=$(libav_frame "$log")
        findings+=("$target${where:+ (in $where)}")
        grep -aE -A 12 'panicked at|ERROR: |SUMMARY: |Test unit written' "$log" | tail -n 60 || true
    fi
    ran=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    new=$(sed -n 's/^stat::new_units_added: *//p' "$log")
    echo "$target: ${ran:-0} inputs in $seconds s, ${new:-0} of them new in what they reach"
    runs=$((runs + ${ran:-0})) kept=$((kept + ${new:-0}))
done

if [[ ${#findings[@]} -gt 0 ]]; then
    printf '%s inputs run, a failure in: %s; the inputs are in %s/artifacts\n' "$runs" "$(IFS=,; echo "${findings[*]}")" "$folder"
    exit 1
fi
echo "${#targets[@]} targets fuzzed for $seconds s each: $runs inputs run, $kept of them new in what they reach, none made anything fail"
