"""Every OTEL_* variable that the program knows stands in README's table, and every one that stands there is known."""
# ctest: label=tidy build=debug

import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NAME = re.compile(r"OTEL_[A-Z0-9_]+[A-Z0-9]")
EXPORTER = "OTEL_EXPORTER_OTLP_"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def known():
    names = set()
    for path in glob.glob(os.path.join(ROOT, "edges", "otlp_env*.c")):
        text = read(path)
        names |= set(re.findall(r'"(OTEL_[A-Z0-9_]+)"', text))
        table = re.search(r"exporter_variables\[\] = \{(.*?)\n\};", text, re.S)
        if table:
            names |= {EXPORTER + name for name in re.findall(r'\{"([A-Z_]+)"', table.group(1))}
    return names


def told():
    """`OTEL_A_B, _C` is OTEL_A_B and OTEL_A_C, of the exporter's."""
    names = set()
    for row in re.findall(r"^\| (OTEL_[^|]*)\|", read(os.path.join(ROOT, "README.md")), re.M):
        for word in re.findall(r"[A-Z0-9_]+", row):
            names.add(EXPORTER + word[1:] if word.startswith("_") else word)
    return names


def main():
    code, table = known(), told()
    for name in sorted(code - table):
        print(f"{name}: not in README's table")
    for name in sorted(table - code):
        print(f"{name}: in README's table, but the program does not know it")
    print(f"{len(code)} variables")
    return 0 if code == table and len(code) > 40 else 1


sys.exit(main())
