#!/bin/sh
# Builds the image, brings it to the cluster, applies an overlay and waits until all of it runs. Makes the Secret, with
# random values, where there is none. Can be run again, also to change the layout.
#
# usage: deploy.sh [--dry-run] [--no-build] [collapsed|spread]
#
#   collapsed    the whole shop in one pod (the default)
#   spread       one pod a service
#   --no-build   the image is where the cluster finds it
#
# By the environment: NAMESPACE, KUBECTL, TIMEOUT, STATE_DIR;
#   IMAGE      name and version of the image (doorbuster:0.1.0)
#   REGISTRY   where to push it, as in registry.example:5000/shop; without one it is imported into K3s on this machine
#   BUILDER    docker, podman or buildah (the first that is here)
#   K3S        how to call k3s, as in "sudo k3s" (k3s)
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

IMAGE=${IMAGE:-doorbuster:0.1.0}
REGISTRY=${REGISTRY:-}
K3S=${K3S:-k3s}
BUILDER=${BUILDER:-}

layout=collapsed
build=yes
for option in "$@"; do
    case $option in
    collapsed | spread) layout=$option ;;
    --no-build) build=no ;;
    *) common_option "$option" || usage_error "what is '$option'?" ;;
    esac
done
case $IMAGE in
*:latest | *: | *@*) usage_error "IMAGE is '$IMAGE'; it needs a version, as in doorbuster:0.1.0" ;;
*:*) ;;
*) usage_error "IMAGE is '$IMAGE'; it needs a version, as in doorbuster:0.1.0" ;;
esac
# As the cluster calls it: without a registry containerd looks for it under this name.
reference=${REGISTRY:-docker.io/library}/$IMAGE

find_builder() {
    for candidate in docker podman buildah; do
        if [ -z "$BUILDER" ] && command -v "$candidate" >/dev/null 2>&1; then
            BUILDER=$candidate
        fi
    done
    if [ -z "$BUILDER" ]; then
        dry || fail "neither docker nor podman nor buildah is here; --no-build, if the image is built elsewhere"
        BUILDER=docker
    fi
}

bring_image() {
    commit=$(git -C "$here" rev-parse --short=12 HEAD 2>/dev/null) || commit=unknown
    run "$BUILDER" build -f "$here/../Dockerfile" -t "$reference" --build-arg "COMMIT=$commit" "$here/../.."
    if [ -n "$REGISTRY" ]; then
        run "$BUILDER" push "$reference"
        return
    fi
    if dry; then
        say "would run: $BUILDER save $reference | $K3S ctr images import -"
        return
    fi
    # In two steps, as a pipe hides that its first half failed.
    case $BUILDER in
    *buildah) "$BUILDER" push "$reference" "docker-archive:$scratch/image.tar:$reference" ;;
    *) "$BUILDER" save -o "$scratch/image.tar" "$reference" ;;
    esac
    # shellcheck disable=SC2086 # may be two words
    $K3S ctr images import "$scratch/image.tar"
    rm -f "$scratch/image.tar"
}

random_word() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

make_secret() {
    if dry; then
        say "would make: Secret $secret with random postgresql-password, redis-password and admin-token, if there is none"
        return
    fi
    ! kube get secret "$secret" >/dev/null 2>&1 || return 0
    if kube get persistentvolumeclaim "data-$database_pod" >/dev/null 2>&1; then
        fail "there is a database with a password from before (claim data-$database_pod), but no Secret $secret: bring it back, or delete the claim and its data"
    fi
    mkdir "$scratch/secret"
    for key in postgresql-password redis-password admin-token; do
        random_word >"$scratch/secret/$key"
    done
    kube create secret generic "$secret" --from-file="$scratch/secret"
    rm -r "$scratch/secret"
}

# The overlay in this namespace and with this image, as an overlay of its own.
render() {
    mkdir "$scratch/tree"
    cp -R "$here/../base" "$here/../pod" "$here/../one-process" "$here/../process-a-service" "$here/../overlays" "$scratch/tree"
    cat >"$scratch/tree/kustomization.yaml" <<END
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: $NAMESPACE
resources: [overlays/$layout]
images: [{name: doorbuster, newName: ${reference%:*}, newTag: "${reference##*:}"}]
END
    # shellcheck disable=SC2086 # may be two words
    $KUBECTL kustomize "$scratch/tree" >"$scratch/manifest.yaml"
    grep -q '^kind: Deployment' "$scratch/manifest.yaml" || fail "kustomize gave no Deployment"
}

# What was applied is kept: rollback.sh applies what was there before, or takes away what this brought.
remember() {
    mkdir -p "$STATE_DIR"
    if [ ! -e "$STATE_DIR/previous.yaml" ] && [ -e "$STATE_DIR/applied.yaml" ] &&
        ! cmp -s "$STATE_DIR/applied.yaml" "$scratch/manifest.yaml"; then
        mv "$STATE_DIR/applied.yaml" "$STATE_DIR/previous.yaml"
    fi
    cp "$scratch/manifest.yaml" "$STATE_DIR/applied.yaml"
}

begin "$KUBECTL" sed
cluster_there
if [ "$build" = yes ]; then
    find_builder
    bring_image
fi
if dry; then
    say "would make: namespace $NAMESPACE, if there is none"
    make_secret
    say "would render: overlays/$layout with image $reference"
    apply "overlays/$layout"
    wait_for_rollouts
    exit 0
fi
render
if kube get namespace "$NAMESPACE" >/dev/null 2>&1; then
    ! kube get configmap "$config" >/dev/null 2>&1 || save_state
else
    kube create namespace "$NAMESPACE"
    mkdir -p "$STATE_DIR"
    : >"$STATE_DIR/namespace-is-ours"
fi
make_secret
remember
apply "$scratch/manifest.yaml"
wait_for_rollouts
say "deployed: $layout, $reference, in $NAMESPACE"
