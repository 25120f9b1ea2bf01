#!/bin/sh
# Goes back to what pre-flight.sh and deploy.sh have kept: the manifests applied before, the ConfigMap, the images. What
# another layout has brought since goes away.
#
# usage: rollback.sh [--dry-run] [--remove]
#
#   --remove   takes away all that deploy.sh brought: the shop, the database's data, the Secret, and the namespace, if
#              that was its doing too
#
# By the environment: NAMESPACE, KUBECTL, TIMEOUT, STATE_DIR.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

remove_all() {
    change delete -f "$STATE_DIR/applied.yaml" --ignore-not-found --wait
    change delete secret "$secret" --ignore-not-found
    change delete persistentvolumeclaim "data-$database_pod" --ignore-not-found
    [ ! -e "$STATE_DIR/namespace-is-ours" ] || change delete namespace "$NAMESPACE" --ignore-not-found --wait
    dry && return
    [ -z "$(deployments)" ] || fail "something is still there: $(deployments | tr '\n' ' ')"
    rm -f "$STATE_DIR/applied.yaml" "$STATE_DIR/previous.yaml" "$STATE_DIR/namespace-is-ours" "$STATE_DIR/config.json" \
        "$STATE_DIR/images"
    say "rolled back: nothing of the shop is left in $NAMESPACE"
}

restore_config() {
    if dry; then
        say "would run: $KUBECTL --namespace $NAMESPACE patch configmap $config, to the data of $STATE_DIR/config.json"
        return
    fi
    printf '[{"op":"replace","path":"/data","value":%s}]' "$(cat "$STATE_DIR/config.json")" >"$scratch/patch"
    kube patch configmap "$config" --type json --patch-file "$scratch/patch"
}

# Deployments that are not there any more are no matter of the images.
restore_images() {
    images_there >"$scratch/images"
    while read -r name image; do
        if grep -q "^$name " "$scratch/images" && ! grep -qxF "$name $image" "$scratch/images"; then
            kube set image "deployment/$name" "$image" </dev/null
        fi
    done <"$STATE_DIR/images"
}

verify() {
    [ "$(kube get configmap "$config" -o 'jsonpath={.data}')" = "$(cat "$STATE_DIR/config.json")" ] ||
        fail "the ConfigMap is not what was kept"
    images_there >"$scratch/images"
    while read -r name image; do
        ! grep -q "^$name " "$scratch/images" || grep -qxF "$name $image" "$scratch/images" ||
            fail "$name does not have its image back"
    done <"$STATE_DIR/images"
}

remove=no
for option in "$@"; do
    if [ "$option" = --remove ]; then
        remove=yes
    else
        common_option "$option" || usage_error "what is '$option'?"
    fi
done
begin "$KUBECTL"
if [ "$remove" = yes ]; then
    if [ ! -e "$STATE_DIR/applied.yaml" ]; then
        say "nothing to remove: deploy.sh has kept nothing in $STATE_DIR"
        exit 0
    fi
    cluster_there
    remove_all
    exit 0
fi
if [ ! -e "$STATE_DIR/config.json" ]; then
    say "nothing to roll back to: pre-flight.sh has kept nothing in $STATE_DIR"
    exit 0
fi
cluster_there
need_shop
[ ! -e "$STATE_DIR/previous.yaml" ] || apply "$STATE_DIR/previous.yaml"
restore_config
dry || restore_images
restart
dry && exit 0
verify
[ ! -e "$STATE_DIR/previous.yaml" ] || mv "$STATE_DIR/previous.yaml" "$STATE_DIR/applied.yaml"
rm -f "$STATE_DIR/config.json" "$STATE_DIR/images"
say "rolled back: settings and images are as they were"
