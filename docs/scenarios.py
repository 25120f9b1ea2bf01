#!/usr/bin/env python3
"""Plays every scenario and writes what it came to, as one page: the story, the command, the report.

usage: docs/scenarios.py build/doorbuster > docs/scenarios.md

Virtual time and a fixed seed: the same program gives the same page. Fails where a scenario does not load or play;
whether its expectations hold stands in its report.
"""

import os
import pathlib
import subprocess
import sys

SEED = "7"
FIRST = "black-friday-v5"  # the one that the others are told from

HEAD = """<!-- Written by docs/scenarios.py; to write it anew: make docs -->
# The scenarios and what they come to

Each of these is a run of `doorbuster simulate NAME --seed {seed}`: the report as it is printed, but for the story,
which stands above it. The seed makes it repeatable; another seed gives other arrivals and the same story. The last
sentence of a report is read off the run's figures, not off what the scenario meant to do.
"""


def play(program, scenario):
    """The report's lines."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
    done = subprocess.run([program, "simulate", str(scenario), "--seed", SEED, "--quiet"], capture_output=True,
                          text=True, encoding="utf-8", env=environment, check=False)
    if done.returncode not in (0, 99):
        sys.exit(f"scenarios.py: {scenario}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout.rstrip("\n").split("\n")


def section(name, report):
    """The story as a paragraph, the rest as it is."""
    body = report.index("") if "" in report else len(report)
    story = " ".join(report[1:body])
    lines = [f"## {name}", "", *([story, ""] if story else []),
             f"    doorbuster simulate {name} --seed {SEED}", "", "```", report[0], *report[body:], "```", ""]
    return "\n".join(lines)


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    folder = pathlib.Path(__file__).resolve().parent.parent / "scenarios"
    scenarios = sorted(folder.glob("*.yaml"), key=lambda path: (path.stem != FIRST, path.stem))
    pages = [HEAD.format(seed=SEED), "".join(f"- [{path.stem}](#{path.stem})\n" for path in scenarios)]
    pages += [section(path.stem, play(sys.argv[1], path)) for path in scenarios]
    sys.stdout.write("\n".join(pages))
    return 0


if __name__ == "__main__":
    sys.exit(main())
