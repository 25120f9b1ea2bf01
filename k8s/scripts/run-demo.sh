#!/bin/sh
# Plays the incident, from pre-flight to the end: shows the timeline, sets the demo's clock in the ConfigMap, restarts the
# shop, and tells how it goes until it is over. At the end, and on Ctrl-C, the demo is stopped and only the baseline
# flows again.
#
# usage: run-demo.sh [--dry-run] [--no-pre-flight]
#
# By the environment: NAMESPACE, KUBECTL, TIMEOUT, STATE_DIR, DOORBUSTER_ADMIN_TOKEN;
#   DURATION_MINUTES   how long (the scenario's own duration)
#   BASE_RPM, PEAK_RPM the demo's lowest and highest rate (the scenario's own)
#   START_IN           seconds from now to its first minute, for the restart (30)
#   EVERY              seconds between two lines of status (5)
#   ANSWER_WAIT        seconds in which the load generator must answer after the restart (30)
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

START_IN=${START_IN:-30}
EVERY=${EVERY:-5}
ANSWER_WAIT=${ANSWER_WAIT:-30}
BASE_RPM=${BASE_RPM:-}
PEAK_RPM=${PEAK_RPM:-}
admin=load-generator:8010
changed=no

pre_flight=yes
for option in "$@"; do
    if [ "$option" = --no-pre-flight ]; then
        pre_flight=no
    else
        common_option "$option" || usage_error "what is '$option'?"
    fi
done
for number in START_IN EVERY ANSWER_WAIT BASE_RPM PEAK_RPM DURATION_MINUTES; do
    eval "value=\${$number:-}"
    # shellcheck disable=SC2154 # eval has set it
    case $value in *[!0-9]*) usage_error "$number is '$value', not a whole number" ;; esac
done

# Back to the baseline: else the next start of a pod would go on with a demo of the past.
at_end() {
    [ "$changed" = yes ] || return 0
    changed=no
    say ""
    say "back to the baseline"
    http POST "$admin" /admin/stop-demo '{}'
    # Ctrl-C has ended the way to it as well: once more, by a new one.
    [ "$status" != 000 ] || http POST "$admin" /admin/stop-demo '{}'
    if ! set_config DEMO_MODE=off DEMO_START_TIMESTAMP= DEMO_DURATION_MINUTES= DEMO_BASE_RPM= DEMO_PEAK_RPM= >/dev/null; then
        warn "the ConfigMap $config still has the demo's clock: set DEMO_MODE=off and restart the Deployments"
        return 1
    fi
    if ! restart >/dev/null; then
        warn "the Deployments did not restart: they still have the demo's clock"
        return 1
    fi
}

# With the clock in the ConfigMap it starts by itself; if it has not, it is told to.
start_demo() {
    until [ "$(now)" -ge "$start" ]; do nap 1; done
    tries=0
    while :; do
        http GET "$admin" /admin/demo-status
        [ "$status" != 200 ] || [ "$(json_field running "$answer")" != true ] || return 0
        if [ "$status" = 200 ]; then
            body="{\"scenario\":\"blackfriday\",\"duration_minutes\":$minutes${PEAK_RPM:+,\"peak_rpm\":$PEAK_RPM}}"
            http POST "$admin" /admin/start-demo "$body"
            case $status in
            200 | 409) return 0 ;;
            4*) fail "start-demo is refused: $answer" ;;
            esac
        fi
        tries=$((tries + 1))
        [ "$tries" -lt "$ANSWER_WAIT" ] || fail "the load generator does not answer: $status $answer"
        nap 1
    done
}

tell_status() {
    http GET "$admin" /admin/demo-status
    case $status in
    200) ;;
    401 | 403) fail "the admin token is not the shop's: $answer" ;;
    *)
        warn "no status just now ($status)"
        return 0
        ;;
    esac
    if [ "$(json_field running "$answer")" != true ]; then
        say "the demo has ended"
        return 1
    fi
    line=$(printf 'minute %s  %s  %s/min  %s %% errors  %s of %s checkouts lost' \
        "$(json_field elapsed_minutes "$answer")" "$(json_field phase "$answer")" "$(json_field current_rpm "$answer")" \
        "$(awk -v e="$(json_field current_error_rate "$answer")" 'BEGIN { printf "%.1f", e * 100 }')" \
        "$(json_field checkouts_failed "$answer")" "$(json_field checkouts_attempted "$answer")")
    if [ -t 1 ]; then
        printf '\r\033[K%s' "$line"
    else
        say "$line"
    fi
}

begin "$KUBECTL" curl awk
if [ "$pre_flight" = yes ]; then
    if dry; then
        sh "$here/pre-flight.sh" --dry-run
    else
        sh "$here/pre-flight.sh"
    fi
fi
need_shop
scenario=$(dry || config_value SCENARIO)
minutes=${DURATION_MINUTES:-$(duration_of "$scenario")}
start=$(($(now) + START_IN))
timeline "${scenario:-the scenario}" "$start" "$minutes"

changed=yes
if dry; then changed=no; fi
set_config DEMO_MODE=blackfriday "DEMO_START_TIMESTAMP=$start" "DEMO_DURATION_MINUTES=${DURATION_MINUTES:-}" \
    "DEMO_BASE_RPM=$BASE_RPM" "DEMO_PEAK_RPM=$PEAK_RPM"
restart
if dry; then
    say "would ask: POST /admin/start-demo, if it has not started by then"
    say "would tell: GET /admin/demo-status, every $EVERY s for $minutes minutes"
    say "at the end, and on Ctrl-C, would ask: POST /admin/stop-demo"
    set_config DEMO_MODE=off DEMO_START_TIMESTAMP= DEMO_DURATION_MINUTES= DEMO_BASE_RPM= DEMO_PEAK_RPM=
    restart
    exit 0
fi
start_demo
end=$((start + minutes * 60))
while [ "$(now)" -lt "$end" ] && tell_status; do
    nap "$EVERY"
done
