"""The rules of the house that a program can check. Prints one line a finding, file:line: what; fails on any.

usage: style.py [ROOT]    (default: the tree this file stands in)
       style.py --files   the project's files, each ended by NUL, for other checks
"""

import os
import re
import subprocess
import sys

LINES_MAX = 500
FUNCTION_LINES_MAX = 75

# What pure code may include of the outside: no clock, socket, thread, stdio or library of chance.
PURE_SYSTEM = (
    r"(arm_neon|emmintrin|float|limits|math|stdalign|stdarg|stdbool|stddef|stdint|stdlib|string|strings)\.h"
    r"|msgpack(/[a-z_]+)?\.h|Random123/[a-z0-9]+\.h|ut(hash|list|array)\.h"
)

# folder: what it may include in quotes, and in angle brackets
ARROWS = {
    "core": (r"core/.*", PURE_SYSTEM),
    "actors": (r"(core|actors)/.*", PURE_SYSTEM),
    "edges": (r"(core|edges)/.*", r".*"),
}

# Split in two, so that this file does not find itself.
WORDS = [
    (re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b"), "a note to oneself; do it or describe it as a limit"),
    (re.compile(r"\.\./sha" r"red\b"), "a path outside the project"),
    (re.compile(r"(?<![\w.}])/wo" r"rk/"), "a path outside the project"),
]

CODE = (".c", ".h", ".cpp")
MEASURED = CODE + (".py", ".sh", ".cmake", ".js", ".mjs")
NOT_TEXT = (".png", ".svg", ".bin", ".gz")


def project_files(root):
    """Files of the project: what git knows and what it would take; without git, all but build products."""
    git = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, capture_output=True, check=False)
    if git.returncode == 0:
        names = git.stdout.decode().split("\0")
        return sorted({n for n in names if n and os.path.isfile(os.path.join(root, n))})
    names = []
    for folder, folders, files in os.walk(root):
        folders[:] = [f for f in folders if f not in (".git", "build", "node_modules", "__pycache__")]
        names += [os.path.relpath(os.path.join(folder, f), root) for f in files]
    return sorted(names)


def check_includes(name, lines):
    folder = name.split("/")[0]
    if folder not in ARROWS or not name.endswith((".c", ".h")):
        return
    own, system = ARROWS[folder]
    for number, line in enumerate(lines, 1):
        found = re.match(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', line)
        if found is None:
            continue
        quoted, angled = found.groups()
        if quoted is not None and not re.fullmatch(own, quoted):
            yield number, f"{folder}/ does not include {quoted}"
        if angled is not None and not re.fullmatch(system, angled):
            yield number, f"{folder}/ does not include <{angled}>"


def check_header(name, lines):
    if not name.endswith(".h"):
        return
    if not lines or not lines[0].startswith("/*"):
        yield 1, "a header opens with a comment: purpose, units, ownership, errors, bounds"
    guard = re.sub(r"\W", "_", name).upper()
    if f"#ifndef {guard}" not in lines:
        yield 1, f"a header is guarded by its path: {guard}"


def check_length(name, lines):
    if name.endswith(MEASURED) and len(lines) > LINES_MAX:
        yield LINES_MAX + 1, f"the file has {len(lines)} lines, the limit is {LINES_MAX}"


def check_functions(name, lines):
    """A function's body stands between braces in the first column; clang-format sees to that."""
    if not name.endswith(CODE):
        return
    opened = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            opened = number
        elif line.startswith("}") and opened is not None:
            if number - opened > FUNCTION_LINES_MAX:
                yield opened, f"the function has {number - opened} lines, the limit is {FUNCTION_LINES_MAX}"
            opened = None


def check_typedefs(name, lines):
    if not name.endswith((".c", ".h")):
        return
    for number, line in enumerate(lines, 1):
        if re.match(r"\s*typedef\s+(struct|union)\b", line):
            yield number, "structs are not renamed by typedef"


def check_words(_name, lines):
    for number, line in enumerate(lines, 1):
        for word, why in WORDS:
            found = word.search(line)
            if found:
                yield number, f"'{found.group(0)}': {why}"


CHECKS = [check_includes, check_header, check_length, check_functions, check_typedefs, check_words]


def findings(root):
    for name in project_files(root):
        if name.endswith(NOT_TEXT) or name.startswith("tests/corpus/"):
            continue
        with open(os.path.join(root, name), encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
        for check in CHECKS:
            for number, what in check(name, lines):
                yield f"{name}:{number}: {what}"


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    root = os.path.dirname(os.path.dirname(here))
    if sys.argv[1:] == ["--files"]:
        sys.stdout.write("".join(name + "\0" for name in project_files(root)))
        return 0
    root = sys.argv[1] if len(sys.argv) > 1 else root
    found = list(findings(root))
    for line in found:
        print(line)
    print(f"{len(found)} findings in {len(project_files(root))} files")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
