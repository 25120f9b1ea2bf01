#!/bin/bash
# A seed means the same everywhere: equal bytes of report, traces, metrics and logs in every run of one seed -
# with and without address randomisation, in the release and the debug build, with the C library's variants for
# newer CPUs masked, in another time zone and locale - and other bytes for another seed.
# usage: DOORBUSTER=build/doorbuster [DOORBUSTER_DEBUG=build/debug/doorbuster] tests/scripts/determinism.sh
set -euo pipefail
doorbuster=$(realpath "${DOORBUSTER:-build/doorbuster}")
flagship=$(realpath "$(dirname "$0")/../../scenarios/black-friday-v5.yaml")
debug=${DOORBUSTER_DEBUG:-}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

# All of it in four minutes: errors, a fault, its mending, alerts.
cat >"$scratch/small.yaml" <<'YAML'
doorbuster: 1
name: small
story: The flagship's incident, small.
duration: 4m
streams:
  baseline: {journey: browse, rate: 100/min, table: [1m, 3m]}
  demo: {journey: checkout, rate: [[10s, 400/min], [3m, 1500/min]], table: [1m, 3m]}
phases: [[0m, calm], [1m, ramp], [2m, critical]]
services:
  frontend: {work: {p50: 20ms, p99: 45ms}}
  cart-service: {work: {p50: 20ms, p99: 40ms}}
  recommendation-service: {pools: {recommendations: {max: 6, acquire_timeout: 2s}}}
postgresql: {cores: 4, products: [[0m, 252300], [2m, 487342]], scan: 1.0465us, jitter: 0.25}
faults:
  - {at: 0m, drop_index: idx_products_category}
  - {at: 3m, create_index: idx_products_recommendations}
alerts:
  - name: errors
    when: {series: demo.errors, over: 1m, above: 5%, for: 15s}
expect:
  - "demo.errors at 2m: rate>0.1"
YAML

# hash COMMAND...: of everything that the run writes, and of the flagship's report.
hash() {
    local out=$scratch/out
    rm -rf "$out"
    mkdir "$out"
    "$@" simulate "$scratch/small.yaml" --seed "${seed:-7}" --start 2026-11-27T22:47:00Z --quiet \
        --report "$out/report" --traces "$out/traces" --metrics "$out/metrics" --logs "$out/logs" >"$out/text"
    local code=0
    "$@" simulate "$flagship" --seed "${seed:-7}" --quiet --json >"$out/flagship" 2>/dev/null || code=$?
    [ "$code" = 0 ] || [ "$code" = 99 ] || return "$code"
    for file in report traces metrics logs flagship; do
        [ -s "$out/$file" ] || { echo "$file is empty" >&2; return 1; }
    done
    (cd "$out" && sha256sum report traces metrics logs flagship)
}

first=$(hash "$doorbuster")
same() { # WHAT COMMAND...
    local found
    found=$(hash "${@:2}") || { echo "FAILED: $1: the run failed"; failures=$((failures + 1)); return; }
    if [ "$found" = "$first" ]; then
        echo "equal: $1"
    else
        echo "FAILED: $1"
        diff <(echo "$first") <(echo "$found") | grep '^[<>]' || true
        failures=$((failures + 1))
    fi
}

# Both generations of names (glibc 2.33 renamed them); unknown ones are ignored.
masked=
for feature in AVX AVX2 AVX512F AVX512VL AVX512BW AVX512DQ AVX512CD AVX512ER FMA FMA4 BMI1 BMI2 LZCNT POPCNT \
    MOVBE SSE4_1 SSE4_2 SSSE3 ERMS FSRM XSAVE XSAVEC RTM; do
    masked+=",-$feature,-${feature}_Usable"
done
for feature in AVX_Fast_Unaligned_Load Fast_Unaligned_Load Fast_Unaligned_Copy Prefer_No_VZEROUPPER Fast_Rep_String; do
    masked+=",-$feature"
done

same "the same again" "$doorbuster"
if setarch -R true 2>/dev/null; then
    same "without address randomisation" setarch -R "$doorbuster"
else
    echo "skipped: setarch -R is not allowed here"
fi
same "without the C library's variants for newer CPUs" env "GLIBC_TUNABLES=glibc.cpu.hwcaps=${masked#,}" "$doorbuster"
same "in another time zone and locale" env TZ=Asia/Kathmandu LC_ALL=C LANG=C "$doorbuster"
same "with memory that is not zero" env MALLOC_PERTURB_=165 "$doorbuster"
if [ -n "$debug" ] && [ -x "$debug" ]; then
    same "in the debug build" "$(realpath "$debug")"
else
    echo "skipped: no debug build (DOORBUSTER_DEBUG)"
fi

other=$(seed=8 hash "$doorbuster")
for file in report traces metrics logs flagship; do
    if [ "$(grep " $file\$" <<<"$other")" = "$(grep " $file\$" <<<"$first")" ]; then
        echo "FAILED: two seeds, one $file"
        failures=$((failures + 1))
    fi
done
[ "$failures" = 0 ] || exit 1
echo "differs: another seed"
