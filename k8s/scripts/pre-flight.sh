#!/bin/sh
# Looks whether a demo can begin: the cluster answers, all pods are ready, PostgreSQL accepts connections, somebody
# takes the telemetry. Keeps the ConfigMap and the images for rollback.sh, and shows the timeline.
#
# usage: pre-flight.sh [--dry-run]
#
# By the environment: NAMESPACE, KUBECTL, STATE_DIR; DURATION_MINUTES and START (unix seconds) of the timeline shown.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

failures=0
good() { say "ok       $*"; }
bad() {
    say "FAILED   $*"
    failures=$((failures + 1))
}
doubtful() { say "warning  $*"; }

pods_ready() {
    kube get deployments,statefulsets -o \
        'jsonpath={range .items[*]}{.metadata.name} {.spec.replicas} {.status.readyReplicas}{"\n"}{end}' >"$scratch/ready"
    [ -n "$(deployments)" ] || bad "no pod of the shop here; deploy.sh puts them there"
    while read -r name wanted ready; do
        if [ "${ready:-0}" = "$wanted" ]; then
            good "$name: $wanted ready"
        else
            bad "$name: ${ready:-0} of $wanted ready"
        fi
    done <"$scratch/ready"
}

database_accepts() {
    # shellcheck disable=SC2016 # the pod's own variables
    if kube exec "$database_pod" -- sh -c 'exec pg_isready -q -h 127.0.0.1 -U "$POSTGRES_USER" -d "$POSTGRES_DB"' 2>"$scratch/error"; then
        good "PostgreSQL accepts connections"
    else
        bad "PostgreSQL does not accept connections: $(tail -n 1 "$scratch/error")"
    fi
}

# http://NAME.NAMESPACE[...]:PORT is a Service of this cluster; of others nothing can be said from here.
collector_there() {
    endpoint=$(config_value OTEL_EXPORTER_OTLP_ENDPOINT)
    host=${endpoint#*://}
    host=${host%%[:/]*}
    case $host in
    '')
        doubtful "OTEL_EXPORTER_OTLP_ENDPOINT is empty: no telemetry leaves"
        return
        ;;
    *.*.*.* | *.com | *.net | *.org | *.io | *.dev)
        case $host in
        *.svc | *.svc.*) ;;
        *)
            good "telemetry goes to $endpoint, outside of this cluster: not looked at"
            return
            ;;
        esac
        ;;
    esac
    rest=${host#*.}
    space=${rest%%.*}
    [ "$rest" != "$host" ] || space=$NAMESPACE
    # shellcheck disable=SC2086
    if $KUBECTL --namespace "$space" get service "${host%%.*}" >/dev/null 2>&1; then
        good "the collector's Service ${host%%.*} is in $space"
    else
        doubtful "no Service ${host%%.*} in $space: telemetry for $endpoint will be lost"
    fi
}

only_common_options "$@"
begin "$KUBECTL"
cluster_there
if dry; then
    say "would look at: the pods, PostgreSQL in $database_pod, the collector's Service"
    save_state
    exit 0
fi
good "the cluster answers"
need_shop
pods_ready
database_accepts
collector_there
save_state
timeline "$(config_value SCENARIO)" "${START:-$(now)}" "${DURATION_MINUTES:-$(duration_of "$(config_value SCENARIO)")}"
[ "$failures" -eq 0 ] || fail "$failures of these; the demo would not tell its story"
