#!/bin/bash
# symbols.sh, seen to find what it is for: each forbidden call, in a library made for the purpose.
# ctest: label=tidy build=debug
set -euo pipefail
root=$(pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/actors"
cd "$scratch"

library() { # library NAME, source on stdin
    cc -w -x c -c -o "$1.c.o" -
    ar rc "libdoorbuster_$1.a" "$1.c.o"
}
symbols() {
    DOORBUSTER_BUILD_DIR=$scratch bash "$root/tests/tidy/symbols.sh"
}

touch actors/toy.c
echo 'int actor_toy; int core_f(void); int toy(void) { return core_f(); }' | library actors
echo '#include <string.h>
int core_f(void) { return memcmp("a", "b", 1) + (int)strlen(strchr("ab", core_f())); }' | library core
symbols || { echo "symbols.sh refuses what is allowed"; exit 1; }

failed=0
for call in 'time(0)' 'clock_gettime(0, &x)' 'gettimeofday(&x, 0)' 'socket(1, 2, 3)' 'pthread_self()' \
    'pthread_create(&x, 0, 0, 0)' 'printf("%d", x)' 'snprintf(0, 0, "%d", x)' 'fopen("a", "r")' \
    'rand()' 'random()' 'drand48()' 'getrandom(&x, 1, 0)' 'getenv("A")' 'strtod("1", 0)'; do
    echo "int core_f(int x) { return (int)$call; }" | library core
    if symbols >found; then
        echo "$call in core passes"
        failed=1
    elif ! grep -q "^core:1: core.c uses ${call%%(*}," found; then
        echo "$call: told as $(cat found)"
        failed=1
    fi
done
for call in exp log pow sin; do
    echo "double $call(double); double core_f(double x) { return $call(x); }" | library core
    if symbols >found; then
        echo "$call in core passes"
        failed=1
    fi
done

echo 'int core_f(void) { return 0; }' | library core
echo 'int actor_toy; int toy(void) { return (int)time(0); }' | library actors
if symbols >found; then
    echo "time(0) in actors passes"
    failed=1
fi
echo 'int actor_joy;' | library actors
if symbols >found; then
    echo "an actor file without its actor_kind passes"
    failed=1
fi
exit "$failed"
