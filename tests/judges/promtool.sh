#!/bin/bash
# What `export --promtool` writes, before Prometheus' own promtool: it agrees with the run on every alert of every
# scenario, and disagrees as soon as a threshold is another. And rules of a user's own: `simulate --rules`.
# usage: DOORBUSTER=build/doorbuster tests/judges/promtool.sh
set -euo pipefail
doorbuster=$(realpath "${DOORBUSTER:-build/doorbuster}")
source=${DOORBUSTER_SOURCE:-$PWD}
python=${PYTHON:-python3}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export LC_ALL=C.UTF-8
failures=0

if ! command -v promtool >/dev/null; then
    echo "SKIPPED: no promtool here (apt-get install prometheus)"
    exit 0
fi

fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# export_run FOLDER SCENARIO OPTION...
export_run() {
    "$doorbuster" export --promtool "$scratch/$1" --quiet "${@:2}" >"$scratch/out" 2>&1 || {
        fail "export of ${*:2}"
        cat "$scratch/out"
    }
}

# judge FOLDER: promtool's own exit code; what it says is in ./said.
judge() { promtool test rules "$scratch/$1/test.yaml" >"$scratch/said" 2>&1; }

agrees() {
    judge "$1" || {
        fail "$2: promtool disagrees"
        head -n 30 "$scratch/said"
    }
    local bytes
    bytes=$(stat -c %s "$scratch/$1/test.yaml")
    [ "$bytes" -lt 4000000 ] || fail "$2: test.yaml has $bytes bytes"
}

# ---- each scenario, and each kind of condition ----

for scenario in "$source"/scenarios/*.yaml; do
    name=$(basename "$scenario" .yaml)
    export_run "$name" "$scenario" --seed 1
    agrees "$name" "$name"
    promtool check rules "$scratch/$name/rules.yaml" >"$scratch/said" 2>&1 || fail "$name: $(cat "$scratch/said")"
done
conditions=$source/tests/judges/conditions.yaml
for seed in 1 2 3; do
    export_run conditions "$conditions" --seed "$seed"
    agrees conditions "conditions, seed $seed"
done
fired=$(grep -B 3 exp_annotations "$scratch/conditions/test.yaml" | grep alertname: | sort -u | wc -l)
[ "$fired" -ge 20 ] || fail "only $fired kinds of conditions fire"
export_run past black-friday-v5 --seed 1 --history 2h
agrees past "with a past of 2 h"

# ---- what it writes is a matter of the seed ----

export_run again "$conditions" --seed 3
cmp "$scratch/conditions/test.yaml" "$scratch/again/test.yaml" || fail "one seed, two files"

# ---- another threshold is found out ----

flagship=$scratch/black-friday-v5
cp "$flagship/rules.yaml" "$scratch/rules"
edits=('s/bool 0\.75/bool 0.8/' 's/bool 0\.75/bool 0.6/' 's/bool 0\.7)/bool 0.9)/' 's/bool 41/bool 61/' 's/bool 6)/bool 16)/'
    's/> 6 \*/> 12 */g' 's/> 14\.4 \*/> 20 */g' 's/== 1$/== 2/')
for edit in "${edits[@]}"; do
    sed "$edit" "$scratch/rules" >"$flagship/rules.yaml"
    if cmp -s "$scratch/rules" "$flagship/rules.yaml"; then fail "nothing to edit: $edit"; fi
    if judge black-friday-v5; then fail "promtool has nothing against $edit"; fi
done
cp "$scratch/rules" "$flagship/rules.yaml"
agrees black-friday-v5 "as it was"

# ---- rules of one's own ----

# try CODE FILE OPTION...: what it says is in ./out and ./err.
mkdir "$scratch/tmp"
try() {
    local code=0
    TMPDIR=$scratch/tmp "$doorbuster" simulate "$source/scenarios/black-friday-v5.yaml" --seed 1 --quiet \
        --rules "$scratch/$2" "${@:3}" >"$scratch/out" 2>"$scratch/err" || code=$?
    [ "$code" = "$1" ] || {
        fail "--rules $2: exit code $code, not $1"
        head -n 20 "$scratch/err"
    }
    if compgen -G "$scratch/tmp/*"; then fail "--rules $2 leaves something behind"; fi
}
says() { grep -qE -- "$2" "$scratch/$1" || fail "$1 does not say: $2"; }

# The scenario's alerts, as rules, fire when the scenario's alerts fire.
cp "$scratch/rules" "$scratch/own.yaml"
try 0 own.yaml --json
"$python" - "$scratch/out" <<'PYTHON' || fail "rules and alerts differ"
import json, sys
report = json.load(open(sys.argv[1]))
alerts, rules = ({a["name"]: (a["fired_at_s"], a["resolved_at_s"]) for a in report[key]} for key in ("alerts", "rules"))
assert alerts == rules and len(rules) == 3, (alerts, rules)
PYTHON

cat >"$scratch/mine.yaml" <<'YAML'
groups:
  - name: mine
    rules:
      - &late
        alert: FrontendErrors
        expr: sum by (job) (rate(http_server_request_duration_seconds_count{http_response_status_code="503"}[1m])) > 5
        for: 2m
        labels: {severity: page}
        annotations: {summary: "{{ $labels.job }} fails"}
      - alert: 'A "full" pool, \ é'
        expr: db_client_connection_pending_requests > 10
      - alert: Never
        expr: vector(0) > 1
      - alert: Once
        expr: changes(db_client_connections[1m]) > 3
      - alert: Jobs
        expr: count(count by (job) ({__name__="target_info"})) < 11
YAML
cat >>"$scratch/mine.yaml" <<'YAML'
      - {alert: "Two\nlines \u00a0 \u200b \U0001F6D2 \x01", expr: vector(1)}
YAML
try 0 mine.yaml --json
"$python" - "$scratch/out" <<'PYTHON' || fail "a name that promtool writes with escapes"
import json, sys
rules = {a["name"]: a["firings"] for a in json.load(open(sys.argv[1]))["rules"]}
assert rules["Two\nlines \u00a0 \u200b \U0001F6D2 \x01"] == 1 and len(rules) == 6, rules
PYTHON
try 0 mine.yaml
says out '^your rules$'
says out '^  FrontendErrors +fired 0[0-9]:[0-9]{2}$'
says out '^  A "full" pool, \\ é +fired 0[0-9]:[0-9]{2}$'
says out '^  Never +did not fire$'
says out '^  Once +fired [0-9:]+, resolved [0-9:]+'
says out '^  Jobs +did not fire$'

sed 's/> 10/> > 10/' "$scratch/mine.yaml" >"$scratch/wrong.yaml"
try 104 wrong.yaml
says err 'could not parse expression'
says err 'wrong.yaml: promtool refuses it$'
[ ! -s "$scratch/out" ] || fail "wrong rules are tried"
cat >"$scratch/clash.yaml" <<'YAML'
groups:
  - name: clash
    rules:
      - alert: Clash
        expr: db_client_connections / on (job) db_client_connections > 1
YAML
try 104 clash.yaml
says err 'many-to-many|duplicate series'
says err 'clash.yaml: promtool could not try it$'
# crowd N FILE: as many alerts, each of which fires for every service.
crowd() {
    {
        printf 'groups: [{name: crowd, rules: ['
        for ((i = 1; i <= $1; i++)); do printf '{alert: A%d, expr: target_info},' "$i"; done
        printf ']}]\n'
    } >"$scratch/$2"
}
crowd 400 crowd.yaml # more than promtool answers for at once: that is no "did not fire"
try 104 crowd.yaml
says err 'crowd.yaml: promtool could not try it$'
crowd 1001 many.yaml
try 104 many.yaml
says err 'many.yaml: expected at most 1000 alerts'
try 2 no-such.yaml
says err 'no-such.yaml: No such file or directory'
head -c 1100000 /dev/zero | tr '\0' '#' >"$scratch/large.yaml"
try 2 large.yaml
says err 'large.yaml: File too large'
mkdir "$scratch/empty"
PATH=$scratch/empty:/nowhere try 69 mine.yaml
says err 'needs promtool, which is not on PATH'

mkdir "$scratch/broken" "$scratch/slow"
ln -s /dev/null "$scratch/broken/promtool"
PATH=$scratch/broken:/nowhere try 69 mine.yaml
says err 'mine.yaml: promtool could not check it$'
# A file may be called like an option.
cp "$scratch/mine.yaml" "$scratch/--lint=all"
code=0
(cd "$scratch" && "$doorbuster" simulate "$conditions" --seed 1 --quiet --rules=--lint=all >out 2>err) || code=$?
[ "$code" = 0 ] || fail "a file called --lint=all: exit code $code: $(cat "$scratch/err")"

# A signal ends promtool too, and nothing stays.
cat >"$scratch/slow/promtool" <<'SH'
#!/bin/bash
[ "$1" = test ] || exit 0
mkdir -p "$TMPDIR/of its own/storage"
echo $$ >"${BASH_SOURCE%/*}/pid"
exec sleep 60
SH
chmod +x "$scratch/slow/promtool"
PATH=$scratch/slow:$PATH TMPDIR=$scratch/tmp "$doorbuster" simulate "$conditions" --seed 1 --quiet \
    --rules "$scratch/mine.yaml" >"$scratch/out" 2>"$scratch/err" &
for _ in {1..300}; do
    [ ! -s "$scratch/slow/pid" ] || break
    sleep 0.1
done
kill -TERM $!
code=0
wait $! || code=$?
[ "$code" = 105 ] || fail "interrupted while promtool works: exit code $code, not 105"
if kill -0 "$(cat "$scratch/slow/pid")" 2>/dev/null; then fail "promtool goes on"; fi
if compgen -G "$scratch/tmp/*"; then fail "something is left behind"; fi

# ---- the command line of export ----

expect() {
    local code=0
    "$doorbuster" export "${@:2}" >"$scratch/out" 2>"$scratch/err" || code=$?
    [ "$code" = "$1" ] || fail "export ${*:2}: exit code $code, not $1"
}
expect 0 --promtool "$scratch/said here" "$conditions" --seed 1
says out "^try: promtool test rules '.*/said here'/test.yaml$"
expect 2 "$conditions"
says err 'wants --promtool DIR'
expect 2 --promtool "$scratch/no/such" "$conditions"
expect 2 --promtool "$scratch/rules" "$conditions"
says err 'Not a directory'
expect 104 --promtool "$scratch/x" no-such-scenario
expect 104 --promtool "$scratch/x" "$source/tests/live/via.yaml"
says err 'expected mailbox in virtual time'
[ ! -e "$scratch/x" ] || fail "a folder for a scenario that cannot be played"

[ "$failures" = 0 ] || {
    echo "$failures failed"
    exit 1
}
echo "promtool agrees with $(find "$source/scenarios" -name '*.yaml' | wc -l) scenarios and every kind of condition"
