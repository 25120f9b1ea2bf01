# ctest: label=live calm
"""Every scenario of the shop plays live: the same traffic, minute by minute, as in virtual time, and about as many errors;
and the demo's variables either act on it or say that they cannot.

Quick: the first two minutes of each at --speed 20. DOORBUSTER_LONG=1: the whole of each, held to its own expectations.
A millisecond for which the machine stands still is 20 of the timeline: a run in which it did is not compared, and says so
with its figures. Runs have little to do and much to wait for: some go on at once, each with a network of its own."""

import concurrent.futures
import glob
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from live_run import ANCESTORS, NETWORK, PROGRAM, ROOT, Checks, Comparisons, alone  # noqa: E402

LONG = os.environ.get("DOORBUSTER_LONG") == "1"
MINUTES = 2
SPEED = "20"
ERRORS = 0.03  # share of a minute's requests, beyond what ten of them are
AT_ONCE = 2 if LONG else 4


def play(verb, scenario, *options, **environment):
    command = [*NETWORK, PROGRAM, verb, scenario, "--seed", "7", "--json", *options]
    env = {k: v for k, v in os.environ.items() if not k.startswith(ANCESTORS)}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env | environment)


def differences(virtual, live, minutes):
    """[] or what differs, in words."""
    found = []
    for name, stream in virtual["streams"].items():
        for other, minute in list(zip(live["streams"][name]["minutes"], stream["minutes"]))[:minutes]:
            where, requests = f"{name}, minute {minute['minute']}", minute["requests"]
            # Who thinks between two requests may make the second in the next minute.
            if abs(other["requests"] - requests) > max(3, 0.03 * requests):
                found.append(f"{where}: {other['requests']} requests live, {requests} in virtual time")
            if abs(other["errors"] - minute["errors"]) > max(10, ERRORS * requests):
                found.append(f"{where}: {other['errors']} errors live, {minute['errors']} in virtual time")
    return found


def same_traffic(checks, comparisons, scenario):
    name = os.path.basename(scenario)
    virtual = json.loads(play("simulate", scenario).stdout)
    variables = {} if LONG else {"DEMO_DURATION_MINUTES": str(MINUTES)}
    begun = time.monotonic()
    done = play("run", scenario, "--speed", SPEED, **variables)
    if done.returncode not in (0, 99):
        checks.that(False, f"{name}: exit {done.returncode}: {done.stderr}")
        return
    live = json.loads(done.stdout)
    requests = sum(stream["requests"] for stream in live["streams"].values())
    print(f"{name}: {requests} requests, exit {done.returncode}, {time.monotonic() - begun:.1f} s", flush=True)
    checks.equal(sorted(live["streams"]), sorted(virtual["streams"]), f"{name}: the same streams")
    if not comparisons.fair(name, live):
        return
    found = differences(virtual, live, MINUTES if not LONG else 10**6)
    if LONG and done.returncode == 99:
        found += [f"{e['expect']}: {e['actual']}" for e in live["expectations"] if e["held"] is False]
        found += [f"{f['name']} did not land: {f['evidence']}" for f in live["faults"] if f["landed"] is False]
    checks.equal(found, [], name)


def variables(checks, scenario):
    """Either it acts, or the run ends at once and names it."""
    name = os.path.basename(scenario)
    with_each = (("BASELINE_RPM", "60"), ("DEMO_PEAK_RPM", "5000"), ("BASELINE_ENDPOINT", "/products"),
                 ("DEMO_ENDPOINT", "/api/browse"), ("DB_MAX_CONNECTIONS", "20"), ("BASELINE_ENABLED", "false"))
    for variable, value in with_each:
        done = play("run", scenario, "--speed", "100", **{"DEMO_DURATION_MINUTES": "1", variable: value})
        if done.returncode == 2:
            checks.that(done.stderr.startswith(f"doorbuster: {variable}") or variable in done.stderr.splitlines()[0],
                        f"{name}, {variable}: {done.stderr}")
        else:
            checks.that(done.returncode in (0, 99), f"{name}, {variable}={value}: exit {done.returncode}: {done.stderr}")


def main():
    alone()
    checks, comparisons = Checks(), Comparisons()
    scenarios = sorted(glob.glob(os.path.join(ROOT, "scenarios", "*.yaml")))
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda scenario: same_traffic(checks, comparisons, scenario), scenarios))
        list(pool.map(lambda scenario: variables(checks, scenario), scenarios))
    comparisons.end()
    checks.end()


main()
