#!/bin/bash
# What core and actors ask of the outside, read from their objects: every undefined symbol must be theirs
# (core's own; for actors, core's or their own) or stand in symbols.txt. So no clock, socket, thread, stdio,
# libc randomness or inexact libm function can slip in, under whatever name.
# Also: each file of actors/ defines the actor_kind of its name, which the registry is made of.
# ctest: label=tidy build=debug
set -euo pipefail
here=$(dirname "$0")
build=${DOORBUSTER_BUILD_DIR:-build/debug}

defined() {
    nm --defined-only --extern-only --format=posix "$@" 2>/dev/null | awk 'NF >= 2 { print $1 }'
}

failed=0
check() { # check NAME LIBRARY LIBRARY-TO-LEAN-ON...
    local name=$1
    shift
    local library=$1 found
    # "lib.a[file.c.o]:" lines name the object; the file under its folder is what a reader looks for.
    found=$(nm --undefined-only --format=posix --print-file-name "$library" |
        awk -v name="$name" '
            NR == FNR { known[$1] = 1; next }
            {
                split($1, part, /[][]/)
                file = part[2]; sub(/\.o$/, "", file)
                if (!($2 in known) && !seen[file, $2]++)
                    print name ":1: " file " uses " $2 ", which pure code may not"
            }' <(
            defined "$@"
            sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$here/symbols.txt"
            nm --undefined-only --format=posix "$library" 2>/dev/null | awk '$1 ~ /^__(asan|ubsan|sanitizer)_/ { print $1 }'
        ) -)
    if [[ -n $found ]]; then
        echo "$found"
        failed=1
    fi
}

core=$build/libdoorbuster_core.a
actors=$build/libdoorbuster_actors.a
check core "$core"
check actors "$actors" "$core"

known=$(defined "$actors")
for file in actors/*.c; do
    [[ -e $file ]] || continue
    name=actor_$(basename "$file" .c)
    if ! grep -qx "$name" <<<"$known"; then
        echo "$file:1: defines no $name"
        failed=1
    fi
done
exit "$failed"
