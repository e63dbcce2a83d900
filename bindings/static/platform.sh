#!/bin/bash
# Prints the platform of a wheel with the self-contained library in it, such as manylinux_2_34_x86_64 (PEP 600): every Linux
# with at least the glibc that the library was linked against, by the newest of its symbols that the library asks for.
#
#   platform.sh LIBRARY
set -euo pipefail
library=${1:?usage: platform.sh LIBRARY}

newest=$(readelf --version-info --wide "$library" | grep -o 'GLIBC_2[.0-9]*' | sort --version-sort | tail -n 1)
[[ -n $newest ]] || { echo "platform.sh: $library asks for no glibc" >&2; exit 1; }
newest=${newest#GLIBC_}
echo "manylinux_${newest//./_}_$(uname -m)"
