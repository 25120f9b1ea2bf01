#!/bin/bash
# doctor: what it finds on a machine that is fit, and on one that is not.
# usage: DOORBUSTER=build/doorbuster tests/scripts/doctor.sh
set -euo pipefail
doorbuster=$(realpath "${DOORBUSTER:-build/doorbuster}")
export DOORBUSTER=$doorbuster
source=$(realpath "${DOORBUSTER_SOURCE:-$PWD}")
python=${PYTHON:-python3}

# Ports are this test's own in a namespace with nothing but loopback.
if [ -z "${DOORBUSTER_TEST_NAMESPACE:-}" ]; then
    for unshare in -n -rn; do
        if unshare $unshare ip link set lo up 2>/dev/null; then
            DOORBUSTER_TEST_NAMESPACE=1 exec unshare $unshare bash "$(realpath "$0")"
        fi
    done
    echo "SKIPPED: no network namespace can be made here (unshare -n)"
    exit 0
fi
ip link set lo up
scratch=$(mktemp -d)
children=()
trap 'kill "${children[@]}" 2>/dev/null || true; rm -rf "$scratch"' EXIT
cd "$scratch"
export LC_ALL=C.UTF-8
for name in $(compgen -e | grep -E '^(OTEL_|DEMO_|BASELINE_|DB_MAX_)' || true); do unset "$name"; done
failures=0

fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# expect CODE ARGUMENTS...: doctor with them; what it says is in ./out and ./err.
expect() {
    local code=0
    "$doorbuster" doctor "${@:2}" >out 2>err || code=$?
    [ "$code" = "$1" ] || { fail "exit code $code, not $1: doctor ${*:2}"; sed 's/^/    /' out err; }
    [ ! -s err ] || fail "stderr of doctor ${*:2}: $(cat err)"
}

says() { grep -qE -- "$1" out || { fail "it does not say: $1"; sed 's/^/    /' out; }; }
lacks() { if grep -qE -- "$1" out; then fail "it says: $1"; fi; }

# listen PORT [STATUS]: takes the port; with a status it answers each request with it. Back when it listens.
listen() {
    rm -f listening
    "$python" - "$@" >listening 2>&1 <<'PYTHON' &
import http.server, socket, sys, time
class Answer(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(int(sys.argv[2]))
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *words):
        pass
address = ("127.0.0.1", int(sys.argv[1]))
server = http.server.ThreadingHTTPServer(address, Answer) if len(sys.argv) > 2 else socket.create_server(address)
print("listening", flush=True)
server.serve_forever() if len(sys.argv) > 2 else time.sleep(600)
PYTHON
    listener=$!
    children+=("$listener")
    until grep -qs listening listening; do kill -0 "$listener" || { cat listening; exit 1; }; done
}

hang_up() {
    kill "$listener"
    wait "$listener" || true
}

# ---- a fit machine ----

expect 0
says '^skipped +scenario +none was given$'
says '^skipped +otlp +no endpoint is set$'
says '^skipped +postgresql +modelled, in this process$'
says '^skipped +redis +modelled, in this process$'
says '^ok +clock +CLOCK_MONOTONIC: resolution [0-9]+ ns$'
says '^(ok|warning) +clock +100 timer wake-ups: late by p50 [0-9]+ us, p99 [0-9]+ us'
says '^ok +open files +'
says '^ok +port +frontend on 127.0.0.1 port 8018$'
[ "$(grep -c '^ok  *port ' out)" = 11 ] || fail "not eleven services: $(cat out)"
lacks '^failed'
expect 0 "$source/scenarios/black-friday-v5.yaml" --listen 0.0.0.0
says '^ok +scenario +.*black-friday-v5.yaml loads$'
says '^ok +port +frontend on 0.0.0.0 port 8018$'
expect 0 --quiet
lacks '^(ok|skipped)'

# ---- JSON ----

expect 0 --json
"$python" - <<'PYTHON' || fail "the JSON form"
import json
report = json.load(open("out"))
assert report["exit_code"] == 0 and len(report["checks"]) >= 17, report
for check in report["checks"]:
    assert set(check) - {"mend"} == {"check", "state", "tried"}, check
    assert check["state"] in ("ok", "skipped", "warning"), check
    assert ("mend" in check) == (check["state"] == "warning"), check
PYTHON

# ---- ports ----

listen 8014
expect 106
says '^failed +port +product-catalog on 127.0.0.1 port 8014: Address already in use$'
says "^ +end what holds it \(.ss -ltnp 'sport = :8014'. names it\)$"
[ "$(grep -c '^failed' out)" = 1 ] || fail "more than one failed: $(cat out)"
expect 106 --listen 0.0.0.0
expect 0 --listen 127.0.0.2
expect 106 --json
"$python" -c 'import json; r = json.load(open("out")); assert r["exit_code"] == 106
assert [c["check"] for c in r["checks"] if c["state"] == "failed"] == ["port"]' || fail "the JSON form of a failure"
hang_up
expect 0
expect 106 --listen 203.0.113.1
says '^failed +port +.* on 203.0.113.1 port .*: Cannot assign requested address$'
[ "$(grep -c '^failed' out)" = 1 ] || fail "the same thing said more than once: $(cat out)"
code=0
"$doorbuster" doctor --listen not-an-address >out 2>err || code=$?
[ "$code" = 2 ] || fail "exit code $code, not 2: doctor --listen not-an-address"

# ---- the OTLP endpoint ----

expect 69 --otlp http://127.0.0.1:4318
says '^failed +otlp +an empty request to http://127.0.0.1:4318/v1/traces: .*connect'
[ "$(grep -c '^failed' out)" = 3 ] || fail "not each signal: $(cat out)"
export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318
expect 69
export OTEL_SDK_DISABLED=true
expect 0
unset OTEL_SDK_DISABLED
for status in "200 0 ok" "400 0 ok" "401 69 failed" "404 69 failed" "415 69 failed" "429 0 warning" "503 0 warning" "500 69 failed"; do
    read -r answer code state <<<"$status"
    listen 4318 "$answer"
    expect "$code"
    says "^$state +otlp +an empty request to http://127.0.0.1:4318/v1/logs: HTTP $answer\$"
    hang_up
done
listen 4318
expect 69 --otlp http://127.0.0.1:4318 # takes the connection and never answers
says '^failed +otlp .*timed out'
hang_up
unset OTEL_EXPORTER_OTLP_ENDPOINT
expect 2 --otlp gopher://127.0.0.1
says '^failed +otlp +--otlp=gopher'
lacks 'doorbuster: '

# ---- scenario and environment ----

expect 104 nothing-of-the-kind
says '^failed +scenario +nothing-of-the-kind'
expect 104 "$source/scenarios/black-friday-v5.yaml" --set duration=0
DEMO_MODE=maybe expect 2
says '^failed +scenario +DEMO_MODE=maybe: expected off or blackfriday$'
DEMO_BASE_RPM=5000 DEMO_PEAK_RPM=10 expect 2 "$source/scenarios/black-friday-v5.yaml"
says '^failed +scenario +DEMO_BASE_RPM, DEMO_PEAK_RPM'

# ---- descriptors ----

(ulimit -n 300 && expect 0 && says '^warning +open files' && [ "$failures" = 0 ]) || failures=$((failures + 1))
(ulimit -n 100 && expect 69 && says '^failed +open files' && [ "$failures" = 0 ]) || failures=$((failures + 1))

[ "$failures" = 0 ] || exit 1
echo "doctor: all as it should be"
