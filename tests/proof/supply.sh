#!/bin/bash
# What the library is made of: licences, duplicates, sources and known vulnerabilities (cargo-deny); the lowest versions of
# its own dependencies that Cargo.toml allows; the oldest Rust that it declares.
#
#   supply.sh [--quick]      --quick checks types where the whole builds and runs the unit tests
set -euo pipefail
cd "$(dirname "$0")/../.."

work=(test --lib) did="built and tested"
[[ ${1:-} != --quick ]] || work=(check --lib) did="checked"
target=$(realpath "${CARGO_TARGET_DIR:-target}")
folder=$target/supply
mkdir -p "$folder"
export CARGO_INCREMENTAL=0

# ---- Licences, duplicates, sources, vulnerabilities ----

deny() { cargo deny --config tests/proof/deny.toml --log-level error "$@"; }

deny check --hide-inclusion-graph licenses bans sources
crates=$(cargo tree --edges normal,build --prefix none --format '{p}' | sed 's/ (\*)$//' | sort -u | wc -l)

# The database of vulnerabilities is fetched from the network, which not every machine has.
if deny fetch db >"$folder/fetch.log" 2>&1; then
    deny check --disable-fetch advisories
    advisories="no known vulnerability"
else
    advisories="vulnerabilities NOT checked (their database cannot be fetched here)"
    echo "$advisories:"
    tail -n 3 "$folder/fetch.log"
fi

# ---- The lowest versions that Cargo.toml allows ----

# In a copy: the lock file stays as it is.
minimal=$folder/minimal
mkdir -p "$minimal"
tar --create --exclude=./target --exclude=./.git . | tar --extract --directory "$minimal"
cargo +nightly update --quiet --manifest-path "$minimal/Cargo.toml" -Z direct-minimal-versions
CARGO_TARGET_DIR=$folder/minimal-target cargo "${work[@]}" --locked --quiet --manifest-path "$minimal/Cargo.toml"
dependencies=$(cargo tree --depth 1 --edges normal --prefix none --format '{p}' | tail -n +2 | wc -l)

# ---- The oldest Rust ----

rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
rustup run "$rust" rustc --version >/dev/null 2>&1 || rustup toolchain install "$rust" --profile minimal
oldest() { CARGO_TARGET_DIR=$folder/rust-$rust cargo "+$rust" "$@" --locked --quiet; }
oldest "${work[@]}"
oldest check --lib --no-default-features

echo "$crates crates in the library: licences, duplicates and sources as allowed, $advisories;" \
    "$did with the lowest versions of its $dependencies direct dependencies and with Rust $rust"
