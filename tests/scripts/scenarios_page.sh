#!/bin/bash
# docs/scenarios.md is what the scenarios come to today. DOORBUSTER_WRITE=1 writes it anew; its diff is for a person.
# usage: DOORBUSTER=build/doorbuster tests/scripts/scenarios_page.sh
set -euo pipefail
doorbuster=$(realpath "${DOORBUSTER:-build/doorbuster}")
root=$(realpath "$(dirname "$0")/../..")
page=$root/docs/scenarios.md
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"${PYTHON:-python3}" "$root/docs/scenarios.py" "$doorbuster" >"$scratch/page"
for scenario in "$root"/scenarios/*.yaml; do
    grep -qx "## $(basename "$scenario" .yaml)" "$scratch/page" || { echo "FAILED: $scenario is not told"; exit 1; }
done
if [ "${DOORBUSTER_WRITE:-}" = 1 ]; then
    cp "$scratch/page" "$page"
    echo "wrote $page"
    exit
fi
if ! diff -u "$page" "$scratch/page" >"$scratch/diff"; then
    head -n 40 "$scratch/diff"
    echo "FAILED: docs/scenarios.md is stale; write it anew with make docs, and read the difference"
    exit 1
fi
echo "all as it should be"
