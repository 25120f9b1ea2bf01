"""Each rule of style.py, seen to find what it is for and to pass what it should."""
# ctest: label=tidy build=debug

import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import style  # noqa: E402

GUARDED = "/* a: why. */\n#ifndef CORE_A_H\n#define CORE_A_H\n#endif\n"


def function_of(lines):
    return "int f(void)\n{\n" + "    g();\n" * lines + "}\n"


# path, content, the finding expected (None: none)
CASES = [
    ("core/a.c", '#include "core/a.h"\n#include <string.h>\n#include <msgpack/pack.h>\n', None),
    ("core/a.c", '#include "actors/a.h"\n', "core/a.c:1: core/ does not include actors/a.h"),
    ("core/a.c", '#include "edges/a.h"\n', "core/a.c:1: core/ does not include edges/a.h"),
    ("core/a.c", "\n#include <stdio.h>\n", "core/a.c:2: core/ does not include <stdio.h>"),
    ("core/a.c", "# include <time.h>\n", "core/a.c:1: core/ does not include <time.h>"),
    ("core/a.c", "#include <yaml.h>\n", "core/a.c:1: core/ does not include <yaml.h>"),
    ("actors/a.c", '#include "actors/shop/a.h"\n#include "core/a.h"\n', None),
    ("actors/shop/a.c", '#include "edges/a.h"\n', "actors/shop/a.c:1: actors/ does not include edges/a.h"),
    ("edges/a.c", '#include "core/a.h"\n#include <stdio.h>\n', None),
    ("edges/main.c", '#include "actors/a.h"\n', "edges/main.c:1: edges/ does not include actors/a.h"),
    ("core/a.h", GUARDED, None),
    ("core/a.h", GUARDED[12:], "core/a.h:1: a header opens with a comment"),
    ("core/a.h", GUARDED.replace("CORE_A_H", "A_H"), "core/a.h:1: a header is guarded by its path: CORE_A_H"),
    ("core/a.c", "\n" * 500, None),
    ("core/a.c", "\n" * 501, "core/a.c:501: the file has 501 lines"),
    ("core/a.c", function_of(74), None),
    ("core/a.c", "\n" + function_of(75), "core/a.c:3: the function has 76 lines"),
    ("core/a.c", "typedef struct a a_t;\n", "core/a.c:1: structs are not renamed"),
    ("README.md", "a\nTO" "DO: b\n", "README.md:2: 'TO" "DO'"),
    ("README.md", "mktemp /tmp/a.XXXXXX\n", None),
    ("a.sh", "cat ../sha" "red/a\n", "a.sh:1: '../sha" "red'"),
    ("a.sh", "cat /wo" "rk/a\n", "a.sh:1: '/wo" "rk/'"),
    ("a.md", "services/frontend/wo" "rk/p50\n", None),
]


def main():
    failed = 0
    for path, content, expected in CASES:
        with tempfile.TemporaryDirectory() as root:
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as file:
                file.write(content)
            found = list(style.findings(root))
        good = found == [] if expected is None else len(found) == 1 and found[0].startswith(expected)
        if not good:
            failed += 1
            print(f"{path}: expected {expected!r}, found {found}")
    print(f"{len(CASES) - failed} of {len(CASES)} cases hold")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
