# shellcheck shell=sh
# What the scripts here share; to be sourced, with `here` set to this folder. POSIX sh, with curl beside kubectl.
#
#   NAMESPACE   where the shop is (ecommerce-demo)
#   KUBECTL     how to call kubectl; may be two words, as in "k3s kubectl" (kubectl)
#   DIRECT      a host on which the shop's ports are; then HTTP goes there, without kubectl (compose, podman, a laptop)
#   TIMEOUT     how long a rollout may take (300s)
#   STATE_DIR   what rollback.sh needs, a folder a namespace (~/.local/state/doorbuster/NAMESPACE)
#   DOORBUSTER_ADMIN_TOKEN   for the admin routes; without it, what the Secret says
#
# With --dry-run nothing is asked of the cluster or the shop, and nothing is changed: what would be run is printed.
# Exit codes: 0, 1 something failed, 2 usage, 130 and 143 interrupted; psql's own where a file of sql/ fails.
#
# sh has no variables of a function's own: those of the functions here are way, to, looks, why, patch, pair, names, name, token,
# tool, option, minute, phase, and the results status and answer.
set -eu

NAMESPACE=${NAMESPACE:-ecommerce-demo}
KUBECTL=${KUBECTL:-kubectl}
DIRECT=${DIRECT:-}
TIMEOUT=${TIMEOUT:-300s}
STATE_DIR=${STATE_DIR:-${XDG_STATE_HOME:-$HOME/.local/state}/doorbuster/$NAMESPACE}

config=ecommerce-config
secret=ecommerce-secrets
database_pod=postgresql-primary-0
program_pods='app.kubernetes.io/component in (service,store)'
services='load-generator:8010 recommendation-service:8011 ad-service:8012 cart-service:8013 product-catalog:8014
currency-service:8015 checkout:8016 payment-service:8017 frontend:8018 shipping-service:8019 inventory-service:8020'
sql=$here/../../sql
scenarios=$here/../../scenarios

dry_run=no
scratch=
forwards=

say() { printf '%s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
fail() {
    printf 'failed: %s\n' "$*" >&2
    exit 1
}
usage_error() {
    printf '%s: %s; see --help\n' "$(basename "$0")" "$*" >&2
    exit 2
}

# The comment at the head of the script is its help.
help() {
    sed -n -e '1d' -e '/^#/!q' -e 's/^# \{0,1\}//p' "$0"
    exit 0
}

# For options that all scripts have. True: it was one.
common_option() {
    case $1 in
    --dry-run) dry_run=yes ;;
    -h | --help) help ;;
    *) return 1 ;;
    esac
}

only_common_options() {
    for option in "$@"; do
        common_option "$option" || usage_error "what is '$option'?"
    done
}

dry() { [ "$dry_run" = yes ]; }

# ---- begin and end ----

# Ends what runs beside, whatever ends the script. `at_end` may be defined again by a script that has more to do.
at_end() { :; }
leave() {
    code=$?
    trap - EXIT
    trap : INT TERM # not '', which what is started from here on would inherit
    at_end || code=1
    release
    [ -z "$scratch" ] || rm -rf "$scratch"
    exit "$code"
}

begin() {
    umask 077
    if ! dry; then
        for tool in "$@"; do
            command -v "${tool%% *}" >/dev/null 2>&1 || fail "${tool%% *} is not here"
        done
    fi
    scratch=$(mktemp -d)
    trap leave EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

# ---- kubectl ----

kube() {
    # shellcheck disable=SC2086 # may be two words
    $KUBECTL --namespace "$NAMESPACE" "$@"
}

# What changes something, or has to be seen in a dry run.
run() {
    if dry; then
        say "would run: $*"
    else
        "$@"
    fi
}
change() {
    if dry; then
        say "would run: $KUBECTL --namespace $NAMESPACE $*"
    else
        kube "$@"
    fi
}

cluster_there() {
    if dry; then
        say "would run: $KUBECTL version"
        return
    fi
    # shellcheck disable=SC2086
    $KUBECTL version --request-timeout=10s >/dev/null 2>"$scratch/error" ||
        fail "no cluster answers $KUBECTL: $(tail -n 1 "$scratch/error")"
}

config_value() { kube get configmap "$config" -o "jsonpath={.data.$1}"; }

# The Deployments of the program, one name a line: `doorbuster`, or one a service.
deployments() { kube get deployments -l "$program_pods" -o 'jsonpath={range .items[*]}{.metadata.name}{"\n"}{end}'; }

# Every Deployment, its container and its image, one a line.
images_there() {
    kube get deployments -o 'jsonpath={range .items[*]}{.metadata.name} {.spec.template.spec.containers[0].name}={.spec.template.spec.containers[0].image}{"\n"}{end}'
}

# apply FILE: and takes away what another layout had.
apply() {
    change apply --prune -l app.kubernetes.io/part-of=ecommerce-demo --prune-allowlist=apps/v1/Deployment \
        --prune-allowlist=core/v1/Service --prune-allowlist=networking.k8s.io/v1/NetworkPolicy \
        --prune-allowlist=autoscaling/v2/HorizontalPodAutoscaler --prune-allowlist=policy/v1/PodDisruptionBudget -f "$1"
}

need_shop() {
    dry && return
    kube get configmap "$config" >/dev/null 2>&1 || fail "there is no shop in namespace $NAMESPACE; deploy.sh puts it there"
}

set_config() { # set_config KEY=VALUE...
    patch=
    for pair in "$@"; do
        patch="$patch${patch:+,}\"${pair%%=*}\":\"${pair#*=}\""
    done
    change patch configmap "$config" --type merge -p "{\"data\":{$patch}}"
}

# Both say by their exit codes alone how it went, so that they can stand behind an `if`, which turns `set -e` off.
wait_for_rollouts() {
    change rollout status statefulset/postgresql-primary "--timeout=$TIMEOUT" || return 1
    names=NAME
    if ! dry; then names="redis-primary $(deployments)" || return 1; fi
    for name in $names; do
        change rollout status "deployment/$name" "--timeout=$TIMEOUT" || return 1
    done
}

# Processes read their settings when they start.
restart() { change rollout restart deployment -l "$program_pods" && wait_for_rollouts; }

psql_file() { # psql_file FILE: carried out in the database's pod
    if dry; then
        say "would run: $KUBECTL --namespace $NAMESPACE exec -i $database_pod -- psql < $(basename "$1")"
        return
    fi
    # shellcheck disable=SC2016 # the pod's own variables
    kube exec -i "$database_pod" -- sh -c 'exec psql -X -q -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB"' <"$1"
}

psql_value() { # psql_value QUERY: its one value
    # shellcheck disable=SC2016
    printf '%s\n' "$1" |
        kube exec -i "$database_pod" -- sh -c 'exec psql -X -q -A -t -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB"'
}

# ---- what rollback.sh needs ----

# Keeps the settings and images as they are. What was kept before stays: it is from before the incident.
save_state() {
    if dry; then
        say "would keep: ConfigMap $config and the images, in $STATE_DIR"
        return
    fi
    if [ -e "$STATE_DIR/config.json" ]; then
        say "kept before, and left as it is: $STATE_DIR"
        return
    fi
    mkdir -p "$STATE_DIR"
    images_there >"$STATE_DIR/images"
    kube get configmap "$config" -o 'jsonpath={.data}' >"$STATE_DIR/config.json.new"
    mv "$STATE_DIR/config.json.new" "$STATE_DIR/config.json"
    say "kept for rollback.sh: $STATE_DIR"
}

# ---- HTTP ----

nap() { sleep "$1" 2>/dev/null || sleep 1; } # a fraction of a second where sleep knows any

# reach SERVICE:PORT...: opens ways to them; url_of says where they are.
reach() {
    [ -z "$DIRECT" ] || return 0
    for way in "$@"; do
        to=${way%%:*}
        [ ! -e "$scratch/forward.$to" ] || continue
        # In a function of its own the shell would be what is killed, not kubectl.
        # shellcheck disable=SC2086
        $KUBECTL --namespace "$NAMESPACE" port-forward "service/$to" ":${way##*:}" >"$scratch/forward.$to" 2>&1 &
        echo "$!" >"$scratch/pid.$to"
        forwards="$forwards $!"
    done
    for way in "$@"; do
        to=${way%%:*}
        looks=0
        while [ -z "$(forwarded "$to")" ]; do
            looks=$((looks + 1))
            if [ "$looks" -gt 100 ] || ! kill -0 "$(cat "$scratch/pid.$to")" 2>/dev/null; then
                why=$(tail -n 1 "$scratch/forward.$to")
                unreach "$to"
                warn "no way to $to: $why"
                return 1
            fi
            nap 0.1
        done
    done
}

forwarded() { sed -n 's/^Forwarding from 127\.0\.0\.1:\([0-9]*\) .*/\1/p' "$scratch/forward.$1" 2>/dev/null | head -n 1; }

unreach() {
    [ -e "$scratch/pid.$1" ] || return 0
    kill "$(cat "$scratch/pid.$1")" 2>/dev/null || true
    rm -f "$scratch/pid.$1" "$scratch/forward.$1"
}

release() {
    for forward in $forwards; do
        kill "$forward" 2>/dev/null || true
        wait "$forward" 2>/dev/null || true
    done
    forwards=
}

url_of() { # url_of SERVICE:PORT
    if [ -n "$DIRECT" ]; then
        say "http://$DIRECT:${1##*:}"
    else
        say "http://127.0.0.1:$(forwarded "${1%%:*}")"
    fi
}

# The token goes into a file, for a list of processes shows what is on a command line.
admin_header() {
    [ ! -e "$scratch/header" ] || return 0
    token=${DOORBUSTER_ADMIN_TOKEN:-}
    if [ -z "$token" ] && [ -z "$DIRECT" ]; then
        token=$(kube get secret "$secret" -o 'jsonpath={.data.admin-token}' | base64 -d) || token=
    fi
    if [ -n "$token" ]; then
        printf 'Authorization: Bearer %s\n' "$token" >"$scratch/header"
    else
        : >"$scratch/header"
    fi
}

# http METHOD SERVICE:PORT PATH [BODY]: the answer's body in `answer`, its code in `status` (000: none came).
http() {
    admin_header
    reach "$2" || {
        status=000 answer=
        return 0
    }
    status=$(curl -s -o "$scratch/answer" -w '%{http_code}' --max-time 15 -X "$1" -H 'Content-Type: application/json' \
        -H "@$scratch/header" ${4+--data "$4"} "$(url_of "$2")$3") || status=000
    answer=$(cat "$scratch/answer" 2>/dev/null) || answer=
    rm -f "$scratch/answer"
    [ "$status" != 000 ] || unreach "${2%%:*}" # a pod that went takes its way with it
}

# json_field NAME TEXT: the first field of that name, without quotes; nested: json_part first.
json_field() { printf '%s' "$2" | sed -n "s/.*\"$1\":\"\{0,1\}\([^,\"}]*\).*/\1/p"; }
json_part() { printf '%s' "$2" | sed -n "s/.*\"$1\":{\([^}]*\)}.*/\1/p"; }

# more A B: whether A > B, with decimals.
more() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a + 0 > b + 0) }'; }

# ---- time ----

now() { date +%s; }
clock() { date -d "@$1" +%H:%M:%S 2>/dev/null || date -r "$1" +%H:%M:%S; } # GNU and busybox, or BSD

# timeline SCENARIO START MINUTES: its phases by the clock.
timeline() {
    say "timeline of $1:"
    [ -r "$scenarios/$1.yaml" ] || {
        say "  $(clock "$2") begins, $(clock $(($2 + $3 * 60))) ends"
        return
    }
    sed -n 's/^phases: //p' "$scenarios/$1.yaml" | tr '[' '\n' | sed -n 's/^\([0-9]*\)m, \([a-z_-]*\)\].*/\1 \2/p' |
        while read -r minute phase; do
            [ "$minute" -ge "$3" ] || printf '  %s  minute %2d  %s\n' "$(clock $(($2 + minute * 60)))" "$minute" "$phase"
        done
    printf '  %s  minute %2d  end\n' "$(clock $(($2 + $3 * 60)))" "$3"
}

# duration_of SCENARIO: in minutes
duration_of() {
    minutes=$(sed -n 's/^duration: \([0-9]*\)m.*/\1/p' "$scenarios/$1.yaml" 2>/dev/null) || minutes=
    say "${minutes:-30}"
}
