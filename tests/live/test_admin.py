# ctest: label=live build=release
"""The admin API of a run: who may, what it answers, and that it acts on the running world."""

import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from live_run import DEBUG, Checks, Run, alone, ask  # noqa: E402

TOKEN = "a-token-of-the-test"
JSON = ("-H", "Content-Type: application/json")
BEARER = ("-H", f"Authorization: Bearer {TOKEN}")


def code(answer):
    return answer.status if answer else None


def says(checks, answer, status, words, what):
    """An error as documented: its status, and JSON with `error` that holds the words."""
    checks.equal(code(answer), status, what)
    checks.that(answer and answer.json and list(answer.json) == ["error"] and words in answer.json["error"],
                f"{what}: expected an error about {words!r}, found {answer.body if answer else None!r}")


def on_loopback(checks):
    """Nobody else can reach it but through a browser: the content type, Host and Origin keep web pages out."""
    run = Run("--speed", "2", DEMO_MODE="off", DOORBUSTER_ADMIN_TOKEN=TOKEN)
    stop = "/admin/stop-demo"
    says(checks, ask(8010, stop, method="POST"), 415, "application/json", "no content type")
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonlines", "application"):
        says(checks, ask(8010, stop, "-H", f"Content-Type: {kind}", "-d", "{}", method="POST"), 415,
             "application/json", kind)
    for kind in ("application/json", "application/json; charset=utf-8", "Application/JSON"):
        says(checks, ask(8010, stop, "-H", f"Content-Type: {kind}", method="POST"), 409, "No demo", kind)
    for host in ("evil.example", "evil.example:8010", "localhost.evil.example", "127.0.0.1.evil.example",
                 "xlocalhost", "frontend.evil", "[::1].evil", "[evil]", "a1", "1.2.3.4x"):
        for method, path in (("GET", "/admin/demo-status"), ("GET", "/admin/traffic-stats"), ("GET", "/admin/faults"),
                             ("POST", stop), ("POST", "/admin/start-demo"), ("POST", "/admin/faults/drop_index")):
            says(checks, ask(8010, path, *JSON, "-H", f"Host: {host}", method=method), 403, "Host",
                 f"{method} {path} for {host}")
    for host in ("localhost", "localhost:8010", "LocalHost", "127.0.0.1:9", "[::1]:8010", "load-generator:8010"):
        checks.equal(code(run.get("/admin/demo-status", "-H", f"Host: {host}")), 200, f"Host {host}")
    for origin in ("http://evil.example", "null", "http://localhost:8010", ""):
        header = ("-H", f"Origin: {origin}" if origin else "Origin;")
        says(checks, run.post(stop, {}, *header), 403, "Origin", f"Origin {origin!r}")
        says(checks, run.get("/admin/faults", *header), 403, "Origin", f"Origin {origin!r}")
    for header in ((), ("-H", "Authorization: Bearer wrong")):
        checks.equal(code(run.get("/admin/demo-status", *header)), 200, "no token is asked for on loopback")
    run.end()


def reachable(checks):
    """A listener that others can reach: a token, or nothing."""
    everywhere = ("--listen", "0.0.0.0", "--speed", "2")
    looks = ("/admin/demo-status", "/admin/traffic-stats", "/admin/faults")
    changes = ("/admin/start-demo", "/admin/stop-demo", "/admin/faults/drop_index")
    run = Run(*everywhere, DEMO_MODE="off")
    for header in ((), BEARER, ("-H", "Authorization: Bearer ")):
        for path in looks:
            says(checks, run.get(path, *header), 403, "DOORBUSTER_ADMIN_TOKEN", f"{path}, no token is set")
        for path in changes:
            says(checks, run.post(path, {}, *header), 403, "DOORBUSTER_ADMIN_TOKEN", f"{path}, no token is set")
    checks.equal(code(run.get("/health")), 200, "other pages are open")
    run.end()

    run = Run(*everywhere, DEMO_MODE="off", DOORBUSTER_ADMIN_TOKEN="")
    says(checks, run.get(looks[0], "-H", "Authorization: Bearer "), 403, "DOORBUSTER_ADMIN_TOKEN", "an empty token")
    run.end()

    run = Run(*everywhere, DEMO_MODE="off", DOORBUSTER_ADMIN_TOKEN=TOKEN)
    wrong = ("", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN.upper()}", f"Basic {TOKEN}", TOKEN,
             "Bearer", f"Bearer  {TOKEN}")
    for value in wrong:
        header = ("-H", f"Authorization: {value}") if value else ()
        for path in looks:
            says(checks, run.get(path, *header), 401, "Authorization", f"{path} with {value!r}")
        for path in changes:
            says(checks, run.post(path, {}, *header), 401, "Authorization", f"{path} with {value!r}")
    for path in looks:
        checks.equal(code(run.get(path, *BEARER)), 200, f"{path} with the token")
    says(checks, run.post("/admin/stop-demo", {}, *BEARER), 409, "No demo", "the token")
    says(checks, ask(8010, "/admin/stop-demo", *BEARER, method="POST"), 415, "application/json", "the token alone")
    says(checks, run.post("/admin/start-demo", {}, *BEARER, "-H", "Host: evil.example"), 403, "Host", "the token")
    says(checks, run.post("/admin/start-demo", {}, *BEARER, "-H", "Origin: http://evil.example"), 403, "Origin",
         "the token")
    checks.equal(code(run.post("/admin/start-demo", {}, *BEARER)), 200, "start-demo with the token")
    run.end()


def demo_clock(checks):
    """DEMO_MODE=off: the baseline flows, and the demo begins and ends when it is told to."""
    run = Run("--speed", "10", DEMO_MODE="off")
    off = {"running": False, "message": "No demo currently running"}
    checks.equal(run.get("/admin/demo-status").json, off, "demo-status")
    checks.that(run.until(lambda: run.get("/admin/traffic-stats").json["baseline"]["requests"] > 10), "the baseline flows")
    stats = run.get("/admin/traffic-stats").json
    checks.equal((stats["demo"]["requests"], stats["demo"]["current_rpm"], stats["demo"]["demo_minute"]), (0, 0, None),
                 "no demo yet")
    start = "/admin/start-demo"
    bad = [("{", "JSON"), ("[]", "JSON object"), ('"blackfriday"', "JSON"), ("\x01", "JSON"), ('{"scenario":1}', "scenario"),
           ({"scenario": None}, "scenario"), ({"scenario": "cyber-monday"}, "scenario"),
           ({"duration_minutes": 31}, "at most 30"), ({"duration_minutes": "30"}, "duration_minutes"),
           ({"duration_minutes": -30}, "duration_minutes"), ({"duration_minutes": 0}, "duration_minutes"),
           ({"duration_minutes": None}, "duration_minutes"), ('{"duration_minutes":1e300}', "duration_minutes"),
           ({"peak_rpm": 0.5}, "peak_rpm"), ({"peak_rpm": "120"}, "peak_rpm"), ({"peak_rpm": 1000001}, "1000000"),
           ({"peak_rpm": -120}, "peak_rpm"), ({"peak_rpm": True}, "peak_rpm"), ({"peak_rpm": [120]}, "peak_rpm"),
           ({"peak": 4200}, "fields"), ('{"peak_rpm":4200,"peak_rpm":1}', "JSON")]
    for body, words in bad:
        says(checks, run.post(start, body), 400, words, f"start-demo with {body!r}")
    checks.equal(run.get("/admin/demo-status").json, off, "bad wishes change nothing")
    answer = run.post(start, {"scenario": "blackfriday", "duration_minutes": 30, "peak_rpm": 4200})
    checks.equal(code(answer), 200, "start-demo")
    checks.equal({k: answer.json[k] for k in answer.json if k != "start_time"},
                 {"status": "demo_started", "scenario": "black-friday-v5", "duration_minutes": 30, "peak_rpm": 4200},
                 "start-demo")
    begun = time.mktime(time.strptime(answer.json["start_time"], "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
    checks.that(abs(begun - time.time()) < 5, f"start_time: {answer.json['start_time']}")
    for body in (None, {}, {"scenario": "black-friday-v5"}):
        says(checks, run.post(start, body), 409, "runs already", "start-demo twice")

    # A tenth of a second is a second of the timeline, a minute is six.
    checks.that(run.until(lambda: run.get("/admin/traffic-stats").json["demo"]["requests"] > 10), "the demo flows")
    status = run.get("/admin/demo-status").json
    checks.equal(list(status), ["running", "elapsed_minutes", "current_rpm", "current_error_rate", "phase",
                                "checkouts_attempted", "checkouts_failed"], "demo-status")
    checks.that(status["running"] is True and 0 < status["elapsed_minutes"] < 3, f"demo-status: {status}")
    checks.that(800 <= status["current_rpm"] <= 1500 and status["phase"] in ("calm", "ramp"), f"demo-status: {status}")
    checks.that(0 <= status["current_error_rate"] <= 0.2, f"demo-status: {status}")
    checks.that(status["checkouts_attempted"] >= 10 and status["checkouts_failed"] <= 10, f"demo-status: {status}")
    stats = run.get("/admin/traffic-stats").json
    checks.equal(list(stats), ["baseline", "demo"], "traffic-stats")
    checks.equal(list(stats["baseline"]), ["rpm", "requests", "errors", "error_rate"], "traffic-stats")
    checks.equal(list(stats["demo"]), ["current_rpm", "demo_minute", "requests", "errors", "error_rate"], "traffic-stats")
    checks.equal((stats["baseline"]["rpm"], stats["baseline"]["errors"], stats["baseline"]["error_rate"]),
                 (100, 0, "0.0%"), "traffic-stats")
    checks.that(stats["demo"]["demo_minute"] in (0, 1, 2), f"demo_minute: {stats}")

    answer = run.post("/admin/stop-demo")
    checks.equal((code(answer), answer.json), (200, {"status": "demo_stopped"}), "stop-demo")
    checks.equal(run.get("/admin/demo-status").json, off, "stopped")
    before = run.get("/admin/traffic-stats").json["baseline"]["requests"]
    checks.that(run.until(lambda: run.get("/admin/traffic-stats").json["baseline"]["requests"] > before + 10),
                "the baseline goes on")
    demo = run.get("/admin/traffic-stats").json["demo"]
    checks.that(run.until(lambda: run.get("/admin/traffic-stats").json["baseline"]["requests"] > before + 20), "goes on")
    checks.equal(run.get("/admin/traffic-stats").json["demo"], demo, "no demo request after what was in flight")
    checks.equal(code(run.post(start)), 200, "and once more")
    checks.that(run.get("/admin/demo-status").json["elapsed_minutes"] < 0.5, "from its beginning")
    checks.that(run.until(lambda: run.get("/admin/traffic-stats").json["demo"]["requests"] > demo["requests"]),
                "the demo flows again")
    run.end()


def another_demo(checks):
    """A shorter one, with rates of its own: what is said and reported of it are those."""
    run = Run("--speed", "10", "--json", "--set", "expect=[]", DEMO_MODE="off")
    answer = run.post("/admin/start-demo", {"duration_minutes": 2.5, "peak_rpm": 1050})
    checks.equal((code(answer), answer.json["duration_minutes"], answer.json["peak_rpm"]), (200, 2.5, 1050), "start-demo")
    checks.that(run.until(lambda: run.get("/admin/demo-status").json["elapsed_minutes"] > 1.05), "the first minute")
    rpm = run.get("/admin/demo-status").json["current_rpm"]
    checks.that(200 <= rpm <= 300, f"a quarter of 800 and on: {rpm}")
    checks.equal(code(run.post("/admin/stop-demo")), 200, "stop-demo")
    # Whoever says nothing gets the scenario's own; and once more one of 2100.
    answer = run.post("/admin/start-demo", {})
    checks.equal((answer.json["duration_minutes"], answer.json["peak_rpm"]), (30, 4200), "its own")
    checks.equal(code(run.post("/admin/stop-demo")), 200, "stop-demo")
    begun = time.monotonic()
    answer = run.post("/admin/start-demo", {"duration_minutes": 2, "peak_rpm": 2100})
    checks.equal((answer.json["duration_minutes"], answer.json["peak_rpm"]), (2, 2100), "half of it")
    checks.equal(run.wait(), 0, f"it ends by itself: {run.said()}")
    took = time.monotonic() - begun
    checks.that(11 < took < 16, f"two minutes at ten times their speed took {took:.1f} s")
    minutes = json.loads(run.told())["streams"]["demo"]["minutes"]
    checks.equal([minutes[m]["rpm_target"] for m in (0, 1, 15)], [0, 400, 2100], "rpm_target")
    checks.that(320 <= minutes[1]["requests"] <= 640, f"minute 1: {minutes[1]}")
    checks.equal(sum(m["requests"] for m in minutes[2:]), 0, "nothing after its end")


def warm_up(checks):
    """--from: status and statistics show the minute before as well, all of them alike."""
    run = Run("--from", "18m", "--speed", "4", "--set", "expect=[]", "--set", "alerts=[]")
    checks.that(run.until(lambda: run.get("/admin/traffic-stats").json["demo"]["requests"] > 1000, 60), "it warms up")
    status, stats = run.get("/admin/demo-status").json, run.get("/admin/traffic-stats").json["demo"]
    checks.that(17 < status["elapsed_minutes"] < 18, f"within the warm-up: {status}")
    checks.that(status["current_error_rate"] > 0.5, f"within the warm-up: {status}")
    checks.that(abs(status["current_error_rate"] - stats["errors"] / stats["requests"]) < 0.1, f"{status}, {stats}")
    checks.that(0 <= status["checkouts_attempted"] - stats["requests"] < 1000, f"{status}, {stats}")
    checks.that(0 <= stats["errors"] - status["checkouts_failed"] < 100, f"{status}, {stats}")
    run.end()


def environment(checks):
    """Variables that end the run early, choose what is asked, or mean nothing here."""
    run = Run("--speed", "10", "--json", DEMO_DURATION_MINUTES="2", CART_URL="http://cart:8013", AD_URL="x",
              DEMO_ENDPOINT="/api/browse", DEMO_BASE_RPM="300", DEMO_PEAK_RPM="600", BASELINE_RPM="60", DB_MAX_CONNECTIONS="7")
    checks.that(run.wait() in (0, 99), f"it ends by itself: {run.said()}")
    checks.that("CART_URL, AD_URL: no effect" in run.said(), f"stderr: {run.said()}")
    report = json.loads(run.told())
    checks.equal(report["streams"]["baseline"]["minutes"][0]["rpm_target"], 60, "BASELINE_RPM")
    checks.equal(report["streams"]["demo"]["minutes"][20]["rpm_target"], 600, "DEMO_PEAK_RPM")
    checks.equal(report["business"]["orders"], 0, "DEMO_ENDPOINT")
    checks.that(7 in [p["max"] for p in report["pools"].values()], f"DB_MAX_CONNECTIONS: {report['pools']}")
    checks.that(report["streams"]["baseline"]["minutes"][1]["requests"] > 30, "two minutes")
    checks.equal(report["streams"]["baseline"]["minutes"][2]["requests"], 0, "and no more")
    for variable, value, words in (("DEMO_ENDPOINT", "/checkout", "/api/checkout"), ("BASELINE_RPM", "x", "whole number"),
                                   ("DEMO_PEAK_RPM", "10", "above the highest")):
        run = Run(ready=False, **{variable: value})
        checks.equal(run.wait(), 2, f"{variable}={value}")
        checks.that(variable in run.said() and words in run.said(), f"{variable}={value}: {run.said()}")
    run = Run("--from", "5m", ready=False, DEMO_DURATION_MINUTES="5")
    checks.equal(run.wait(), 2, "--from behind the end")
    checks.that("DEMO_DURATION_MINUTES" in run.said(), run.said())


def routes(checks):
    run = Run("--speed", "2", DEMO_MODE="off")
    for path in ("/admin", "/admin/", "/admin/nothing", "/admin/start-demo/x", "/admin/demo-status/", "/administrator"):
        says(checks, run.get(path), 404 if "start" not in path else 405, "route", f"GET {path}")
    says(checks, run.post("/admin/start-demo/x"), 404, "route", "POST below start-demo")
    for path, allowed in (("start-demo", "POST"), ("stop-demo", "POST"), ("demo-status", "GET, HEAD"),
                          ("traffic-stats", "GET, HEAD")):
        wrong = ("GET", "PUT", "DELETE") if allowed == "POST" else ("POST", "PUT", "PATCH")
        for method in wrong:
            answer = ask(8010, f"/admin/{path}", *JSON, method=method)
            says(checks, answer, 405, "method", f"{method} {path}")
            checks.equal(answer.header("allow"), allowed, f"{method} {path}")
    answer = ask(8010, "/admin/faults", *JSON, method="PUT")
    says(checks, answer, 405, "method", "PUT faults")
    checks.equal(sorted(answer.header("allow").split(", ")), ["GET", "HEAD", "POST"], "PUT faults")
    checks.equal(ask(8018, "/admin/demo-status").status, 404, "on the load generator's port alone")
    run.end()


def faults(checks):
    run = Run("--speed", "2")
    listed = run.get("/admin/faults").json
    checks.equal(list(listed), ["kinds", "faults"], "faults")
    checks.that({"drop_index", "create_index", "pool_max", "service_down"} <= set(listed["kinds"]), f"kinds: {listed}")
    checks.equal([f["target"] for f in listed["faults"]], ["idx_products_category", "idx_products_stock_quantity"],
                 "the scenario's faults")
    checks.equal(sorted(listed["faults"][0]), ["applied", "at_s", "name", "target", "value"], "a fault")
    for kind in ("nothing", "", "drop_inde", "drop_indexx", "drop_index/x", "%64rop_index"):
        says(checks, run.post(f"/admin/faults/{kind}", '"idx_products_category"'), 404, "fault", f"kind {kind!r}")
    says(checks, run.post("/admin/faults", '"x"'), 404, "fault", "no kind")
    bad = [("", "JSON"), ("{", "JSON"), ("nonsense", "JSON"), ('"idx_products_categry"', "drop_index"), ("1", "drop_index"),
           ("null", "drop_index"), ("[]", "drop_index"), ('{"index": "idx_products_category"}', "drop_index"),
           ('"idx_products_category, create_index: x"', "drop_index"), ('"x}, {at: 1s"', "drop_index"),
           ('"' + "x" * 5000 + '"', "drop_index"), ("[" * 1000 + "]" * 1000, ""), ('"\\u0000"', "")]
    for body, words in bad:
        says(checks, run.post("/admin/faults/drop_index", body), 400, words, f"drop_index {body[:40]!r}")
    for body in ('{"pool": "nothing", "max": 5}', '{"pool": "orders"}', '{"pool": "orders", "max": 0}',
                 '{"pool": "orders", "max": "x"}', '{"pool": "orders", "max": 5, "more": 1}', '5'):
        says(checks, run.post("/admin/faults/pool_max", body), 400, "pool_max", f"pool_max {body}")
    checks.equal(len(run.get("/admin/faults").json["faults"]), 2, "bad faults change nothing")
    answer = run.post("/admin/faults/pool_max", {"pool": "orders", "max": 5})
    checks.equal((code(answer), answer.json), (200, {"status": "fault_set", "name": "pool_max", "target": "orders"}), "set")
    answer = run.post("/admin/faults/service_down", '"ad-service"')
    checks.equal(code(answer), 200, "service_down")
    checks.equal(ask(8012, "/ads?category=electronics").status, 504, "and it is down")
    checks.equal(code(run.post("/admin/faults/service_up", '"ad-service"')), 200, "service_up")
    checks.equal(ask(8012, "/ads?category=electronics").status, 200, "and it is up")
    found = [(f["name"], f["target"], f["applied"]) for f in run.get("/admin/faults").json["faults"][2:]]
    checks.equal(found, [("pool_max", "orders", True), ("service_down", "ad-service", True),
                         ("service_up", "ad-service", True)], "the list")
    # The scenario never planned these; what counts is what it can have now.
    for kind, index in (("create_index", "idx_products_category"), ("drop_index", "idx_products_category"),
                        ("create_index", "idx_products_recommendations"), ("drop_index", "idx_products_recommendations")):
        checks.equal(code(run.post(f"/admin/faults/{kind}", f'"{index}"')), 200, f"{kind} {index}")
    def resize(number):
        return run.post("/admin/faults/pool_max", {"pool": "orders", "max": number})

    # A run keeps 64: what is replaced by a newer one of its kind gives up its place, so that who switches things on
    # and off is never stuck.
    statuses = {resize(1 + number % 90).status for number in range(100)}
    checks.equal(statuses, {200}, "a hundred times")
    checks.equal(len(run.get("/admin/faults").json["faults"]), 64, "still as many")
    run.end()


def healing(checks):
    """The index is created in the worst of it: whoever comes a little later is served."""
    run = Run("--from", "18m", "--speed", "4" if DEBUG else "20")

    def demo():
        return run.get("/admin/traffic-stats").json["demo"]

    checks.that(run.until(lambda: demo()["requests"] > 1500, 60), "the incident runs")
    sick = demo()
    checks.that(sick["errors"] > 0.6 * sick["requests"], f"sick: {sick}")
    checks.equal(code(run.post("/admin/faults/create_index", '"idx_products_recommendations"')), 200, "create_index")
    # What had begun before has ended after 10 s of the timeline: 700 requests at most.
    at_once = demo()["requests"]
    checks.that(run.until(lambda: demo()["requests"] > at_once + 1000, 60), "it goes on")
    settled = demo()
    checks.that(run.until(lambda: demo()["requests"] > settled["requests"] + 1000, 60), "it goes on")
    healed = demo()
    requests, errors = healed["requests"] - settled["requests"], healed["errors"] - settled["errors"]
    print(f"before: {sick['errors']} of {sick['requests']} failed, after: {errors} of {requests}")
    checks.that(errors < 0.05 * requests, f"healed: {errors} of {requests} failed")
    checks.that(json.dumps(healed) != json.dumps(settled), "two readings")
    run.end()


def by_hand(checks):
    """What somebody sets is told, by the clock of the demo that has ended, and fails nothing; nor does a stream that was
    switched off."""
    run = Run("--speed", "20", "--json", "--set", "faults=[]", "--set", 'expect=["baseline.errors each minute: rate<=0.02"]',
              BASELINE_ENABLED="false", DEMO_DURATION_MINUTES="10")
    checks.that(run.until(lambda: run.get("/admin/demo-status").json["elapsed_minutes"] >= 0.5), "half a minute")
    checks.equal(code(run.post("/admin/stop-demo", {})), 200, "stop-demo")
    said = run.get("/admin/faults")
    for value in (10, 0):
        body = {"pool": "orders", "count": value}
        checks.equal(code(run.post("/admin/faults/hold_connections", body)), 200, f"hold_connections of {value}")
    checks.equal(said.json["faults"], [], "none before")
    run.send()
    exit_code = run.wait()
    report = json.loads(run.told())
    checks.equal([(f["name"], f["value"], f["by_hand"], f["landed"]) for f in report["faults"]],
                 [("hold_connections", 10, True, False), ("hold_connections", 0, True, False)], "nobody met them")
    checks.that(all(f["at_s"] > 20 for f in report["faults"]), f"dated: {report['faults']}")
    checks.equal([e["held"] for e in report["expectations"]], [None], "there is no baseline to be judged")
    checks.equal(exit_code, 0, "exit code")


def main():
    alone()
    checks = Checks()
    for part in (on_loopback, reachable, demo_clock, another_demo, warm_up, environment, routes, faults, healing, by_hand):
        begun = time.monotonic()
        part(checks)
        print(f"{part.__name__}: {time.monotonic() - begun:.1f} s")
    checks.end()


main()
