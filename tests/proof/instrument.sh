#!/bin/bash
# Stands before rustc for the crates of this package (RUSTC_WORKSPACE_WRAPPER) and has them count which lines and branches
# run. The counters lie in their file while the program runs, so that one that is killed has counted too.
exec "$@" -C instrument-coverage -Z coverage-options=branch -C llvm-args=-runtime-counter-relocation
