#!/bin/bash
# Runs the unit tests of every leaf in Miri, an interpreter that finds undefined behaviour, data races and leaks.
#
#   miri.sh [--quick]
#
# All run but those that are named below, with the reason. Property tests take a few cases each, as all is some hundred
# times slower here; --quick leaves out what is slowest, too. What uses threads runs once more under several seeds, each
# of which is another order of the threads, and other values that weak memory may show.
set -euo pipefail
cd "$(dirname "$0")/../.."

# What the name of a test begins with | why Miri cannot run it
cannot='
allocation::           | asks for more memory than any machine has, at which the interpreter itself ends
av::                  | calls FFmpeg, which is machine code
capi::                | its objects are clients, which begin with a call to FFmpeg
client::turns::       | as above
converter::tests::    | converts pictures of FFmpeg, millions of samples each
event::tests::a_bell_ | polls an event descriptor
ring::memory::tests::both_halves_ | has two addresses for one place
ring::memory::tests::large_memory_ | reads files of the system
ring::memory::tests::memory_that_the_system_ | as above
source::names::       | its threads block signals, whose masks the interpreter does not have
sys::                 | as above
source::repeats::     | compares tens of thousands of bytes a case, in safe code'

# What the name of a test begins with | why --quick leaves it out
slow='
error::tests::a                                               | compiles the patterns of the redactor, most of a minute
parameters::                                                  | as above
redact::                                                      | as above
ring::tests::a_ring_beyond_                                   | as above
source::native::failure::                                     | as above
ring::tests::a_held_lease_never_changes_                      | writes 500 frames
pacer::tests::a_clock_                                        | thousands of frames a case
pacer::tests::a_faster_source_                                | as above
pacer::tests::a_good_clock_                                   | as above
pacer::tests::a_simulated_year_                               | as above
pacer::tests::an_equal_rate_                                  | as above
pacer::tests::any_                                            | as above
pacer::tests::no_rate_and_no_                                 | as above
rtp::tests::every_split_                                      | hundreds of splits a case'

# What uses threads.
threads='
ring::tests::readers_and_writer_at_full_speed_see_whole_frames
sync::tests::
writer::control::tests::'

cases=4 seeds=64
if [[ ${1:-} == --quick ]]; then
    cases=2 seeds=8
else
    slow=
fi

export CARGO_INCREMENTAL=0 CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/miri"
export PROPTEST_CASES=$cases PROPTEST_DISABLE_FAILURE_PERSISTENCE=1
# The clocks are those of the machine.
export MIRIFLAGS='-Zmiri-disable-isolation -Zmiri-permissive-provenance'
mkdir -p "$CARGO_TARGET_DIR"
log=$CARGO_TARGET_DIR/miri.log

miri() { cargo +nightly miri test --quiet --lib -- "$@"; }

# The names on standard input that begin with a row of a table; with -v, the others.
matching() { grep "${@:2}" -E "^($(sed 's/ *|.*//; /^ *$/d' <<<"$1" | paste -sd '|'))" || true; }

all=$(miri --list 2>/dev/null | sed -n 's/: test$//p')
run=$(matching "$cannot" -v <<<"$all")
if [[ -n $slow ]]; then
    run=$(matching "$slow" -v <<<"$run")
fi
sed -n 's/ *|/ is left out:/p' <<<"$cannot$slow"

# As many processes as there are processors: each first reads the whole crate. What one prints comes in one piece.
run_quietly() {
    local said status=0
    said=$(miri --exact "$@" 2>&1) || status=$?
    echo "$said"
    return $status
}
export -f miri run_quietly
count=$(wc -l <<<"$run")
xargs --max-procs "$(nproc)" --max-args $(((count + $(nproc) - 1) / $(nproc))) \
    bash -c 'run_quietly "$@"' miri <<<"$run" | tee "$log"
passed=$(sed -n 's/^test result: ok\. \([0-9]*\) passed.*/\1/p' "$log" | awk '{ sum += $1 } END { print sum + 0 }')
if [[ $passed -ne $count ]]; then
    echo "$passed tests passed in Miri where $count should"
    exit 1
fi

mapfile -t threaded < <(matching "$threads" <<<"$all")
MIRIFLAGS="$MIRIFLAGS -Zmiri-many-seeds=0..$seeds" miri --exact "${threaded[@]}"

echo "$count of $(wc -l <<<"$all") unit tests ran in Miri, $cases cases a property, and ${#threaded[@]} with threads under" \
    "$seeds seeds: no undefined behaviour, no race, no leak"
