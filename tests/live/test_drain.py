# ctest: label=live build=both calm
"""How a run begins and ends: start-up, SIGTERM, a second signal, SIGHUP, a port that is taken."""

import http.client
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from live_run import DEBUG, ROOT, Checks, Run, alone, ask  # noqa: E402

START_MS = 100
AT_ONCE_S = 5 if DEBUG else 1
JUDGE = os.path.join(ROOT, "tests", "judges", "tree_judge.py")
INCIDENT = ("--from", "18m", "--set", "expect=[]", "--set", "alerts=[]")


def connected(port):
    """Connections to it that are open, of the client's end."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        return sum(row.split()[2].endswith(f":{port:04X}") and row.split()[3] == "01" for row in table)


def start_up(checks):
    """From the program's start to an answer; no polite waiting between tries."""
    def once():
        begun = time.monotonic()
        run = Run("--set", "expect=[]", ready=False)
        while time.monotonic() < begun + 20:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", 8018, timeout=5)
                connection.request("POST", "/api/browse", '{"user_id":"user-1","cart_id":"cart-1"}',
                                   {"Content-Type": "application/json"})
                break
            except ConnectionRefusedError:
                time.sleep(0.001)
        served_ms = None
        with socket.create_connection(("127.0.0.1", 8010)) as other:
            other.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            if other.recv(4096).startswith(b"HTTP/1.1 200"):
                served_ms = (time.monotonic() - begun) * 1e3
        checks.equal(connection.getresponse().status, 200, "the first request")
        run.end()
        return served_ms

    times = [once() for _ in range(5)]
    checks.that(None not in times, f"ready at once: {times}")
    median = statistics.median(times)
    print("start-up to the first answer, ms:", " ".join(f"{t:.0f}" for t in sorted(times)))
    checks.that(DEBUG or median < START_MS, f"start-up: median {median:.1f} ms, at most {START_MS} expected")


def drain(checks):
    """SIGTERM: no new traffic, /readyz says no, whoever waits is answered, and the telemetry is whole."""
    with tempfile.NamedTemporaryFile() as traces:
        run = Run(*INCIDENT, "--speed", "2", "--traces", traces.name)
        checks.that(run.until(lambda: run.get("/admin/traffic-stats").json["demo"]["errors"] > 20, 30), "the incident runs")
        checks.equal(run.get("/readyz").status, 200, "readyz before")
        answers = []

        def shopper():
            answers.append(ask(8018, "/api/checkout", "-H", "Content-Type: application/json", "-d",
                               '{"user_id":"user-1","cart_id":"cart-1","idempotency_key":"k"}', method="POST"))

        shoppers = [threading.Thread(target=shopper) for _ in range(4)]
        for thread in shoppers:
            thread.start()
        checks.that(run.until(lambda: connected(8018) == len(shoppers)), "they wait for their answers")
        begun = time.monotonic()
        run.send()
        checks.that(run.until(lambda: getattr(run.get("/readyz"), "status", 0) == 503, 5), "readyz while it drains")
        first = run.get("/admin/demo-status")
        refused = run.post("/admin/start-demo", {})
        checks.equal((refused.status, refused.json), (503, {"error": "the run ends"}), "start-demo while it drains")
        for _ in range(10):
            run.get("/livez")
        second = run.get("/admin/demo-status")
        checks.that(first and second, "still served while it drains")
        checks.equal(second.json["checkouts_attempted"] - first.json["checkouts_attempted"], 0, "no new traffic")
        checks.equal(run.wait(), 0, "the run's own exit code")
        print(f"drained in {time.monotonic() - begun:.2f} s")
        for thread in shoppers:
            thread.join()
        checks.that(len(answers) == 4 and all(a and a.status in (200, 503) for a in answers),
                    f"in flight: {[a.status if a else None for a in answers]}")
        judged = subprocess.run([sys.executable, JUDGE, traces.name, "--min-depth", "8", "--min-services", "10"],
                                capture_output=True, text=True, check=False)
        print("traces:", judged.stdout.strip().splitlines()[-1])
        checks.equal(judged.returncode, 0, f"traces: {judged.stdout}{judged.stderr}")
        resource = json.loads(traces.readline())["resourceSpans"][0]["resource"]["attributes"]
        told = {a["key"]: a["value"] for a in resource if a["key"] in ("host.name", "process.pid")}
        checks.equal(told, {"host.name": {"stringValue": socket.gethostname()}, "process.pid": {"intValue": str(run.process.pid)}},
                     "where it ran")
        checks.that("interrupted" not in run.told(), f"the report: {run.told()}")

    # Minute 18 can be judged when it is over; the warm-up's is not.
    run = Run("--from", "18m", "--speed", "4" if DEBUG else "20", "--json", "--set", "alerts=[]",
              "--set", 'expect=["demo.errors each minute from 18m: rate<0.01"]')
    checks.that(run.until(lambda: run.get("/admin/demo-status").json["elapsed_minutes"] > 19.2, 60), "it runs")
    run.send()
    checks.equal(run.wait(), 99, f"an expectation that failed: {run.told()}")
    clock = json.loads(run.told())["clock"]
    checks.that(clock["loop_lag_max_ms"] < 60000, f"what was due before the run began is not late: {clock}")


def second_signal(checks):
    """At once: neither requests in flight nor a backend that never answers are waited for."""
    with socket.create_server(("127.0.0.1", 4318)):
        run = Run(*INCIDENT, "--speed", "2", "--otlp", "http://127.0.0.1:4318")
        checks.that(run.until(lambda: run.get("/admin/traffic-stats").json["demo"]["errors"] > 20, 30), "the incident runs")
        run.send()
        checks.that(run.until(lambda: getattr(run.get("/readyz"), "status", 0) == 503, 5), "readyz while it drains")
        begun = time.monotonic()
        run.send()
        checks.equal(run.wait(), 105, "a second signal")
        took = time.monotonic() - begun
        print(f"second signal: {took:.2f} s")
        checks.that(took < AT_ONCE_S, f"a second signal: {took:.2f} s, at most {AT_ONCE_S} expected")
        checks.that("nterrupted" in run.told(), f"the report: {run.told()}")


def hang_up(checks):
    run = Run("--speed", "5", "--set", "expect=[]")
    run.send(signal.SIGHUP)
    checks.that(run.until(lambda: "SIGHUP" in run.said(), 5), "it says something")
    checks.that("nothing to reload" in run.said(), f"SIGHUP: {run.said()}")
    before = run.get("/admin/traffic-stats").json["baseline"]["requests"]
    checks.that(run.until(lambda: run.get("/admin/traffic-stats").json["baseline"]["requests"] > before + 5), "it goes on")
    checks.equal(run.get("/readyz").status, 200, "it is ready")
    run.send()
    checks.equal(run.wait(), 0, "SIGTERM after SIGHUP is the first signal")


def port_taken(checks):
    with socket.create_server(("127.0.0.1", 8014)):
        for options in ((), ("--json",), ("--listen", "0.0.0.0")):
            run = Run(*options, ready=False)
            checks.equal(run.wait(), 106, f"exit code {options}")
            checks.that(re.search(r"product-catalog .* port 8014: Address already in use", run.said()),
                        f"stderr: {run.said()}")
            checks.equal(run.told(), "", "no report of what was not played")
    run = Run("--listen", "203.0.113.1", ready=False)
    checks.equal(run.wait(), 106, "an address of somebody else")
    checks.that("203.0.113.1" in run.said(), run.said())


def main():
    alone()
    checks = Checks()
    for part in (start_up, drain, second_signal, hang_up, port_taken):
        begun = time.monotonic()
        part(checks)
        print(f"{part.__name__}: {time.monotonic() - begun:.1f} s")
    checks.end()


main()
