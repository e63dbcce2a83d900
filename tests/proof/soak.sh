#!/bin/bash
# Endurance: 16 streams with scripted faults, read in four languages, judged by memory, descriptors, times and clocks.
#
#   soak.sh [--quick]      MINUTES=10 says how long; --quick takes two minutes
set -euo pipefail
cd "$(dirname "$0")/../.."

target=$(realpath "${CARGO_TARGET_DIR:-target}")
exec "$target/venv/bin/python" -B tests/soak --minutes "${MINUTES:-10}" "$@"
