#!/bin/bash
# A new service is one file in actors/ and its lines in a scenario: adds both to a scratch copy of the tree,
# builds it, plays the scenario, and looks at what came out and at what had to change.
# ctest: label=stories build=release
set -euo pipefail
source=${DOORBUSTER_SOURCE:-$PWD}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tree=$scratch/tree

mkdir "$tree"
"${PYTHON:-python3}" "$source/tests/tidy/style.py" --files |
    (cd "$source" && tar --null --files-from=- --create) | tar --extract --directory "$tree"
cd "$tree"
git init -q .
git add --all
git -c user.name=toy -c user.email=toy@localhost commit -q -m "the tree as it is"

# Built once without the service, so that the second build shows that CMake finds the file by itself. Not optimized,
# which is quicker.
build() {
    cmake --build --preset release --target doorbuster >"$scratch/build.log" 2>&1 ||
        { cat "$scratch/build.log"; exit 1; }
}
cmake --preset release -DCMAKE_BUILD_TYPE=None >"$scratch/build.log" 2>&1 || { cat "$scratch/build.log"; exit 1; }
build

cp tests/toy/gift_wrap.c actors/gift_wrap.c
cp tests/toy/gift_wrap.yaml scenarios/gift-wrap.yaml
build
build/doorbuster check scenarios/gift-wrap.yaml
build/doorbuster simulate scenarios/gift-wrap.yaml --seed 1 --quiet --json >"$scratch/report.json"
"${PYTHON:-python3}" - "$scratch/report.json" <<'END'
import json
import sys

report = json.load(open(sys.argv[1]))
wrap = report["streams"]["wrap"]
assert 80 <= wrap["requests"] <= 160, wrap["requests"]  # Poisson: 120 +- 3.6 sigma
assert wrap["errors"] == 0, wrap["errors"]
service = report["services"]["gift-wrap"]
assert service["spans"] == wrap["requests"], service
assert service["errors"] == 0, service
assert 0 < service["p95_ms"] < 100, service
print(f"gift-wrap answered {wrap['requests']} requests, {service['spans']} spans, no error")
END

git add --all
changed=$(git diff --cached --name-status | tr '\t' ' ' | LC_ALL=C sort | tr '\n' ';')
if [[ $changed != "A actors/gift_wrap.c;A scenarios/gift-wrap.yaml;" ]]; then
    echo "more has changed than one actor and one scenario: $changed"
    exit 1
fi
git diff --cached --stat
