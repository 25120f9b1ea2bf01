#!/bin/bash
# clang-format has nothing to change.
# ctest: label=tidy build=debug
set -euo pipefail
"${PYTHON:-python3}" tests/tidy/style.py --files | grep -zE '\.(c|h|cpp)$' |
    xargs -0 -r clang-format --dry-run --Werror
