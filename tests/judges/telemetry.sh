#!/bin/bash
# What a run of the incident writes, before the official protos, the conventions' names and the rules of trees.
set -euo pipefail
source=${DOORBUSTER_SOURCE:-$PWD}
judges=$source/tests/judges
python=${PYTHON:-python3}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

[[ -d $judges/node_modules ]] || { echo "the judges are not installed: .ci/install judges && .ci/install-judges"; exit 1; }
"$DOORBUSTER" simulate "$judges/incident.yaml" --seed 1 --start 2025-11-28T00:00:00Z --quiet --json \
    --traces "$scratch/traces" --metrics "$scratch/metrics" --logs "$scratch/logs" >"$scratch/report.json"

status=0
"$python" "$judges/tree_judge.py" "$scratch/traces" --min-depth 8 --min-services 10 || status=1
# A strict reading takes 70 ms a line: each 10th line is enough to see every place that spans come from.
"$python" "$judges/otlp_judge.py" "$scratch/traces" --signal traces --every 10 || status=1
"$python" "$judges/otlp_judge.py" "$scratch/metrics" --signal metrics || status=1
"$python" "$judges/otlp_judge.py" "$scratch/logs" --signal logs || status=1
node "$judges/names.mjs" "$scratch/traces" "$scratch/metrics" "$scratch/logs" || status=1
exit $status
