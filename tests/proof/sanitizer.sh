# What the parts share that run the tests with a sanitizer. Sourced from the top of the tree, with the part's arguments.

source tests/proof/common.sh
compiler=clang
triple=$(rustc -vV | sed -n 's/^host: //p')

# cargo test with what is instrumented: all that is built for SANITIZER, into a folder of its own. What runs in the
# compiler (build scripts, macros) is not, because a target is named; both sanitizers share it.
test_with() {
    local sanitizer=$1
    shift
    RUSTFLAGS="-Zsanitizer=$sanitizer" CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=line-tables-only cargo +nightly test \
        --target-dir "$target/sanitizers" --target "$triple" "$@"
}

# Builds tests with a sanitizer and, which is part of it, the shared library; lays that into a folder with the name that
# programs ask for.
build() {
    local sanitizer=$1 folder=$target/sanitizers/$1 built=$target/sanitizers/$triple/debug/deps
    # The libraries of both sanitizers have the same names there, and cargo looks only at when they were built.
    [[ ! -e $folder/libmpegclient.a ]] || cp -p "$folder"/libmpegclient.{a,so} "$built"
    test_with "$@" --no-run
    mkdir -p "$folder"
    cp -p "$built"/libmpegclient.{a,so} "$folder"
    library=$folder/libmpegclient.so
    ln -sf libmpegclient.so "$library.0"
    [[ $(nm -D "$library") == *" U __${sanitizer:0:1}san_init"* ]] || fail "the library was built without a sanitizer"
}

# What links a C program with the nightly compiler's own ThreadSanitizer: that of Debian's clang is older than the library
# wants.
thread_runtime() {
    local runtime
    runtime=$(find "$(rustc +nightly --print sysroot)/lib/rustlib/$triple/lib" -name 'librustc-*_rt.tsan.a')
    echo "-rdynamic -Wl,--whole-archive $runtime -Wl,--no-whole-archive -ldl -lm -lrt"
}

# The tests that passed, by the last lines of cargo or pytest.
count_passed() {
    awk '/^test result: / { sum += $4 } /^=* *[0-9]+ passed/ { for (i = 1; i < NF; i++) if ($(i + 1) ~ /^passed/) sum += $i }
         END { print sum + 0 }' "$@"
}
