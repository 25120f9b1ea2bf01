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

# One fault upon a calm checkout, and what has to be blamed for it: of the last two nothing fails, it is only slow.
CHECKOUTS = """doorbuster: 1
name: checkouts
story: Something is done to a calm checkout.
duration: 6m
streams:
  buyers: {journey: checkout, rate: 120/min}
phases: [[0m, calm], [3m, fault]]
faults:
  - {at: 3m, %s}
"""
INCIDENTS = (
    ("query_delay: {service: checkout, delay: 2800ms}", "query_delay", "checkout"),
    ("hold_connections: {pool: orders, count: 20}", "connections_held", "orders"),
    ("service_down: frontend", "service_down", "frontend"),
    ("query_delay: {service: checkout, delay: 1500ms}", "query_delay", "checkout"),
    ("table_growth: 50000000", "table_growth", "products"),
    ("service_slow: {service: payment-service, factor: 10}", "service_slow", "payment-service"),
)


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
    assert bool(key["healing"]) == (key["root_cause"]["kind"] != "none"), key["healing"]
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


def check_incidents():
    """Of each fault alone it is the cause, it is listed, and what is prescribed is a fault that ends it."""
    failed = 0
    for fault, kind, target in INCIDENTS:
        with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
            file.write(CHECKOUTS % fault)
            file.flush()
            report, key = play(file.name, SEEDS[0])
        cause = key["root_cause"]
        good = (cause["kind"], cause["target"]) == (kind, target) and key["healing"][0]["fault"]
        good = good and [one["name"] for one in key["faults"]] == [fault.split(":")[0]]
        buyers, shop = report["streams"]["buyers"], report["business"]
        good = good and shop["checkouts"] == buyers["requests"] and shop["checkouts_failed"] == buyers["errors"]
        print("ok" if good else "FAILED", fault, cause["kind"], cause["target"], shop["checkouts_failed"])
        failed += not good
    return failed


def main():
    failed = check_incidents()
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
