#!/bin/sh
# Looks whether the shop does what it should: every service is healthy, a baseline and a demo request go through the
# frontend, the statistics are within limits, no telemetry is lost.
#
# usage: validate.sh [--dry-run] [--traces FILE] [--wait MINUTES]
#
#   --traces FILE    a file written by --traces: every parent of its spans must be there
#   --wait MINUTES   then waits, and shows what the observability backend should have by then
#
# By the environment: NAMESPACE, KUBECTL, DIRECT, DOORBUSTER_ADMIN_TOKEN;
#   BASELINE_ERRORS_MAX   errors of the baseline in percent (1)
#   BASELINE_RPM_MIN, BASELINE_RPM_MAX   its rate (50, 200)
#   REQUESTS_WAIT         seconds to wait for its first requests (30)
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

BASELINE_ERRORS_MAX=${BASELINE_ERRORS_MAX:-1}
BASELINE_RPM_MIN=${BASELINE_RPM_MIN:-50}
BASELINE_RPM_MAX=${BASELINE_RPM_MAX:-200}
REQUESTS_WAIT=${REQUESTS_WAIT:-30}

failures=0
good() { say "ok       $*"; }
bad() {
    say "FAILED   $*"
    failures=$((failures + 1))
}

check_health() {
    # shellcheck disable=SC2086 # one word each
    reach $services || :
    for entry in $services; do
        http GET "$entry" /health
        if [ "$status" = 200 ] && [ "$(json_field service "$answer")" = "${entry%%:*}" ]; then
            good "${entry%%:*} is healthy"
        else
            bad "${entry%%:*} is not healthy: $status $answer"
        fi
    done
}

check_requests() {
    http POST frontend:8018 /api/browse '{"user_id":"user-validate"}'
    if [ "$status" = 200 ] && [ "$(json_field status "$answer")" = success ]; then
        good "a baseline request: browsed"
    else
        bad "a baseline request: $status $answer"
    fi
    http POST frontend:8018 /api/checkout '{"user_id":"user-validate"}'
    case $status in
    200) good "a demo request: bought" ;;
    503)
        # While the incident burns an order may be lost; with the reason that the story has for it.
        reason=$(json_field reason "$answer")
        if [ "$reason" = "Product recommendations unavailable" ]; then
            good "a demo request: lost to the incident"
        else
            bad "a demo request: 503 $answer"
        fi
        ;;
    *) bad "a demo request: $status $answer" ;;
    esac
}

check_statistics() {
    waited=0
    while :; do
        http GET load-generator:8010 /admin/traffic-stats
        case $status in
        200) ;;
        401 | 403)
            bad "the admin token is not the shop's: $answer"
            return
            ;;
        *)
            bad "no statistics: $status $answer"
            return
            ;;
        esac
        baseline=$(json_part baseline "$answer")
        requests=$(json_field requests "$baseline")
        if [ "${requests:-0}" != 0 ] || [ "$waited" -ge "$REQUESTS_WAIT" ]; then break; fi
        waited=$((waited + 1))
        nap 1
    done
    rpm=$(json_field rpm "$baseline")
    rate=$(json_field error_rate "$baseline")
    if [ "${requests:-0}" = 0 ]; then
        bad "no baseline request has ended in $waited s"
    elif more "${rate%\%}" "$BASELINE_ERRORS_MAX"; then
        bad "the baseline has $rate errors, at most $BASELINE_ERRORS_MAX % are good"
    else
        good "$requests baseline requests, $rate errors"
    fi
    if more "$BASELINE_RPM_MIN" "$rpm" || more "$rpm" "$BASELINE_RPM_MAX"; then
        bad "the baseline flows at $rpm/min; $BASELINE_RPM_MIN to $BASELINE_RPM_MAX are good"
    else
        good "the baseline flows at $rpm/min"
    fi
    demo=$(json_part demo "$answer")
    say "         the demo: minute $(json_field demo_minute "$demo"), $(json_field requests "$demo") requests, $(json_field error_rate "$demo") errors"
}

# A trace is whole where none of its spans was lost on the way.
check_export() {
    http GET load-generator:8010 /metrics
    exported=$(printf '%s\n' "$answer" | awk '/^otel_sdk_exporter_span_exported_total/ && !/error_type/ { n += $NF } END { print n + 0 }')
    lost=$(printf '%s\n' "$answer" | awk '/^otel_sdk_(exporter|processor)_span_.*error_type/ { n += $NF } END { print n + 0 }')
    if [ "$status" != 200 ]; then
        bad "no metrics: $status"
    elif ! printf '%s\n' "$answer" | grep -q '^otel_sdk_'; then
        say "         no telemetry is exported"
    elif [ "$lost" = 0 ]; then
        good "$exported spans exported, none lost"
    else
        bad "$lost spans lost, $exported exported"
    fi
}

check_traces() {
    [ -r "$1" ] || {
        bad "cannot read $1"
        return
    }
    # Spans in the order of their fields; a link names a span of another trace, which may be elsewhere.
    found=$(grep -o '"\(traceId\|spanId\|parentSpanId\)":"[0-9a-f]*"' "$1" | tr -d '"' | awk -F: '
        $1 == "traceId" { trace = $2 }
        $1 == "spanId" { known[trace, $2] = 1; spans++ }
        $1 == "parentSpanId" && $2 != "" { wanted[trace, $2] = 1 }
        END {
            for (parent in wanted) if (!(parent in known)) missing++
            print spans + 0, missing + 0
        }')
    if [ "${found%% *}" = 0 ]; then
        bad "no spans in $1"
    elif [ "${found##* }" = 0 ]; then
        good "${found%% *} spans in $1, every parent is there"
    else
        bad "${found##* } parents are missing of the ${found%% *} spans in $1"
    fi
}

checklist() {
    say "to be seen in the backend:"
    for line in "all eleven services on the service map, with postgresql and redis behind them" \
        "traces of checkouts 8 levels deep, from load-generator to the query" \
        "traffic.type splits the frontend's requests: baseline green, demo red from minute 5 on" \
        "recommendation-service: waits for the pool, full scans, 'Slow query detected: missing index' among the logs" \
        "alerts: the error budget burns fast around minute 8"; do
        say "  [ ] $line"
    done
}

traces=
wait_minutes=
while [ $# -gt 0 ]; do
    case $1 in
    --traces | --wait)
        [ $# -ge 2 ] || usage_error "$1 wants a value"
        if [ "$1" = --traces ]; then traces=$2; else wait_minutes=$2; fi
        shift
        ;;
    *) common_option "$1" || usage_error "what is '$1'?" ;;
    esac
    shift
done
case $wait_minutes in *[!0-9]*) usage_error "--wait is '$wait_minutes', not a whole number" ;; esac

if [ -n "$DIRECT" ]; then
    begin curl awk
else
    begin "$KUBECTL" curl awk
    cluster_there
fi
if dry; then
    for entry in $services; do say "would ask: GET ${entry%%:*} /health"; done
    say "would ask: POST frontend /api/browse, POST frontend /api/checkout"
    say "would ask: GET load-generator /admin/traffic-stats, GET load-generator /metrics"
    [ -z "$traces" ] || say "would read: $traces"
    [ -z "$wait_minutes" ] || say "would wait: $wait_minutes minutes, then show what the backend should have"
    exit 0
fi
[ -n "$DIRECT" ] || need_shop
check_health
check_requests
check_statistics
check_export
[ -z "$traces" ] || check_traces "$traces"
if [ -n "$wait_minutes" ]; then
    say "waiting $wait_minutes minutes for the backend"
    sleep $((wait_minutes * 60))
    checklist
fi
[ "$failures" -eq 0 ] || fail "$failures of these"
say "valid"
