"""`run --postgres managed`: the table of errors comes from the server's own scans, as it was measured at start.

Short: from minute 19 for a little more than its warm-up. DOORBUSTER_LONG=1: minutes 18 to 26, healed by an index at 24.
A share of the machine that others take during the run is capacity that the measurement did not know of: then the figures
are printed and not compared.
"""
# ctest: label=long serial

import json
import os
import re
import shutil
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from live_run import Checks, Run, alone  # noqa: E402
from managed_servers import cache_folder, missing  # noqa: E402

LONG = os.environ.get("DOORBUSTER_LONG") == "1"
PUBLISHED, NEAR = 0.78, 0.08 if LONG else 0.12
BASELINE_MOST, HEALED_MOST = 0.02, 0.05
OTHERS_MOST, LATE_MOST_MS = 0.10, 1000
SAID = re.compile(r"calibrated: ([0-9.]+) ns a row of recommendations at 20 at once; 251,300 rows of the scenario are ([0-9,]+) here")


def times(pid):
    """Of a process and of its children that have ended; in ticks."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            fields = file.read().rpartition(")")[2].split()
        return int(fields[1]), sum(int(f) for f in fields[11:15])
    except OSError:
        return None, 0


class Machine:
    """How much of it others than a process and its children have taken since."""

    def __init__(self, pid):
        self.pid = pid
        self.before = self.look()

    def look(self):
        of = {int(name): times(name) for name in os.listdir("/proc") if name.isdigit()}
        ours = 0
        for pid, (_, ticks) in of.items():
            above = pid
            while above and above != self.pid:
                above = of.get(above, (None, 0))[0]
            ours += ticks if above == self.pid else 0
        with open("/proc/stat", encoding="utf-8") as file:
            every = [int(f) for f in file.readline().split()[1:9]]
        return sum(every), sum(every) - every[3] - every[4] - ours

    def others(self):
        now = self.look()
        return max(now[1] - self.before[1], 0) / max(now[0] - self.before[0], 1)


def minute_of(report, stream, minute):
    return next(m for m in report["streams"][stream]["minutes"] if m["minute"] == minute)


def is_fair(others, clock):
    if others <= OTHERS_MOST and clock["start_error_max_ms"] <= LATE_MOST_MS:
        return True
    print(f"SKIPPED: {others:.0%} of the machine went to others (at most {OTHERS_MOST:.0%}), and requests started up to "
          f"{clock['start_error_max_ms']:.0f} ms late (at most {LATE_MOST_MS})")
    return False


def play(cache):
    run = Run("--from", "18m" if LONG else "19m", "--postgres", "managed", "--redis", "managed", "--json", ready=False,
              XDG_CACHE_HOME=cache)
    if not run.until(lambda: run.get("/readyz") is not None, 120):
        raise SystemExit("the run did not begin: " + run.said())
    machine = Machine(run.process.pid)
    if LONG:
        time.sleep(7 * 60)  # 17:00 to 24:00
        answer = run.post("/admin/faults/create_index", '"idx_products_recommendations"')
        healed = answer.status == 200
        time.sleep(125)
    else:
        healed = None
        time.sleep(90)
    others = machine.others()
    run.send()
    run.wait(60)
    return json.loads(run.told()), run.said(), others, healed


def main():
    lacks = missing()
    if lacks:
        print(f"SKIPPED: no {lacks}")
        return
    alone()
    checks = Checks()
    cache = cache_folder()
    report, said, others, healed = play(cache)
    shutil.rmtree(cache)
    found = SAID.search(said)
    checks.that(found, "it says what it chose: " + said)
    scans = report["statements"]["recommendations"]
    checks.that(scans["full_scans"] > 0 and (LONG or scans["full_scans"] == scans["runs"]), f"scans: {scans}")
    print(found.group(0) if found else "", f"; others took {others:.0%} of the machine")
    fair = is_fair(others, report["clock"])
    for minute in range(20, 24) if LONG else (19,):
        demo, baseline = minute_of(report, "demo", minute), minute_of(report, "baseline", minute)
        print(f"minute {minute}: demo {demo['error_rate']:.1%} of {demo['requests']}, baseline {baseline['error_rate']:.1%}")
        if fair:
            checks.that(abs(demo["error_rate"] - PUBLISHED) <= NEAR, f"minute {minute}: {demo['error_rate']:.1%}")
            checks.that(baseline["error_rate"] <= BASELINE_MOST, f"minute {minute}: baseline {baseline['error_rate']:.1%}")
    if LONG:
        checks.that(healed, "create_index was taken")
        after = minute_of(report, "demo", 25)
        checks.that(not fair or after["error_rate"] < HEALED_MOST, f"healed: {after['error_rate']:.1%}")
    checks.end()


if __name__ == "__main__":
    main()
