#!/bin/bash
# Runs the parts of the proof one after the other and prints one table: part, verdict, seconds, what it found.
#
#   run.sh [--quick] [PART...]      all parts without names; --quick takes 20 minutes where the whole takes 90
#
# A part is a script of this folder. It takes --quick, exits with 0 where it found nothing wrong, and the last line that
# it prints says in one sentence what was done.
set -euo pipefail
cd "$(dirname "$0")/../.."

target=$(realpath "${CARGO_TARGET_DIR:-target}")
logs=$target/proof-logs
mkdir -p "$logs"

quick=()
if [[ ${1:-} == --quick ]]; then
    quick=(--quick)
    shift
fi
all_parts=(supply miri models address threads valgrind failures fuzz coverage soak)
parts=("${@:-${all_parts[@]}}")

table=$logs/table.txt
printf '%-10s %-7s %8s  %s\n' part verdict seconds 'what was done' >"$table"
failed=0
for part in "${parts[@]}"; do
    start=$SECONDS verdict=passed
    echo "== $part"
    if ! "tests/proof/$part.sh" "${quick[@]}" 2>&1 </dev/null | tee "$logs/$part.log"; then
        verdict=FAILED
        failed=$((failed + 1))
    fi
    printf '%-10s %-7s %8d  %s\n' "$part" "$verdict" $((SECONDS - start)) "$(tail -n 1 "$logs/$part.log")" >>"$table"
done

echo
cat "$table"
[[ $failed -eq 0 ]]
