"""`via: http`: the load generator asks the services' ports, and the run is the same one as by mailbox - arrivals,
errors, and every trace but for its times; also of visitors who make several requests and think in between. Requests
that reach a shop which ends come to their end, too.

Eighty seconds at four times their speed; DOORBUSTER_LONG=1: at their own."""
# ctest: label=live

import json
import os
import subprocess
import tempfile

from live_run import PROGRAM, ROOT, Checks, Run, alone

SCENARIO = os.path.join(ROOT, "tests", "live", "via.yaml")
STREAMS = ("baseline", "demo", "calls", "visitors")
FRONTEND = 8018
ESTABLISHED = "01"
SPEED = "1" if os.environ.get("DOORBUSTER_LONG") == "1" else "4"
HELD, FAILED, BAD_SCENARIO = 0, 99, 104


def call(*options):
    return subprocess.run([PROGRAM, *options], capture_output=True, text=True, check=False)


def connections():
    """Open ones to the frontend, as their clients see them."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    return sum(row[2].endswith(f":{FRONTEND:04X}") and row[3] == ESTABLISHED for row in rows)


def by(way):
    return [word for stream in STREAMS for word in ("--set", f"streams.{stream}.via={way}")]


def play(way, traces):
    """The report, and the most connections to the frontend that were seen at once."""
    run = Run("--speed", SPEED, "--json", "--quiet", "--traces", traces, *by(way), scenario=SCENARIO)
    seen = 0

    def over():
        nonlocal seen
        seen = max(seen, connections())
        return False

    run.until(over, 200)
    code = run.wait()
    if code != HELD:
        raise SystemExit(f"{way}: exit code {code}\n{run.said()}")
    return json.loads(run.told()), seen


def compare(checks, scratch):
    traces = {way: os.path.join(scratch, way) for way in ("mailbox", "http")}
    reports = {}
    for way, file in traces.items():
        reports[way], seen = play(way, file)
        checks.that((seen > 0) == (way == "http"), f"{way}: {seen} connections to the frontend")
        checks.that(seen <= 256, f"{way}: {seen} connections are too many")
    for name in STREAMS:
        mailbox, http = (reports[way]["streams"][name] for way in ("mailbox", "http"))
        for key in ("requests", "errors"):
            checks.equal(http[key], mailbox[key], f"{name}: {key}")
        checks.that(mailbox["requests"] > 50, f"{name}: {mailbox['requests']} requests")
        for key in ("p50_ms", "p95_ms"):  # from the intended start, by either way
            checks.that(abs(http[key] - mailbox[key]) <= max(20, 0.15 * mailbox[key]),
                        f"{name}: {key} {http[key]} over HTTP, {mailbox[key]} by mailbox")
        print(f"{name}: {http['requests']} requests, {http['errors']} errors, "
              f"p50 {mailbox['p50_ms']} -> {http['p50_ms']} ms")
    same = call("compare", traces["mailbox"], traces["http"])
    print(same.stdout.strip())
    checks.equal(same.returncode, HELD, f"compare: {same.stdout}")


def refuse(checks):
    done = call("simulate", SCENARIO, "--seed", "7")
    checks.equal(done.returncode, BAD_SCENARIO, "simulate does not take it")
    for name in STREAMS:
        checks.that(f"streams.{name}.via: expected mailbox in virtual time, found http" in done.stderr,
                    f"simulate names streams.{name}.via: {done.stderr}")


def drain(checks):
    """What has left comes back before the run ends."""
    run = Run("--speed", "1", "--json", "--quiet", "--set", "services.frontend.work={p50: 1s, p99: 1s}", "--set",
              "expect=[]", scenario=SCENARIO)
    run.until(lambda: connections() > 3)
    run.send()
    checks.equal(run.wait(), HELD, "a drained run's exit code")
    report = json.loads(run.told())
    for name in STREAMS:
        checks.equal(report["streams"][name]["errors"], 0, f"{name}: errors of a drained run")
    run = Run("--speed", "1", "--quiet", "--set", "services.frontend.work={p50: 1s, p99: 1s}", scenario=SCENARIO)
    run.until(lambda: connections() > 3)
    checks.equal(run.end(), 105, "a second signal ends it at once")


def main():
    alone()
    checks = Checks()
    refuse(checks)
    drain(checks)
    with tempfile.TemporaryDirectory() as scratch:
        compare(checks, scratch)
    checks.end()


if __name__ == "__main__":
    main()
