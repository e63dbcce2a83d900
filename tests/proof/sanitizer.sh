# What the parts share that run the tests with a sanitizer. Sourced from the top of the tree, with the part's arguments.

quick=
[[ ${1:-} != --quick ]] || quick=yes

target=$(realpath "${CARGO_TARGET_DIR:-target}")
triple=$(rustc -vV | sed -n 's/^host: //p')
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Ends the part with a sentence, as the table wants it.
fail() {
    echo "$*"
    exit 1
}

# cargo with what is instrumented: all that is built for SANITIZER, into a folder of its own. What runs in the compiler
# (build scripts, macros) is not, because a target is named; both sanitizers share it.
cargo_with() {
    local sanitizer=$1 command=$2
    shift 2
    RUSTFLAGS="-Zsanitizer=$sanitizer" CARGO_INCREMENTAL=0 cargo +nightly "$command" \
        --target-dir "$target/sanitizers" --target "$triple" "$@"
}

# Builds the shared library with a sanitizer and lays it into a folder with the name that programs ask for.
build_library() {
    local sanitizer=$1 folder=$target/sanitizers/$1
    shift
    cargo_with "$sanitizer" rustc "$@" --lib --crate-type cdylib
    mkdir -p "$folder"
    cp "$target/sanitizers/$triple/debug/libmpegclient.so" "$folder"
    ln -sf libmpegclient.so "$folder/libmpegclient.so.0"
    library=$folder/libmpegclient.so
}

# What links a C program with the nightly compiler's own ThreadSanitizer: that of Debian's clang is older than the library
# wants.
thread_runtime() {
    local runtime
    runtime=$(find "$(rustc +nightly --print sysroot)/lib/rustlib/$triple/lib" -name 'librustc-*_rt.tsan.a')
    echo "-rdynamic -Wl,--whole-archive $runtime -Wl,--no-whole-archive -ldl -lm -lrt"
}

# Compiles a program of tests/c against that library.
compile() {
    local sanitizer=$1 name=$2 runtime=()
    [[ $sanitizer != thread ]] || runtime=(-fno-sanitize-link-runtime $(thread_runtime))
    clang -std=gnu11 -Wall -Wextra -Werror -O1 -g -pthread -fsanitize="$sanitizer" -Iinclude "tests/c/$name.c" \
        -o "$scratch/$name" "${runtime[@]}" -L"${library%/*}" -lmpegclient "-Wl,-rpath,${library%/*}"
}

# Commits a fault on purpose. The sanitizer has to tell it, and that it is in this library: else it is not in.
expect_caught() {
    local fault=$1 told=$2
    if "$scratch/fault" "$fault" "$target/test-media/short.mp4" >"$scratch/said" 2>&1; then
        cat "$scratch/said"
        fail "the fault \"$fault\", made on purpose, was not caught"
    fi
    grep -q "$told" "$scratch/said" && grep -q "mpegclient::\|mpegclient_" "$scratch/said" && return
    cat "$scratch/said"
    fail "the fault \"$fault\", made on purpose, was not told as \"$told\" in this library"
}

# Runs a command with its output on the terminal and in a log.
logged() {
    local log=$1
    shift
    "$@" 2>&1 | tee "$log"
    return "${PIPESTATUS[0]}"
}

# The tests that passed, by the last lines of cargo or pytest.
count_passed() {
    awk '/^test result: / { sum += $4 } /^=* *[0-9]+ passed/ { for (i = 1; i < NF; i++) if ($(i + 1) ~ /^passed/) sum += $i }
         END { print sum + 0 }' "$@"
}
