# ctest: label=live build=release calm
"""Triggers over HTTP: the bursts of a scenario and what became of them, and product-catalog's faults by name."""

import os
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from live_run import ROOT, Checks, Run, alone, ask  # noqa: E402

BURSTS = os.path.join(ROOT, "tests", "live", "bursts.yaml")
TRIGGER = "/api/demo/trigger-database-scenario"
JSON = ("-H", "Content-Type: application/json")


def is_error(checks, answer, status, words, what):
    checks.equal(answer.status if answer else None, status, what)
    checks.that(answer and answer.json and list(answer.json) == ["error"] and words in answer.json["error"],
                f"{what}: expected an error about {words!r}, found {answer.body if answer else None!r}")


def asynchronously(function):
    """Its result comes into the list that is returned."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    return thread, results


def bursts(checks):
    """It enters the timeline at the first burst, and answers at the end of the last one; once."""
    run = Run("--speed", "2", "--json", scenario=BURSTS, DEMO_MODE="off")
    checks.that(run.until(lambda: run.get("/admin/traffic-stats").json["baseline"]["requests"] > 2), "the baseline flows")
    for options, status, words in (((), 415, "application/json"), ((*JSON, "-H", "Host: evil.example"), 403, "Host")):
        is_error(checks, ask(8010, TRIGGER, *options, method="POST"), status, words, f"trigger with {options}")
    checks.equal(run.get("/admin/demo-status").json["running"], False, "not triggered by those")
    begun = time.monotonic()
    thread, answers = asynchronously(lambda: run.post(TRIGGER, {}))
    checks.that(run.until(lambda: run.get("/admin/demo-status").json["running"]), "it has begun")
    status = run.get("/admin/demo-status").json
    checks.that(1 <= status["elapsed_minutes"] < 1.1 and status["phase"] == "bursts", f"demo-status: {status}")
    checks.equal([f["applied"] for f in run.get("/admin/faults").json["faults"]], [True, True], "earlier faults at once")
    is_error(checks, run.post(TRIGGER), 409, "stop-demo", "a second trigger")
    is_error(checks, run.post("/admin/start-demo"), 409, "runs already", "start-demo")
    thread.join()
    took = time.monotonic() - begun
    answer = answers[0]
    checks.equal(answer.status, 200, "the trigger")
    told = answer.json
    print(f"bursts: {answer.body} after {took:.1f} s")
    # Two pauses of six seconds and the last round's own second, twice as fast.
    checks.that(6 < took < 12, f"it took {took:.1f} s")
    checks.equal(told["scenario"], "bursts", "the scenario")
    checks.equal(told["total"], 80, "all requests")
    services = told["services"]
    checks.equal(sorted(services), ["checkout", "product-catalog"], "services")
    catalog, checkout = services["product-catalog"], services["checkout"]
    checks.equal((catalog["total"], checkout["total"], checkout["failed"]), (60, 20, 0), "per service")
    for name, one in (("all", told), *services.items()):
        checks.equal(one["succeeded"] + one["failed"], one["total"], f"{name}: none is lost")
        checks.that(abs(one["failure_rate"] - one["failed"] / one["total"]) < 1e-4, f"{name}: {one}")
        checks.that(0 < one["p95_ms"] <= one["p99_ms"], f"{name}: {one}")
    checks.equal(told["failed"], catalog["failed"], "who failed")
    # 36 of 60 in virtual time; the pool's limit of one second is what they fail by.
    checks.that(30 <= catalog["failed"] <= 42, f"product-catalog: {catalog}")
    checks.that(1000 < catalog["p95_ms"] < 2000 and checkout["p95_ms"] < 300, f"latencies: {services}")
    is_error(checks, run.post(TRIGGER), 409, "stop-demo", "a trigger of what has been")
    # Stopped, it can be triggered anew: measured from there on alone.
    checks.equal(run.post("/admin/stop-demo").status, 200, "stop-demo")
    checks.equal(run.post(TRIGGER).json["total"], 80, "the second time")
    run.send()
    checks.equal(run.wait(), 0, f"the run's own exit code: {run.said()}")


def cut_short(checks):
    """A client that leaves, a demo that is stopped, a run that ends."""
    run = Run("--speed", "2", scenario=BURSTS, DEMO_MODE="off")
    client = socket.create_connection(("127.0.0.1", 8010))
    client.sendall(f"POST {TRIGGER} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                   "Content-Length: 0\r\n\r\n".encode())
    checks.that(run.until(lambda: run.get("/admin/demo-status").json["running"]), "it has begun")
    client.close()
    checks.that(run.until(lambda: run.get("/admin/traffic-stats").json["demo"]["requests"] == 80), "it goes on without them")
    checks.equal(run.post("/admin/stop-demo").status, 200, "stop-demo")
    thread, answers = asynchronously(lambda: run.post(TRIGGER))
    checks.that(run.until(lambda: run.get("/admin/demo-status").json["running"]), "it has begun")
    checks.equal(run.post("/admin/stop-demo").status, 200, "stop-demo within it")
    stopped, said = thread, answers
    thread, answers = asynchronously(lambda: run.post(TRIGGER))  # at once: it takes the place of the other
    stopped.join()
    is_error(checks, said[0], 503, "stopped", "whoever waited for a demo that is stopped")
    checks.that(run.until(lambda: run.get("/admin/demo-status").json["running"]), "it has begun")
    run.send()
    checks.equal(run.wait(), 0, f"drained: {run.said()}")
    thread.join()
    is_error(checks, answers[0], 503, "the run ends", "whoever waited for a run that ends")

    run = Run("--speed", "2", scenario=BURSTS, DEMO_MODE="off")
    thread, answers = asynchronously(lambda: run.post(TRIGGER))
    checks.that(run.until(lambda: run.get("/admin/demo-status").json["running"]), "it has begun")
    run.send()
    run.send(signal.SIGINT)
    checks.equal(run.wait(), 105, "two signals")
    thread.join()
    checks.that(answers[0] is None or answers[0].status == 503, "whoever waited for a run that was cut off")

    # The scenario ends before the last round's requests do, and the run with them: they are awaited, and told.
    run = Run("--speed", "5", "--set", "duration=66100ms", "--set", "streams.seekers.bursts.rounds=2", scenario=BURSTS,
              DEMO_MODE="off")
    answer = run.post(TRIGGER)
    checks.equal(answer.status, 200, "a trigger to the end of the timeline")
    checks.equal(answer.json["total"], 60, "to the end")
    checks.equal(run.wait(), 0, f"the run's own exit code: {run.said()}")


def refused(checks):
    run = Run("--speed", "2", scenario=BURSTS)
    is_error(checks, run.post(TRIGGER), 409, "DEMO_MODE=off", "the clock runs")
    run.end()
    run = Run("--speed", "2", DEMO_MODE="off")
    is_error(checks, run.post(TRIGGER), 400, "no bursts", "a scenario without bursts")
    checks.equal(run.get("/admin/demo-status").json["running"], False, "nothing has begun")
    checks.equal(ask(8010, TRIGGER).status, 405, "GET")
    run.end()
    run = Run("--listen", "0.0.0.0", scenario=BURSTS, DEMO_MODE="off")
    is_error(checks, run.post(TRIGGER), 403, "DOORBUSTER_ADMIN_TOKEN", "a listener that others can reach")
    is_error(checks, ask(8014, "/demo/reset", *JSON, method="POST"), 403, "DOORBUSTER_ADMIN_TOKEN", "product-catalog's")
    run.end()


def scene_9(checks):
    """The scenario that this is for, three rounds of ten: as scenarios.md has it."""
    run = Run("--speed", "2", *(word for stream in ("search", "popular", "stock")
                                for word in ("--set", f"streams.{stream}.bursts.rounds=3")),
              scenario=os.path.join(ROOT, "scenarios", "database-apm.yaml"), DEMO_MODE="off")
    told = run.post(TRIGGER).json
    print(f"database-apm: {told}")
    checks.equal(told["total"], 3 * 47, "requests")
    checks.that(abs(told["failure_rate"] - 0.083) <= 0.04, f"failures: {told['failure_rate']}")
    checks.that(abs(told["p95_ms"] - 2800) <= 0.15 * 2800, f"p95: {told['p95_ms']}")
    checks.that(abs(told["p99_ms"] - 3200) <= 0.15 * 3200, f"p99: {told['p99_ms']}")
    checks.equal({name: one["total"] for name, one in told["services"].items()},
                 {"product-catalog": 51, "checkout": 51, "inventory-service": 39}, "per service")
    checks.equal(told["services"]["inventory-service"]["failed"], 0, "its pool is large enough")
    run.end()


def catalog(checks):
    """The two halves of the database scenario, one by one, and both undone."""
    run = Run("--speed", "2", "--set", "expect=[]", "--set", "alerts=[]", "--set",
              "services.product-catalog.pools.catalog.max=40", "--set", "services.checkout.pools.orders.max=35", "--set",
              "services.inventory-service.pools.inventory.max=25", DEMO_MODE="off")

    def post(path):
        return ask(8014, path, *JSON, method="POST")

    def products_ms():
        begun = time.monotonic()
        answer = ask(8014, "/products?category=electronics")
        return answer.status, (time.monotonic() - begun) * 1e3 * 2

    for path in ("enable-slow-queries", "enable-pool-exhaustion", "reset"):
        is_error(checks, ask(8014, f"/demo/{path}", method="POST"), 415, "application/json", f"{path}: no content type")
        is_error(checks, ask(8014, f"/demo/{path}", *JSON, "-H", "Origin: http://evil.example", method="POST"), 403, "Origin",
                 path)
        checks.equal(ask(8014, f"/demo/{path}").status, 405, f"GET {path}")
        checks.equal(post(f"/demo/{path}/x").status, 404, f"below {path}")
        checks.equal(ask(8010, f"/demo/{path}", *JSON, method="POST").status, 404, f"{path} of the load generator")
    status, fast = products_ms()
    checks.that(status == 200 and fast < 1500, f"healthy: {status} after {fast:.0f} ms")
    answer = post("/demo/enable-slow-queries")
    checks.equal((answer.status, answer.json),
                 (200, {"status": "slow_queries_enabled", "service": "product-catalog", "delay_ms": 2800}), "slow queries")
    status, slow = products_ms()
    checks.that(slow > 2800, f"slow: {status} after {slow:.0f} ms")
    answer = post("/demo/enable-pool-exhaustion")
    checks.equal(answer.status, 200, "pool exhaustion")
    checks.equal(answer.json, {"status": "pool_exhaustion_enabled", "held": 95, "max": 100,
                               "pools": {"catalog": {"held": 38, "max": 40}, "orders": {"held": 33, "max": 35},
                                         "inventory": {"held": 24, "max": 25}}}, "95 of 100")
    answer = post("/demo/reset")
    checks.equal((answer.status, answer.json), (200, {"status": "reset", "delay_ms": 0, "held": 0}), "reset")
    checks.that(run.until(lambda: products_ms()[1] < 1500), "healthy again")
    for _ in range(15):
        checks.equal(post("/demo/enable-slow-queries").status, 200, "slow again")
        checks.equal(post("/demo/reset").status, 200, "reset again")
    found = [(f["name"], f["target"], f["value"]) for f in run.get("/admin/faults").json["faults"][2:10]]
    checks.equal(found, [("query_delay", "product-catalog", 2.8e9), ("hold_connections", "catalog", 38),
                         ("hold_connections", "orders", 33), ("hold_connections", "inventory", 24),
                         ("query_delay", "product-catalog", 0), ("hold_connections", "catalog", 0),
                         ("hold_connections", "orders", 0), ("hold_connections", "inventory", 0)], "the list of faults")
    health = ask(8014, "/health").json
    checks.equal(list(health), ["status", "service", "demo_mode", "demo_minute", "requests"], "health")
    checks.equal((health["demo_mode"], health["demo_minute"]), ("off", None), "health while the demo waits")
    checks.that(health["requests"]["baseline"] > 0, f"health: {health}")
    checks.equal(run.post("/admin/start-demo").status, 200, "start-demo")
    checks.that(run.until(lambda: ask(8014, "/health").json["demo_minute"] == 0), f"health: {ask(8014, '/health').body}")
    checks.equal(ask(8014, "/health").json["demo_mode"], "blackfriday", "health while the demo runs")
    run.end()


def main():
    alone()
    checks = Checks()
    for part in (bursts, cut_short, refused, scene_9, catalog):
        begun = time.monotonic()
        part(checks)
        print(f"{part.__name__}: {time.monotonic() - begun:.1f} s", flush=True)
    checks.end()


main()
