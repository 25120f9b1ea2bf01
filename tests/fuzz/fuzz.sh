#!/bin/bash
# Runs one fuzzer for 5 s, or for 2 min with DOORBUSTER_LONG=1. A finding prints the input that repeats it.
# Usage: fuzz.sh PROGRAM LEARNED [SEEDS]
set -euo pipefail
program=$1 learned=$2 seeds=${3:-}
seconds=5
[[ -z ${DOORBUSTER_LONG:-} ]] || seconds=120
mkdir -p "$learned"
folders=("$learned")
[[ ! -d $seeds ]] || folders+=("$seeds")
exec "$program" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=512 -print_final_stats=1 \
    -artifact_prefix="$learned/../found-" "${folders[@]}"
