#!/bin/bash
# `doorbuster compare` on files of real runs: a run equals itself, one split in two, another of its seed; planted
# differences are found, and named; wrong files are told by line.
# usage: DOORBUSTER=build/doorbuster tests/scripts/compare.sh
set -euo pipefail
doorbuster=$(realpath "${DOORBUSTER:-build/doorbuster}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
failures=0

cat >small.yaml <<'YAML'
doorbuster: 1
name: small
story: Half a minute of scripted trouble.
duration: 30s
physics: scripted
streams: {baseline: {journey: browse, rate: 120/min}, demo: {journey: checkout, rate: 120/min}}
phases: [[0m, calm]]
faults:
  - {at: 0m, route_delay: {service: product-catalog, route: GET /products, min: 10ms, max: 300ms}}
  - {at: 10s, route_failures: {service: checkout, route: POST /orders/create, rate: 50%}}
YAML

fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# compares CODE A B: what it says is in ./out and ./err.
compares() {
    local code=0
    "$doorbuster" compare "$2" "$3" >out 2>err || code=$?
    [ "$code" = "$1" ] || fail "exit code $code, not $1: compare $2 $3: $(cat out err)"
}

says() { grep -qF -- "$2" "$1" || fail "$1 does not say: $2, but: $(head -c 500 "$1")"; }

"$doorbuster" simulate small.yaml --seed 7 --start 1000000000 --quiet --traces a.json >/dev/null 2>&1
"$doorbuster" simulate small.yaml --seed 7 --quiet --traces later.json >/dev/null 2>&1
"$doorbuster" simulate small.yaml --seed 8 --quiet --traces other.json >/dev/null 2>&1
lines=$(wc -l <a.json)
[ "$lines" -gt 1 ] || fail "the run is too small to be split"
head -n 1 a.json >first.json
tail -n +2 a.json >rest.json

# ---- equal ----

compares 0 a.json a.json
says out " spans: equal"
compares 0 a.json later.json
compares 0 rest.json,first.json a.json
mkdir spread
split -n r/3 -d a.json spread/
mv spread/00 spread/t.frontend.json
mv spread/01 spread/t.redis.json
mv spread/02 spread/t.redis.2.json
compares 0 a.json spread/t.json # which --processes has written as parts
tac a.json >reversed.json
compares 0 a.json reversed.json
[ ! -s err ] || fail "it says on stderr: $(cat err)"

# ---- planted: the first span of the file has another status, is gone, has another parent ----

"${PYTHON:-python3}" - <<'PYTHON'
import json

def plant(name, change):
    with open("a.json") as file:
        lines = [json.loads(line) for line in file]
    spans = lines[0]["resourceSpans"][0]["scopeSpans"][0]["spans"]
    attributes = {one["key"]: one["value"] for one in lines[0]["resourceSpans"][0]["resource"]["attributes"]}
    span = next(span for span in spans if span.get("parentSpanId"))
    change(spans, span)
    with open(name, "w") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    return span | {"service": attributes["service.name"]["stringValue"]}

def attribute(spans, span):
    for one in span["attributes"]:
        if one["key"] == "http.response.status_code":
            one["value"] = {"intValue": "418"}

def parent(spans, span):
    span["parentSpanId"] = "00000000000000ff"

span = plant("attribute.json", attribute)
plant("missing.json", lambda spans, span: spans.remove(span))
plant("parent.json", parent)
plant("same.json", lambda spans, span: spans.reverse())
with open("planted", "w") as file:
    file.write("\n".join([span["traceId"], span["spanId"], span["name"], span["parentSpanId"], span["service"]]))
PYTHON
mapfile -t planted <planted

compares 0 a.json same.json
compares 99 a.json attribute.json
says out "trace ${planted[0]}"
says out "${planted[4]} ${planted[2]}"
says out "attribute http.response.status_code: 200 -> 418"
says out "different: 1 trace on both sides, 0 only in A, 0 only in B"
compares 99 a.json missing.json
says out "missing span ${planted[1]}: only in A"
compares 99 missing.json a.json
says out "extra span ${planted[1]}: only in B"
compares 99 a.json parent.json
says out "parent: ${planted[3]} ("
says out " -> 00000000000000ff (not in this trace)"
compares 99 a.json other.json
says out ": only in A"
[ "$(grep -c '^trace ' out)" = 5 ] || fail "not five traces are told"

# ---- wrong files, and too few ----

code=0
"$doorbuster" compare a.json >out 2>err || code=$?
[ "$code" = 2 ] || fail "exit code $code, not 2, with one file"
says err "compare wants A B"

compares 2 a.json nowhere.json
says err "nowhere.json: No such file"
{ cat a.json && head -c 1000 a.json; } >cut.json
compares 2 cut.json a.json
says err "cut.json:$((lines + 1)): not JSON"
[ ! -s out ] || fail "it says something of a wrong file on stdout"
"$doorbuster" simulate small.yaml --seed 7 --quiet --metrics metrics.json >/dev/null 2>&1
compares 2 a.json metrics.json
says err "metrics.json:1: expected a list resourceSpans"

[ "$failures" = 0 ] || exit 1
echo "$lines lines compared in every way"
