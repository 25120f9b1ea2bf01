#!/bin/bash
# The habits and exit codes of the command line, each tried from outside.
# usage: DOORBUSTER=build/doorbuster tests/scripts/cli.sh
set -euo pipefail
doorbuster=$(realpath "${DOORBUSTER:-build/doorbuster}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
export LC_ALL=C.UTF-8
unset NO_COLOR DOORBUSTER_SCENARIOS
failures=0

# Two minutes in which one connection is asked for far more than it carries.
mkdir scenarios
cat >scenarios/small.yaml <<'YAML'
doorbuster: 1
name: small
story: One connection, and a crowd – for two minutes.
duration: 2m
streams:
  baseline: {journey: browse, rate: 60/min, table: [0m, 1m]}
  demo: {journey: checkout, rate: 300/min, table: [0m, 1m]}
phases: [[0m, calm], [1m, critical]]
services:
  recommendation-service: {pools: {recommendations: {max: 1, acquire_timeout: 1s}}}
postgresql: {products: [[0m, 400000]], scan: 1us}
faults: [{at: 0m, drop_index: idx_products_category}]
expect: ["demo.errors: rate>0.05"]
YAML
small=scenarios/small.yaml

fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# expect CODE COMMAND...: runs it; what it says is in ./out and ./err.
expect() {
    local code=0
    "${@:2}" >out 2>err || code=$?
    if [ "$code" != "$1" ]; then
        fail "exit code $code, not $1: ${*:2}"
        sed 's/^/    /' err
    fi
}

says() { grep -qF -- "$2" "$1" || fail "$1 does not say: $2"; }
lacks() { if grep -qF -- "$2" "$1"; then fail "$1 says: $2"; fi; }
empty() { [ ! -s "$1" ] || fail "$1 is not empty: $(head -c 200 "$1")"; }
is_json() { "${PYTHON:-python3}" -c 'import json, sys; json.load(open(sys.argv[1]))' "$1" || fail "$1 is not JSON"; }
last() { tail -n 1 "$1" | grep -qF -- "$2" || fail "the last line of $1 is not: $2"; }

# ---- help, version, what is unknown ----

expect 0 "$doorbuster" --help
says out "doorbuster simulate"
says out "104"
empty err
for verb in simulate check scenarios compare export version; do
    expect 0 "$doorbuster" "$verb" --help
    says out "Usage: doorbuster $verb"
    sed -n 4,5p out | grep -q "  doorbuster $verb\|  DOORBUSTER" || fail "$verb --help does not begin with an example"
    [ "$(wc -L <out)" -le 80 ] || fail "$verb --help is wider than 80 columns"
    empty err
done
expect 0 "$doorbuster" version
says out "doorbuster "
for library in h2o hiredis jansson libcurl libev libpq libuv libyaml msgpack protobuf-c zlib; do
    grep -qE "^$library [0-9]+\.[0-9]" out || fail "version does not tell that of $library"
done
expect 0 "$doorbuster" version --json
is_json out
expect 2 "$doorbuster"
says err "Usage: doorbuster"
empty out
expect 2 "$doorbuster" simulat x
says err "did you mean simulate?"
expect 2 "$doorbuster" simulate "$small" --repotr x
says err "unknown option --repotr; did you mean --report?"
empty out
for later in --speed=10 --listen=:1 --only=frontend; do
    expect 2 "$doorbuster" simulate "$small" "$later"
    says err "unknown option ${later%%=*}"
done
expect 2 "$doorbuster" compare "$small"
expect 2 "$doorbuster" simulate
expect 2 "$doorbuster" simulate "$small" "$small"
expect 2 "$doorbuster" simulate "$small" --seed x
expect 2 "$doorbuster" simulate "$small" --start yesterday
expect 2 "$doorbuster" simulate "$small" --set duration
expect 2 "$doorbuster" version --seed 1

# ---- scenarios ----

expect 0 "$doorbuster" scenarios
says out "small"
says out "One connection, and a crowd"
expect 0 "$doorbuster" simulate small --quiet
mkdir elsewhere
sed 's/name: small/name: mine/' "$small" >elsewhere/mine.yaml
expect 0 env DOORBUSTER_SCENARIOS=/nowhere:elsewhere "$doorbuster" scenarios
grep -q '^mine ' out || fail "DOORBUSTER_SCENARIOS is not searched"
expect 0 env DOORBUSTER_SCENARIOS=elsewhere "$doorbuster" check mine
expect 104 "$doorbuster" simulate smal
says err "Did you mean small?"
expect 104 "$doorbuster" simulate no/such.yaml
says err "no/such.yaml:1:1:"
sed 's/rate: 60/rate: -60/' "$small" >bad.yaml
expect 104 "$doorbuster" simulate bad.yaml
says err "bad.yaml:6:"
empty out
expect 104 "$doorbuster" simulate "$small" --set streams.demo.rat=1/min
expect 0 "$doorbuster" check "$small"
says out "$small: ok"
expect 104 "$doorbuster" check "$small" bad.yaml
says out "$small: ok"
says err "bad.yaml:6:"

# ---- the report ----

expect 0 "$doorbuster" simulate "$small" --seed 7
says out "small · seed 7 · 2m in virtual time"
says out "█"
says out "cause: "
last out "cause: "
lacks out $'\e'
lacks err $'\e'
says err "of wall time"
expect 0 "$doorbuster" simulate "$small" --seed 7 --quiet
empty err
expect 0 env LC_ALL=C "$doorbuster" simulate "$small" --seed 7 --quiet
if LC_ALL=C grep -q '[^ -~]' out; then fail "not ASCII under LC_ALL=C"; fi
expect 0 "$doorbuster" simulate "$small"
grep -q 'seed [0-9]' out || fail "a random seed is not printed"
expect 0 "$doorbuster" simulate "$small" --json
is_json out
grep -q '^seed [0-9]' err || fail "--json: the seed is not on stderr"
expect 0 "$doorbuster" simulate "$small" --json --seed 7
mv out first
expect 0 "$doorbuster" simulate "$small" --json --seed 7 --quiet
empty err
cmp first out || fail "two reports of one seed differ"
expect 0 "$doorbuster" simulate "$small" --seed 7 --report report --quiet
cmp first report || fail "--report and --json differ"
expect 0 "$doorbuster" simulate "$small" --seed 7 --report -
cmp first out || fail "--report - and --json differ"
says err "cause: "
expect 0 "$doorbuster" simulate "$small" --seed 8 --json
if cmp -s first out; then fail "two seeds, one report"; fi

expect 99 "$doorbuster" simulate "$small" --seed 7 --set 'expect.0="demo.errors: rate<0.01"'
says out "FAILED  demo.errors: rate<0.01"
last err "repeat: doorbuster simulate $small --seed 7 --set 'expect.0=\"demo.errors: rate<0.01\"'"
eval "set -- $(tail -n 1 err | sed 's/^repeat: doorbuster //')"
mv out first
expect 99 "$doorbuster" "$@"
cmp first out || fail "the repeat line does not repeat the run"

# An index that is back before anyone looks for it: the run proves nothing.
expect 99 "$doorbuster" simulate "$small" --seed 7 --set \
    'faults=[{at: 1s, drop_index: idx_products_stock_quantity}, {at: 2s, create_index: idx_products_stock_quantity}]'
says out "create_index idx_products_stock_quantity: DID NOT LAND"

# ---- colour and progress, on a terminal and off ----

on_terminal() { script -qec "$*" /dev/null </dev/null >out 2>&1 || fail "on a terminal: $*"; }
if command -v script >/dev/null; then
    export TERM=xterm
    on_terminal "$doorbuster" simulate "$small"
    says out $'\e[31m'
    NO_COLOR=1 on_terminal "$doorbuster" simulate "$small"
    lacks out $'\e['
    TERM=dumb on_terminal "$doorbuster" simulate "$small"
    lacks out $'\e'
    on_terminal "$doorbuster" simulate "$small" --quiet --set duration=900m --set "'postgresql.products=[[0m,100]]'" \
        --set "'expect.0=\"baseline.errors:rate<1\"'" --set faults=[]
    lacks out $'\r\e'
    on_terminal "$doorbuster" simulate "$small" --set duration=900m --set "'expect.0=\"baseline.errors:rate<1\"'"
    says out $'\r\e[?7l'
fi

# ---- files ----

expect 0 "$doorbuster" simulate "$small" --quiet --traces t --metrics m --logs l --start 2026-11-27T22:47:00Z
for file in t m l; do
    [ -s "$file" ] || fail "--$file wrote nothing"
    head -n 1 "$file" >line
    is_json line
done
grep -q '"startTimeUnixNano":"179581962[0-9]' t || fail "--start is not the first instant" # 22:47:00 to 22:47:09
expect 0 "$doorbuster" simulate "$small" --quiet --traces -
head -n 1 out >line
is_json line
empty err
expect 2 "$doorbuster" simulate "$small" --report nowhere/report
says err "--report nowhere/report: No such file or directory"
expect 2 "$doorbuster" simulate "$small" --report .
expect 2 "$doorbuster" simulate "$small" --report same --traces same
expect 2 "$doorbuster" simulate "$small" --report - --traces -
for option in --report --traces --metrics --logs --junit --answer-key; do
    expect 1 "$doorbuster" simulate "$small" --quiet "$option" /dev/full
    says err "/dev/full: cannot write: No space left on device"
done
to_full() { "$@" >/dev/full; }
to_closed() { "$@" >&-; }
to_nobody() { "$@" | true; return "${PIPESTATUS[0]}"; }
for bad in to_full to_closed; do
    expect 1 "$bad" "$doorbuster" simulate "$small" --quiet
    says err "cannot write: "
    expect 1 "$bad" "$doorbuster" simulate "$small" --json
    expect 1 "$bad" "$doorbuster" scenarios
    expect 1 "$bad" "$doorbuster" version
    expect 1 "$bad" "$doorbuster" --help
done
expect 1 to_nobody "$doorbuster" simulate "$small" --quiet --traces -
says err "Broken pipe"

# ---- interrupted ----

interrupt() { # SIGNAL: of a run that would take minutes; it has begun once it has said its seed
    local code=0
    mkfifo said
    "$doorbuster" simulate "$small" --set duration=1440m --set streams.baseline.rate=60000/min --json >out 2>said &
    local pid=$!
    exec 3<said
    read -r _ <&3
    kill -"$1" "$pid"
    cat <&3 >err
    wait "$pid" || code=$?
    exec 3<&-
    rm said
    [ "$code" = 105 ] || fail "SIG$1: exit code $code, not 105"
    is_json out
    says out '"interrupted_at_s"'
    last err "repeat: doorbuster simulate"
}
interrupt INT
interrupt TERM

[ "$failures" = 0 ] || { echo "$failures failed"; exit 1; }
echo "all as it should be"
