#!/bin/bash
# No script, with or without .sh in its name, gives shellcheck a reason to speak.
# ctest: label=tidy build=debug
set -euo pipefail
"${PYTHON:-python3}" tests/tidy/style.py --files |
    xargs -0 -r grep -lzZE --binary-files=text '^#!/bin/(ba|da)?sh|^#!/usr/bin/env (ba|da)?sh' |
    xargs -0 -r shellcheck --format=gcc
