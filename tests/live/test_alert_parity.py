# ctest: label=live calm
"""The same alert fires, and resolves, in virtual time and in a live run at --speed 20 within 10 s of the timeline.

Quick: tests/live/alerts.yaml, one of each kind, 24 s. DOORBUSTER_LONG=1: also black-friday-v5, whose index is created at
23m30s, to its 28th minute: 84 s. Alone on the machine. Alerts are judged every 15 s, and a machine that stood still may
move one across such an instant: a run in which it did is not compared, and says so with its figures."""

import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from live_run import FLAGSHIP, PROGRAM, ROOT, Checks, Comparisons, alone  # noqa: E402

ALERTS = os.path.join(ROOT, "tests", "live", "alerts.yaml")
LONG = os.environ.get("DOORBUSTER_LONG") == "1"
WITHIN_S = 10
SPEED = 20


def play(verb, scenario, *options, **environment):
    command = [PROGRAM, verb, scenario, "--seed", "5", "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | environment)
    if done.returncode not in (0, 99):
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr}")
    report = json.loads(done.stdout)
    return {alert["name"]: alert for alert in report["alerts"]}, report


def near(a, b):
    return a is None and b is None or None not in (a, b) and abs(a - b) <= WITHIN_S


def differences(virtual, live):
    """[] or what differs, in words."""
    found = []
    for name, alert in virtual.items():
        for key in ("fired_at_s", "resolved_at_s"):
            if not near(alert[key], live[name][key]):
                found.append(f"{name}: {key} {live[name][key]} live, {alert[key]} in virtual time")
    return found


def parity(checks, comparisons, scenario, *options, **environment):
    """The live run's alerts, or None where it was not a fair one."""
    virtual, _ = play("simulate", scenario, *options)
    begun = time.monotonic()
    live, report = play("run", scenario, "--speed", str(SPEED), *options, **environment)
    print(f"{os.path.basename(scenario)}: {time.monotonic() - begun:.1f} s")
    for name, alert in live.items():
        print(f"  {name}: fired {alert['fired_at_s']} s, {virtual[name]['fired_at_s']} in virtual time; resolved "
              f"{alert['resolved_at_s']} s, {virtual[name]['resolved_at_s']}", flush=True)
    checks.equal(sorted(live), sorted(virtual), f"{scenario}: the same alerts")
    if not comparisons.fair(os.path.basename(scenario), report):
        return None
    checks.equal(differences(virtual, live), [], scenario)
    return live


def main():
    alone()
    checks, comparisons = Checks(), Comparisons()
    live = parity(checks, comparisons, ALERTS)
    for name in ("errors", "slow", "collapse", "burn") if live else ():
        checks.equal(live[name]["state"], "resolved", name)
    checks.that(not live or live["baseline"]["state"] == "inactive", "the control stream")
    if LONG:
        faults = ("[{at: 0m, drop_index: idx_products_category}, {at: 0m, drop_index: idx_products_stock_quantity}, "
                  "{at: 23m30s, create_index: idx_products_recommendations}]")
        live = parity(checks, comparisons, FLAGSHIP, "--set", f"faults={faults}", "--set", "expect=[]", DEMO_DURATION_MINUTES="28")
        if live:
            checks.that(22 * 60 <= live["checkout-collapse"]["fired_at_s"] <= 23 * 60, f"{live}")
            checks.equal(live["checkout-collapse"]["state"], "resolved", "checkout-collapse")
    comparisons.end()
    checks.end()


main()
