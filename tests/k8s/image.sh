#!/bin/bash
# The image builds on a bare Debian, is under 120 MB, and runs confined: not as root, with a read-only root, without
# capabilities. Then `podman kube play` plays the podman overlays, and validate.sh finds the shop valid in each.
# The base comes from debootstrap, as no registry is presumed. All storage is in the build folder.
# ctest: label=long serial
set -euo pipefail
cd "${DOORBUSTER_SOURCE:-.}"
build=${DOORBUSTER_BUILD_DIR:-$PWD/build}
work=$build/k8s-image
size_max=120000000

skip() {
    echo "SKIPPED: $*"
    exit 77
}
failed() {
    echo "FAILED: $*"
    exit 1
}

[[ $(id -u) -eq 0 ]] || skip "what root alone can do here: building and running images"
for tool in podman buildah runc debootstrap catatonit curl; do
    PATH=$PATH:/usr/sbin command -v "$tool" >/dev/null || [[ -e /usr/libexec/podman/$tool ]] ||
        skip "no $tool here (.ci/install image)"
done
unshare -m mount -t tmpfs none /mnt 2>/dev/null || skip "no mounting here"

mkdir -p "$work"
cat >"$work/storage.conf" <<END
[storage]
driver = "overlay"
graphroot = "$work/storage"
runroot = "$work/run"
END
# No more open files and processes than a container's maker may grant.
cat >"$work/containers.conf" <<END
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
END
export CONTAINERS_STORAGE_CONF=$work/storage.conf CONTAINERS_CONF=$work/containers.conf

# ---- build ----

base=localhost/debian:bookworm-slim
image=localhost/doorbuster:0.1.0

make_base() {
    local root=$work/root mirror
    mirror=$(cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null |
        sed -nE 's/^(URIs:|deb (\[.*\] )?)[[:space:]]*(https?:[^ ]*debian)( .*)?$/\3/p' | sed -n 1p) || true
    rm -rf "$root"
    debootstrap --variant=minbase bookworm "$root" "${mirror:-http://deb.debian.org/debian}" >"$work/debootstrap.log" 2>&1 ||
        skip "debootstrap found no mirror: $(tail -n 1 "$work/debootstrap.log")"
    # As slim as Debian's own.
    printf 'path-exclude /usr/share/%s/*\n' doc man locale >"$root/etc/dpkg/dpkg.cfg.d/slim"
    rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale}/* "$root"/var/log/*
    tar -C "$root" -c . | podman import - "$base" >/dev/null 2>&1
    rm -rf "$root"
}

podman image exists "$base" || make_base
nice buildah bud --isolation chroot --layers -f k8s/Dockerfile --build-arg BASE="$base" --build-arg COMMIT=0123456789ab \
    -t "$image" . >"$work/build.log" 2>&1 || {
    tail -n 20 "$work/build.log"
    failed "the image does not build"
}
size=$(podman image inspect --format '{{.Size}}' "$image")
echo "image: $size bytes"
[[ $size -lt $size_max ]] || failed "the limit is $size_max bytes"

# ---- run, with a network of its own, so that no port meets another's ----

play=$(
    cat <<'END'
set -euo pipefail
ip link set lo up
failed() { echo "FAILED: $*"; exit 1; }
confined=(--read-only --read-only-tmpfs=false --cap-drop all --security-opt no-new-privileges --network host)
trap 'podman rm -f -t 1 confined >/dev/null 2>&1 || true
      for manifest in k8s/rendered/podman*.yaml; do podman kube down "$manifest" >/dev/null 2>&1 || true; done' EXIT

said=$(podman run --rm "${confined[@]}" "$image" version) # a failed build of the version line shows here, too
[[ $said == *0123456789ab* ]] || failed "the commit is not in the program: $said"

podman run -d --name confined "${confined[@]}" "$image" run black-friday-v5 >/dev/null
valid() {
    for ((i = 0; i < 60; i++)); do
        if curl -s --max-time 2 http://127.0.0.1:8010/livez >/dev/null; then break; fi
        sleep 0.5
    done
    DIRECT=127.0.0.1 k8s/scripts/validate.sh || failed "$1 is not valid"
}
valid "the confined container"
status=$(podman exec confined cat /proc/1/status)
for line in Uid:10001 CapEff:0000000000000000 CapBnd:0000000000000000 NoNewPrivs:1; do
    grep -qE "^${line%%:*}:[[:space:]]${line##*:}" <<<"$status" || failed "the program does not have $line: $status"
done
if podman exec confined touch /tmp/x 2>/dev/null; then failed "the root can be written"; fi
podman stop -t 10 confined >/dev/null
code=$(podman inspect --format '{{.State.ExitCode}}' confined)
[[ $code == 0 ]] || failed "SIGTERM ends it with $code"
podman rm confined >/dev/null

for manifest in k8s/rendered/podman.yaml ${spread:+k8s/rendered/podman-spread.yaml}; do
    podman kube play "$manifest" >/dev/null || failed "$manifest does not play"
    valid "$manifest"
    podman ps --format '{{.Names}} {{.Status}}'
    podman kube down "$manifest" >/dev/null
done
END
)
spread=
if podman run --rm "$image" run --help 2>/dev/null | grep -q -e --only; then
    spread=yes
else
    echo "SKIPPED: the overlay podman-spread, as the program has no --only"
fi
unshare -n true 2>/dev/null || skip "no network namespace can be made here (unshare -n); the image was built"
image=$image spread=$spread unshare -n bash -c "$play"
