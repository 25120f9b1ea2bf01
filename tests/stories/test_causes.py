#!/usr/bin/env python3
"""What each scenario's run blames, for several seeds: read off figures, it has to be what the scenario did.

And the answer key holds together: its first bad span lies within the run, its blast radius adds up with the report,
and what it prescribes, where that is a fault, heals a fork of the run.
"""

import glob
import json
import os
import subprocess
import sys
import tempfile

SEEDS = (1, 7, 20)
# scenario: kind and target of its root cause. A scenario without a line fails the test.
CAUSES = {
    "black-friday-v5": ("missing_index", "idx_products_recommendations"),
    "black-friday-v4": ("missing_index", "idx_products_recommendations"),
    "black-friday-v4-scripted": ("scripted", "GET /products/recommendations of product-catalog"),
    "black-friday-v1": ("scripted", None),
    "database-apm": (("missing_index", "connections_held"), None),
    "normal-operations": ("none", None),
    "flash-sale": ("row_lock", None),
    "database-issue": (("pool_cut", "missing_index"), None),
}


def play(path, seed, *options):
    """Report and answer key of a run."""
    with tempfile.TemporaryDirectory() as folder:
        names = [os.path.join(folder, name) for name in ("report", "key")]
        done = subprocess.run(
            [os.environ["DOORBUSTER"], "simulate", path, "--seed", str(seed), "--quiet", "--report", names[0],
             "--answer-key", names[1], *options], capture_output=True, text=True, check=False)
        assert done.returncode in (0, 99), (path, seed, done.returncode, done.stderr)
        with open(names[0], encoding="utf-8") as report, open(names[1], encoding="utf-8") as key:
            return json.load(report), json.load(key)


def check_cause(key, name):
    kinds, target = CAUSES[name]
    cause = key["root_cause"]
    assert cause["kind"] in (kinds if isinstance(kinds, tuple) else (kinds,)), cause
    assert target is None or cause["target"] == target, cause
    assert cause["evidence"], cause


def check_key(report, key):
    errors = sum(stream["errors"] for stream in report["streams"].values())
    assert key["root_cause"]["fields"]["requests_failed"] == errors
    assert bool(key["first_bad_span"]) == bool(errors), key["first_bad_span"]
    assert bool(key["healing"]) == bool(errors), key["healing"]
    instants = [event["at_s"] for event in key["timeline"]]
    assert instants == sorted(instants)
    for service in key["blast_radius"]:
        assert service["requests_failed"] <= min(service["requests"], service["error_spans"]), service
    if not errors:
        return
    span = key["first_bad_span"]
    assert 0 <= span["started_at_s"] <= span["failed_at_s"] <= report["duration_s"] + 60, span
    first = min(service["first_error_at_s"] for service in key["blast_radius"])
    assert span["failed_at_s"] >= first, (span, first)


def check_healing(path, key):
    """The first fault prescribed, a minute after the first error: the last minutes fail less than the first run's."""
    faults = [remedy["fault"] for remedy in key["healing"] if remedy["fault"]]
    if not faults:
        return
    at = int(key["first_bad_span"]["failed_at_s"]) + 60
    report, _ = play(path, SEEDS[0], "--fork", f"{at}s", faults[0])
    streams = report["fork"]["streams"].values()
    without, healed = (sum(stream["errors"][run] for stream in streams) for run in ("without", "with"))
    assert healed < without / 2 or without == 0, (path, faults[0], without, healed)


def main():
    failed = 0
    paths = sorted(glob.glob(os.path.join(os.environ["DOORBUSTER_SOURCE"], "scenarios", "*.yaml")))
    assert paths
    for path in paths:
        name = os.path.splitext(os.path.basename(path))[0]
        for seed in SEEDS:
            try:
                report, key = play(path, seed)
                check_cause(key, name)
                check_key(report, key)
                if seed == SEEDS[0]:
                    check_healing(path, key)
                print(f"{name} seed {seed}: {key['root_cause']['kind']} {key['root_cause']['target'] or ''}")
            except (AssertionError, KeyError) as problem:
                failed += 1
                print(f"FAILED: {name} seed {seed}: {problem!r}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
