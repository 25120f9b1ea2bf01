#!/bin/bash
# docs/picture.py makes a well-formed picture of whatever report it gets: a whole run, an interrupted or empty one.
# usage: DOORBUSTER=build/doorbuster tests/scripts/picture.sh
set -euo pipefail
doorbuster=$(realpath "${DOORBUSTER:-build/doorbuster}")
python=${PYTHON:-python3}
root=$(realpath "$(dirname "$0")/../..")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

picture() { "$python" "$root/docs/picture.py" "$1"; }
well_formed() { "$python" -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$1"; }

"$doorbuster" simulate "$root/scenarios/black-friday-v5.yaml" --seed 7 --quiet --report report >/dev/null 2>&1 || [ $? = 99 ]
picture report >one.svg
picture - <report >other.svg
cmp one.svg other.svg
well_formed one.svg
for said in black-friday-v5 "seed 7" checkout-collapse "demo " "baseline 0 %" prefers-color-scheme; do
    grep -qF "$said" one.svg || { echo "FAILED: the picture does not say: $said"; exit 1; }
done

"$doorbuster" simulate "$root/scenarios/black-friday-v5.yaml" --seed 7 --quiet --json --set duration=1m \
    --set streams.demo.table=[] --set streams.baseline.table=[] --set alerts=[] --set expect=[] \
    --set 'phases=[[0m, a<b>&c]]' --set 'postgresql.products=[[0m, 9]]' --set 'streams.demo.rate=[[30s, 10/min]]' >short
picture short >short.svg
well_formed short.svg

echo '{"report": 2}' >later
if picture later >out 2>err; then echo "FAILED: a report of another version is taken"; exit 1; fi
echo "all as it should be"
