#!/bin/sh
# Writes rendered/*.yaml anew, one file an overlay. KUBECTL may name another kubectl than the one on the PATH.
set -eu
cd "$(dirname "$0")"
for overlay in overlays/*/; do
    name=$(basename "$overlay")
    "${KUBECTL:-kubectl}" kustomize "overlays/$name" >"rendered/$name.yaml.new"
    mv "rendered/$name.yaml.new" "rendered/$name.yaml"
done
