#!/bin/bash
# The rules of the house that a program can check, over the whole tree. One line a finding: file:line: what.
# ctest: label=tidy build=debug
set -euo pipefail
exec "${PYTHON:-python3}" "$(dirname "$0")/style.py" "$@"
