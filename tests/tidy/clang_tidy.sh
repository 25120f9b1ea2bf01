#!/bin/bash
# clang-tidy over the program's own files; which checks, and why some are off, stands in .clang-tidy.
# ctest: label=long build=debug timeout=900
set -euo pipefail
build=${DOORBUSTER_BUILD_DIR:-build/debug}
find core actors edges -name '*.c' -print0 | sort -z |
    xargs -0 -r -n 3 -P "$(nproc)" clang-tidy -p "$build" --quiet --warnings-as-errors='*'
