#!/usr/bin/env python3
"""The model against a real PostgreSQL: what a row, a look-up and a locked row cost, and the errors that come of it.

Plays a minute of the flagship at each point, and the rush of flash-sale, with `--postgres managed --redis managed`, each
after its minute of warm-up, and the same by the model in virtual time. Beside the last one eight transactions at once want
one row of the server's, as eight orders of the model do. Needs a machine to itself, and the shop's ports; two minutes a
point. Nothing is judged here: tests/live/test_calibrate.py does that.

usage: bench/calibrate.py [--minutes 5,10,15,20] [--no-locks] [--build build] [--seed 1]
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
READY = "http://127.0.0.1:8010/readyz"
BEGIN_LIMIT_S, END_LIMIT_S, WARM_UP_S = 180, 60, 60
SAID = re.compile(r"calibrated: ([0-9.]+) ns a row of (\S+) at (\d+) at once; .*")
LOOK_UPS = ("products_by_category", "order_insert")
RUSH = 6  # minute of flash-sale at which everybody wants one product

# Eight at once want one row, in transactions that keep it for `lock_hold`.
BUYERS, HOLD_MS, TIMEOUT_MS, AHEAD_S = 8, 350, 1500, 2
ROW = f"""doorbuster: 1
name: one-row
story: Everybody wants one row at once.
duration: 1m
streams:
  buyers:
    journey: order
    bursts: {{at: 10s, count: {BUYERS}, within: 1ms, every: 10s, rounds: 1}}
    visit: {{hot_product: 7, hot_share: 100%}}
phases: [[0m, rush]]
services: {{inventory-service: {{pools: {{inventory: {{max: 10, acquire_timeout: 5s}}}}}}}}
postgresql: {{products: 2000, lock_hold: {HOLD_MS}ms, jitter: 0, lock_timeout: {TIMEOUT_MS}ms}}
"""
TAKE_ROW = f"""DO $$ DECLARE begun timestamptz; BEGIN
PERFORM pg_sleep_until('%s'); begun := clock_timestamp();
UPDATE products SET stock_quantity = stock_quantity WHERE id = 7;
RAISE NOTICE 'waited %%', extract(epoch FROM clock_timestamp() - begun) * 1000;
PERFORM pg_sleep({HOLD_MS / 1000}); END $$"""


def model(arguments, scenario):
    done = subprocess.run([arguments.program, "simulate", scenario, "--seed", arguments.seed, "--json", "--quiet"],
                          stdout=subprocess.PIPE, check=False)
    return json.loads(done.stdout)


def is_ready():
    try:
        return urllib.request.urlopen(READY, timeout=1).status == 200
    except (OSError, urllib.error.URLError):
        return False


def real(arguments, scenario, minute, beside=None):
    """The report of that minute, the line that says how it was calibrated, and what `beside` found at its end."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        run = subprocess.Popen([arguments.program, "run", scenario, "--seed", arguments.seed, "--from", f"{minute}m", "--json",
                                "--postgres", "managed", "--redis", "managed"], stdout=out, stderr=err)
        begun = time.monotonic()
        while run.poll() is None and not is_ready() and time.monotonic() < begun + BEGIN_LIMIT_S:
            time.sleep(0.1)
        if run.poll() is None:
            time.sleep(min(minute * 60, WARM_UP_S) + 61)
            found = beside() if beside else None
            run.send_signal(signal.SIGTERM)
        run.wait(END_LIMIT_S)
        out.seek(0)
        err.seek(0)
        said = err.read().decode()
        try:
            return json.loads(out.read()), SAID.search(said), found
        except ValueError:
            raise SystemExit("the run with a real PostgreSQL came to nothing:\n" + said) from None


def row_waits_modelled(arguments):
    """Of the eight, in ms; the time-outs are missing."""
    with tempfile.TemporaryDirectory() as folder:
        scenario, traces = os.path.join(folder, "row.yaml"), os.path.join(folder, "traces")
        with open(scenario, "w", encoding="utf-8") as file:
            file.write(ROW)
        subprocess.run([arguments.program, "simulate", scenario, "--seed", arguments.seed, "--quiet", "--traces", traces],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        with open(traces, encoding="utf-8") as file:
            spans = [span for line in file for resource in json.loads(line)["resourceSpans"]
                     for scope in resource["scopeSpans"] for span in scope["spans"]]
    waits = []
    for span in spans:
        if span["name"] == "UPDATE ecommerce.products" and span.get("status", {}).get("code", 0) != 2:
            said = {a["key"]: a["value"] for a in span["attributes"]}
            waits.append(said.get("db.lock.wait_time_ms", {"doubleValue": 0})["doubleValue"])
    return sorted(waits)


def row_waits_measured():
    """The same of a managed server that runs, in its transactions."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    sockets = os.path.join(cache, "doorbuster", "postgresql-15", "sockets")
    words = ["psql", "-Xq", f"host='{sockets}' dbname=ecommerce user=ecommerce_user "
             f"options='-c lock_timeout={TIMEOUT_MS}ms -c client_min_messages=notice'", "-c"]
    begin = subprocess.run(words[:-1] + ["-At", "-c", f"SELECT now() + interval '{AHEAD_S}s'"], capture_output=True, text=True,
                           check=True).stdout.strip()
    buyers = [subprocess.Popen(words + [TAKE_ROW % begin], stderr=subprocess.PIPE, text=True) for _ in range(BUYERS)]
    waited = [re.search(r"waited ([0-9.]+)", buyer.communicate()[1]) for buyer in buyers]
    return sorted(float(found.group(1)) for found in waited if found)


def minute_of(report, stream, minute):
    return next(m for m in report["streams"][stream]["minutes"] if m["minute"] == minute)


def tell(what, modelled, measured):
    print(f"{what:<52} {modelled:>12} {measured:>12}", flush=True)


def tell_costs(modelled, measured, said, scan_ns, cores):
    if said:
        print(f"{said.group(0)}\n")
    tell("", "model", "measured")
    tell("a row of a scan, all cores together", f"{scan_ns / cores:.1f} ns", f"{said.group(1)} ns" if said else "-")
    for name in LOOK_UPS:
        if name in measured["statements"] and name in modelled["statements"]:
            tell(f"{name} by its index, p50", f"{modelled['statements'][name]['p50_ms']:.2f} ms",
                 f"{measured['statements'][name]['p50_ms']:.2f} ms")


def tell_errors(modelled, measured, minute):
    ours, theirs = minute_of(modelled, "demo", minute), minute_of(measured, "demo", minute)
    tell(f"minute {minute}: demo errors", f"{ours['error_rate']:.1%}", f"{theirs['error_rate']:.1%}")
    tell(f"minute {minute}: demo p95", f"{ours['p95_ms']:.0f} ms", f"{theirs['p95_ms']:.0f} ms")
    ours, theirs = minute_of(modelled, "baseline", minute), minute_of(measured, "baseline", minute)
    tell(f"minute {minute}: baseline errors", f"{ours['error_rate']:.1%}", f"{theirs['error_rate']:.1%}")
    clock = measured["clock"]
    if clock["start_error_p99_ms"] > 1:
        print(f"    requests started up to {clock['start_error_p99_ms']:.0f} ms late (p99)")


def tell_locks(arguments, modelled, measured, waited):
    tell(f"{BUYERS} transactions of {HOLD_MS} ms want one row: waits", "", "")
    both = row_waits_modelled(arguments), waited
    for place in range(BUYERS):
        tell(f"    {place + 1}", *(f"{waits[place]:.0f} ms" if place < len(waits) else "timed out" for waits in both))
    for name in ("p50_ms", "p95_ms"):
        tell(f"stock_reserve of one product for all, {name[:3]}", f"{modelled['statements']['stock_reserve'][name]:.2f} ms",
             f"{measured['statements']['stock_reserve'][name]:.2f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", default="5,10,15,20")
    parser.add_argument("--no-locks", action="store_true")
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--seed", default="1")
    arguments = parser.parse_args()
    arguments.program = os.path.join(arguments.build, "doorbuster")
    flagship, sale = (os.path.join(ROOT, "scenarios", name + ".yaml") for name in ("black-friday-v5", "flash-sale"))
    with open(flagship, encoding="utf-8") as file:
        text = file.read()
    scan_ns = 1000 * float(re.search(r"^ *scan: ([0-9.]+)us", text, re.M).group(1))
    cores = int(re.search(r"^ *cores: (\d+)", text, re.M).group(1))
    modelled = model(arguments, flagship)
    for number, minute in enumerate(int(word) for word in arguments.minutes.split(",")):
        measured, said, _ = real(arguments, flagship, minute)
        if number == 0:
            tell_costs(modelled, measured, said, scan_ns, cores)
        tell_errors(modelled, measured, minute)
    if not arguments.no_locks:
        tell_locks(arguments, model(arguments, sale), *real(arguments, sale, RUSH, row_waits_measured)[::2])


if __name__ == "__main__":
    sys.exit(main())
