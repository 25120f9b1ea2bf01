#!/bin/bash
# What a run leaves behind for others: the fork's comparison, the answer key, the JUnit cases; each from outside.
# usage: DOORBUSTER=build/doorbuster tests/scripts/telling.sh
set -euo pipefail
doorbuster=$(realpath "${DOORBUSTER:-build/doorbuster}")
python=${PYTHON:-python3}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
export LC_ALL=C.UTF-8
failures=0

# Four minutes: one connection, then none of it matters, for the index comes (in the fork).
cat >small.yaml <<'YAML'
doorbuster: 1
name: small
story: One connection & a crowd, for four minutes.
duration: 4m
streams:
  baseline: {journey: browse, rate: 60/min}
  demo: {journey: checkout, rate: 300/min}
phases: [[0m, calm], [1m, critical]]
services:
  recommendation-service: {pools: {recommendations: {max: 1, acquire_timeout: 1s}}}
postgresql: {products: [[0m, 400000]], scan: 1us}
faults: [{at: 0m, drop_index: idx_products_category}]
alerts:
  - {name: errors, when: {series: demo.errors, over: 1m, above: 5%}}
expect: ["demo.errors: rate>0.05", "demo.errors at 1m: rate<1", "alert errors: fires in 0m..2m"]
YAML

fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

expect() { # CODE COMMAND...
    local code=0
    "${@:2}" >out 2>err || code=$?
    if [ "$code" != "$1" ]; then
        fail "exit code $code, not $1: ${*:2}"
        sed 's/^/    /' err
    fi
}

says() { grep -qF -- "$2" "$1" || fail "$1 does not say: $2"; }
# holds FILE PYTHON: the expression over `it`, the file's JSON.
holds() {
    "$python" -c 'import json, sys; it = json.load(open(sys.argv[1])); assert eval(sys.argv[2]), sys.argv[2]' "$1" "$2" ||
        fail "$1: not so: $2"
}

index='create_index: idx_products_recommendations'

# ---- fork ----

expect 0 "$doorbuster" simulate small.yaml --seed 7 --quiet
mv out alone
expect 0 "$doorbuster" simulate small.yaml --seed 7 --quiet --fork 2m "$index"
head -n "$(wc -l <alone)" out | cmp - alone || fail "the first run's report is not what it is without a fork"
says out "fork at 02:00: $index"
says out "demo: errors from 02:00 on"
expect 0 "$doorbuster" simulate --fork 2m "$index" small.yaml --seed 7 --json
mv out report
holds report 'it["fork"]["at_s"] == 120 and it["fork"]["change"].startswith("create_index")'
holds report 'it["fork"]["streams"]["demo"]["error_rate"]["without"] > 0.3'
holds report 'all(m["error_rate"]["with"] < 0.05 for m in it["fork"]["streams"]["demo"]["minutes"][1:])'
holds report 'it["fork"]["business"]["orders"]["with"] > it["fork"]["business"]["orders"]["without"] == it["business"]["orders"]'
holds report 'it["fork"]["alerts"][0]["fired_at_s"]["with"] == it["fork"]["alerts"][0]["fired_at_s"]["without"]'
holds report 'it["fork"]["alerts"][0]["resolved_at_s"]["with"] is not None'
holds report '[m["minute"] for m in it["fork"]["streams"]["demo"]["minutes"]] == [2, 3]'
expect 0 "$doorbuster" simulate small.yaml --seed 7 --json --quiet --fork 2m "$index"
cmp out report || fail "the same fork twice gives other bytes"
expect 0 "$doorbuster" simulate small.yaml --seed 7 --json --fork 0m services.recommendation-service.pools.recommendations.max=20
holds out 'it["fork"]["streams"]["demo"]["errors"]["with"] == 0'
# The exit code is the first run's own.
expect 99 "$doorbuster" simulate small.yaml --seed 7 --quiet --fork 0m 'faults=[]' --set 'expect.0="demo.errors: rate<0.01"'
expect 2 "$doorbuster" simulate small.yaml --fork 2m postgresql.cores=16
says err "a setting holds for the whole run, so its instant is 0m"
expect 2 "$doorbuster" simulate small.yaml --fork 2m 'create_index: idx_nowhere'
says err "create_index: expected a known index, found \`idx_nowhere\`"
expect 2 "$doorbuster" simulate small.yaml --fork 5m "$index"
says err "expected an instant within the duration"
expect 2 "$doorbuster" simulate small.yaml --fork 2m
expect 2 "$doorbuster" simulate small.yaml --fork soon "$index"
expect 2 "$doorbuster" run small.yaml --fork 2m "$index"
expect 104 "$doorbuster" simulate nosuch.yaml --fork 2m "$index"

# ---- answer key ----

expect 0 "$doorbuster" simulate small.yaml --seed 7 --quiet --answer-key key --traces traces --report report
holds key 'it["answer_key"] == 1 and it["scenario"] == "small" and it["seed"] == 7'
holds key 'it["root_cause"]["kind"] == "missing_index" and it["root_cause"]["target"] == "idx_products_recommendations"'
holds key 'it["root_cause"]["service"] == "recommendation-service"'
holds key 'it["healing"][0]["fault"] == "create_index: idx_products_recommendations"'
holds key 'it["expected_alerts"][0]["expected"] == "fires" and it["expected_alerts"][0]["window"]["to_s"] == 120'
holds key 'sorted(e["at_s"] for e in it["timeline"]) == [e["at_s"] for e in it["timeline"]]'
# What only warms up is not judged, here as in the report.
expect 0 "$doorbuster" simulate small.yaml --seed 7 --quiet --from 2m --answer-key late
holds late 'it["first_bad_span"]["failed_at_s"] >= 120'
holds late 'all(e["at_s"] >= 120 for e in it["timeline"] if e["event"] == "first_error")'
# The first bad span is in the traces, is an error, and nothing that ended before it is.
"$python" - <<'PYTHON' || fail "the first bad span is not the first bad span of the traces"
import json
key = json.load(open("key"))["first_bad_span"]
bad = []
for line in open("traces"):
    for resource in json.loads(line)["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            bad += [s for s in scope["spans"] if s.get("status", {}).get("code") == 2]
first = min(int(s["endTimeUnixNano"]) for s in bad)
mine = [s for s in bad if s["spanId"] == key["span_id"]]
assert len(mine) == 1 and mine[0]["traceId"] == key["trace_id"] and mine[0]["name"] == key["name"]
assert int(mine[0]["endTimeUnixNano"]) == first
assert not [s for s in bad if s.get("parentSpanId") == key["span_id"]]
PYTHON
"$python" - <<'PYTHON' || fail "the key and the report do not agree"
import json
key, report = json.load(open("key")), json.load(open("report"))
for service in key["blast_radius"]:
    assert service["error_spans"] >= service["requests_failed"], service
front = next(s for s in key["blast_radius"] if s["service"] == "frontend")
assert front["requests_failed"] == sum(s["errors"] for s in report["streams"].values())
PYTHON
mv key first
expect 0 "$doorbuster" simulate small.yaml --seed 7 --quiet --answer-key - --fork 1m "$index"
cmp out first || fail "the answer key is not the same a second time"
# What the key prescribes heals.
remedy=$("$python" -c 'import json; print(json.load(open("first"))["healing"][0]["fault"])')
expect 0 "$doorbuster" simulate small.yaml --seed 7 --json --fork 2m "$remedy"
holds out 'it["fork"]["streams"]["demo"]["minutes"][-1]["error_rate"]["with"] < 0.05'

# ---- JUnit ----

expect 99 "$doorbuster" simulate small.yaml --seed 7 --quiet --junit cases --set 'expect.0="demo.errors: rate<0.01"' \
    --set 'faults.+={at: 3m, read_replicas: 2}' --set 'expect.+="demo.latency at 1m: p(95)<1h"'
"$python" - cases <<'PYTHON' || fail "the JUnit file is not what its readers take"
import sys
import xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
assert root.tag == "testsuites" and [child.tag for child in root] == ["testsuite"]
suite = root[0]
allowed = {"testsuite": {"name", "tests", "failures", "errors", "skipped"}, "testcase": {"classname", "name"},
           "failure": {"type", "message"}, "skipped": {"message"}, "property": {"name", "value"}, "properties": set()}
for element in suite.iter():
    assert set(element.attrib) <= allowed[element.tag], (element.tag, element.attrib)
cases = suite.findall("testcase")
assert len(cases) == int(suite.get("tests")) == int(root.get("tests")) == 6
assert len(suite.findall("testcase/failure")) == int(suite.get("failures"))
assert len(suite.findall("testcase/skipped")) == int(suite.get("skipped"))
assert all(case.get("classname") == suite.get("name") == "small" for case in cases)
assert len({case.get("name") for case in cases}) == len(cases)
failed = [case for case in cases if case.find("failure") is not None]
assert "demo.errors: rate<0.01" in [case.get("name") for case in failed]
assert failed[0].find("failure").get("message").startswith("expected demo.errors: rate<0.01, found ")
PYTHON
expect 0 "$doorbuster" simulate small.yaml --seed 7 --quiet --junit cases --from 3m
"$python" -c 'import xml.etree.ElementTree as t; s = t.parse("cases").getroot()[0]; assert int(s.get("skipped")) > 0' ||
    fail "what was not played is not skipped"
expect 2 "$doorbuster" simulate small.yaml --junit same --answer-key same
expect 2 "$doorbuster" simulate small.yaml --junit - --answer-key -
for option in --junit --answer-key; do
    expect 1 "$doorbuster" simulate small.yaml --quiet "$option" /dev/full
    says err "/dev/full: cannot write"
done

[ "$failures" = 0 ] || { echo "$failures failed"; exit 1; }
echo "all as it should be"
