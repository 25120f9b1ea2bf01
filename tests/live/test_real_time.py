# ctest: label=live calm
"""The same scenario and seed in virtual time and live: the same arrivals, errors within 2 points, latencies within 15 %
or 10 ms; the schedule kept, and memory flat.

Quick: 100 seconds at three times their speed, up to 4200/min. DOORBUSTER_LONG=1: three minutes of black-friday-v5, five minutes of schedule at
4200/min, and a ten-minute soak. Runs in a network namespace of its own, so that ports are free; where that cannot
be had, it is skipped and says so. Start errors are gated only in the long form, which is to run alone on the machine."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from live_run import NETWORK  # noqa: E402

DOORBUSTER = os.path.abspath(os.environ.get("DOORBUSTER", "build/doorbuster"))
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LONG = os.environ.get("DOORBUSTER_LONG") == "1"
failures = 0

SHORT = """
doorbuster: 1
name: short
story: A hundred seconds of the flagship's worst.
duration: 100s
streams:
  baseline: {journey: browse, rate: 600/min}
  demo: {journey: checkout, rate: [[0s, 800/min], [60s, 800/min], [70s, 4200/min]]}
phases: [[0s, all]]
postgresql: {products: 300000, scan: 1.0465us, jitter: 0.25, max_connections: 200}
faults: [{at: 0s, drop_index: idx_products_category}]
"""


def check(held, what):
    global failures
    failures += not held
    print(("ok      " if held else "FAILED  ") + what, flush=True)


def play(verb, scenario, *options):
    command = [DOORBUSTER, verb, scenario, "--seed", "7", "--json", *options]
    done = subprocess.run(([*NETWORK] if verb == "run" else []) + command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 99):
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout), done.stderr


def near(a, b):
    return abs(a - b) <= max(10, 0.15 * max(a, b))


def compare(scenario, *options, speed=1):
    model, _ = play("simulate", scenario, *options)
    live, said = play("run", scenario, "--speed", str(speed), *options)
    print(said.strip())
    for name, stream in model["streams"].items():
        other = live["streams"][name]
        check(stream["requests"] == other["requests"],
              f"{name}: {other['requests']} arrivals live, {stream['requests']} in virtual time")
        check([m["requests"] for m in stream["minutes"]] == [m["requests"] for m in other["minutes"]],
              f"{name}: minute by minute")
        check(abs(stream["error_rate"] - other["error_rate"]) <= 0.02,
              f"{name}: error rate {other['error_rate']:.4f} live, {stream['error_rate']:.4f} in virtual time")
        for key in ("p50_ms", "p95_ms"):
            check(near(stream[key], other[key]), f"{name}: {key} {other[key]:.1f} live, {stream[key]:.1f} in virtual time")
    return said


def microseconds(said, what):
    """The p99 of a line like `loop lag p50 3 us, p99 20 us`."""
    return int(re.search(re.escape(what) + r" p50 \d+ us, p99 (\d+) us", said).group(1))


def resident_kb(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))


def soak(scenario, minutes):
    """Memory after half of the time against memory at its end; the flagship's last minutes, at 4300/min."""
    command = [DOORBUSTER, "run", scenario, "--seed", "7", "--from", "18m", "--quiet", "--json"]
    with subprocess.Popen([*NETWORK, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        time.sleep(minutes * 30)
        half = resident_kb(run.pid)
        time.sleep(minutes * 30)
        end = resident_kb(run.pid)
        run.send_signal(signal.SIGTERM)
        run.wait(60)
    check(end < 40 * 1024, f"resident after {minutes} minutes: {end / 1024:.1f} MB, under 40")
    check(end - half < 1024, f"grown by {(end - half) / 1024:.2f} MB in the second half")


def main():
    if subprocess.run([*NETWORK, "true"], capture_output=True, check=False).returncode:
        print("skipped: no network namespace can be made here (unshare -n)")
        return
    flagship = os.path.join(SOURCE, "scenarios", "black-friday-v5.yaml")
    with tempfile.TemporaryDirectory() as scratch:
        short = os.path.join(scratch, "short.yaml")
        with open(short, "w", encoding="utf-8") as out:
            out.write(SHORT)
        compare(short, speed=3)
        if LONG:
            cut = ["--set", "duration=3m", "--set", "expect=[]", "--set", "alerts=[]", "--set", "phases=[[0m, calm]]",
                   "--set", "streams.demo.table=[]", "--set", "streams.baseline.table=[]"]
            compare(flagship, *cut)
            said = compare(short, "--set", "duration=5m")
            check(microseconds(said, "demo: start error") <= 1000, "start error p99 at most 1 ms")
            check(microseconds(said, "loop lag") <= 5000, "loop lag p99 at most 5 ms")
            soak(flagship, 10)
    sys.exit(1 if failures else 0)


main()
