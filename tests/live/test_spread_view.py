# ctest: label=live build=release serial
"""A run of thirteen processes seen as one: the report, alerts and expectations, the admin API, telemetry and the exit code,
as if it were one process; and what does not belong together says so."""

import concurrent.futures
import json
import os
import re
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from live_run import FLAGSHIP, PROGRAM, ROOT, Checks, Comparisons, alone, ask  # noqa: E402
from otlp_sink import Sink  # noqa: E402
from spread_run import LONG, NORMAL, OWN_LOOPBACK, PORTS, SERVICES, Piece, Spread, alive, attributes, call, on_loopback, settings, until  # noqa: E402

SCENARIO = os.path.join(ROOT, "tests", "live", "pulled_plugs.yaml")
DRAIN_S = 4
JSON = ("-H", "Content-Type: application/json")
INDEX = '"idx_products_recommendations"'
TAKEN, USAGE, CUT_SHORT, MISSING = 106, 2, 105, 69
# The last minutes of the flagship before minute 20, and how fast they are played.
FROM, SPEED = ("17m", "1") if LONG else ("19m", "4")
LAST = settings(duration="20m", phases="[[0m, all]]", streams__demo__table=[], streams__baseline__table=[],
                alerts="[{name: failing, when: {series: demo.errors, over: 1m, above: 50%, for: 75s}}]",
                expect=[f"demo.errors each minute from {FROM}: rate within 0.55..0.9", f"alert failing: fires in {FROM}..20m",
                        "pool.recommendations.used: max==20", "query.recommendations.cpu: rate>0",
                        "business.orders: count>100", "trace.services: count==11"])


def code(answer):
    return answer.status if answer else None


# ---- the report ----


def same_report(checks, live, model):
    for name, stream in model["streams"].items():
        other = live["streams"][name]
        checks.equal(other["requests"], stream["requests"], f"{name}: requests")
        checks.that(abs(other["error_rate"] - stream["error_rate"]) <= 0.03,
                    f"{name}: error rate {other['error_rate']} live, {stream['error_rate']} in virtual time")
        print(f"{name}: {other['requests']} requests, error rate {stream['error_rate']} -> {other['error_rate']}")
    for name, pool in model["pools"].items():
        other = live["pools"].get(name, {})
        checks.equal((other.get("service"), other.get("max")), (pool["service"], pool["max"]), f"pool {name}")
        for key in ("acquired", "timeouts"):
            checks.that(abs(other[key] - pool[key]) <= max(5, 0.1 * pool[key]), f"pool {name}: {key} {pool[key]} -> {other[key]}")
    checks.that(abs(live["business"]["orders"] / model["business"]["orders"] - 1) <= 0.15,
                f"orders: {model['business']['orders']} -> {live['business']['orders']}")
    checks.equal([alert["state"] for alert in live["alerts"]], [alert["state"] for alert in model["alerts"]], "alerts")
    checks.equal(live["cause"]["kind"], model["cause"]["kind"], "cause")
    checks.equal(live["traces"]["services"], model["traces"]["services"], "services")


def whole(checks, report):
    """What each process told fits together, however well the machine kept up."""
    shop, statements = report["business"], report["statements"]
    failed = report["streams"]["demo"]["errors"]
    checks.equal(sorted(set(report["services"]) - set(SERVICES) - {"load-generator"}), [], "services")
    checks.equal(shop["orders"], shop["checkouts"] - shop["checkouts_failed"], "orders are what did not fail")
    checks.that(shop["orders"] <= statements["order_insert"]["runs"] <= shop["orders"] + failed, f"orders: {shop}, {statements}")
    checks.equal(statements["order_insert"]["runs"], report["pools"]["orders"]["acquired"], "the orders' pool and their statements")
    for edge in report["edges"]:
        if edge["to"] == "postgresql" and edge["from"] == "recommendation-service":
            checks.that(edge["calls"] > 100, f"calls of another process: {edge}")
    fault = report["faults"][0]
    seen = re.match(r"([\d,]+) statements looked for it in vain", fault["evidence"])
    checks.that(fault["landed"] and seen, f"the database's process has seen the fault: {fault}")
    checks.equal(int(seen.group(1).replace(",", "")) if seen else 0, statements["recommendations"]["runs"], "evidence")
    checks.equal(report["processes"], {"joined": len(SERVICES), "gone": 0, "spans_lost": 0}, "processes")
    checks.equal(report["pools"]["recommendations"]["peak_used"], 20, "the pool is exhausted")


def incident(scratch):
    """The last minutes on a loopback of their own, while other things are looked at; what it ends with, and its report."""
    file = os.path.join(scratch, "report.json")
    run = call("run", FLAGSHIP, "--seed", "7", "--processes", "13", "--from", FROM, "--speed", SPEED, "--report", file, *LAST,
               prefix=OWN_LOOPBACK)
    with open(file, encoding="utf-8") as found:
        return run, json.load(found)


def report(checks, run, live, compared):
    model = call("simulate", FLAGSHIP, "--seed", "7", "--quiet", "--json", "--from", FROM, *LAST)
    whole(checks, live)
    print("expectations:", *(f"{each['expect']}: {each['actual']};" for each in live["expectations"]))
    if compared.fair("the last minutes", live):
        same_report(checks, live, json.loads(model.stdout))
        checks.equal([each["expect"] for each in live["expectations"] if not each["held"]], [], "expectations that failed")
        checks.equal(run.returncode, 0, f"exit code: {run.stderr}")
        checks.that(run.stdout.count("  ok      ") == 6, f"on the terminal too: {run.stdout}")


# ---- the admin API ----


def demo_of(run):
    answer = run.get("/admin/traffic-stats")
    return answer.json["demo"] if answer else {"requests": 0, "errors": 0}


def share(before, after):
    return (after["errors"] - before["errors"]) / max(after["requests"] - before["requests"], 1)


def healing(checks):
    """The index is in the database's process, and the one that is asked to create it is another."""
    run = Spread("--from", "18m", "--speed", "4")
    checks.that(run.until(lambda: demo_of(run)["requests"] > 700, 90), "the incident runs")
    sick = demo_of(run)
    checks.that(sick["errors"] > 0.5 * sick["requests"], f"sick: {sick}")
    checks.equal(code(run.post("/admin/faults/create_index", INDEX)), 200, "create_index")
    found = run.get("/admin/faults").json["faults"][-1]
    checks.equal((found["name"], found["target"], found["applied"]), ("create_index", "idx_products_recommendations", True), "listed")
    mark = [demo_of(run)]

    def healed():
        now = demo_of(run)
        if now["requests"] - mark[0]["requests"] < 200:
            return False
        well = share(mark[0], now) < 0.05
        mark[0] = now
        return well

    checks.that(run.until(healed, 90), f"it heals: {demo_of(run)}")
    # A fault that somebody sets at another process travels to all of them as well.
    checks.equal(code(run.post("/admin/faults/drop_index", INDEX)), 200, "drop_index")
    mark[0] = demo_of(run)
    checks.that(run.until(lambda: share(mark[0], demo_of(run)) > 0.3 and demo_of(run)["requests"] > mark[0]["requests"] + 200, 90),
                "and is sick again")
    children = run.children()
    checks.equal(run.end(), CUT_SHORT, "a second signal")
    checks.equal([name for name, pid in children.items() if alive(pid)], [], "which ends all of them")


def demo_clock(checks):
    """All processes begin and end the demo when the load generator's does."""
    run = Spread("--speed", "20", "--json", DEMO_MODE="off")
    status = run.get("/admin/demo-status").json
    checks.that(run.until(lambda: run.get("/admin/traffic-stats").json["baseline"]["requests"] > 10, 60), "the baseline flows")
    checks.equal(demo_of(run)["requests"], 0, f"no demo: {status}")
    checks.equal(code(run.post("/admin/start-demo", {"scenario": "blackfriday", "duration_minutes": 20, "peak_rpm": 4200})), 200, "start")
    checks.that(run.until(lambda: run.get("/admin/demo-status").json["checkouts_attempted"] > 100, 60), "the demo flows")
    # From minute 1 on checkouts ask for recommendations.
    checks.that(run.until(lambda: run.get("/admin/demo-status").json["elapsed_minutes"] > 1.3, 60), "minute 1")
    checks.equal(code(run.post("/admin/stop-demo", {})), 200, "stop")
    stopped = demo_of(run)
    before = run.get("/admin/traffic-stats").json["baseline"]["requests"]
    checks.that(run.until(lambda: run.get("/admin/traffic-stats").json["baseline"]["requests"] > before + 5, 60), "the baseline goes on")
    after = demo_of(run)
    checks.that(after["requests"] - stopped["requests"] < 100, f"no more than what was in flight: {stopped}, {after}")
    run.send()
    checks.equal(run.wait(60), 0, "exit code")
    calls = [edge["calls"] for edge in json.loads(run.told())["edges"] if edge["to"] == "recommendation-service"]
    checks.that(sum(calls) > 10, f"the demo's minute is known elsewhere: {calls}")


def catalog(checks):
    """product-catalog's own routes change the run where it is conducted."""
    run = Spread("--speed", "1", *settings(streams__shoppers__rate="60/min", streams__shoppers__table=[], expect=[]), scenario=NORMAL)

    def took():
        begun = time.monotonic()
        answer = ask(PORTS["product-catalog"], "/products?category=electronics")
        return time.monotonic() - begun if code(answer) == 200 else None

    checks.that(until(lambda: took() is not None, 30), "it answers")
    bought = ask(PORTS["frontend"], "/api/checkout", *JSON, "-d", '{"user_id": "user-1", "cart_id": "cart-1"}', method="POST")
    checks.that(code(bought) == 200 and bought.json["status"] == "success", f"a checkout by hand: {bought.body if bought else None}")
    set_by = ask(PORTS["product-catalog"], "/demo/enable-slow-queries", *JSON, method="POST")
    checks.equal(code(set_by), 200, f"enable-slow-queries: {set_by.body if set_by else None}")
    checks.that(until(lambda: (took() or 0) >= 2.8, 30), "its queries are slow")
    checks.that(run.until(lambda: any(fault["name"] == "query_delay" and fault["target"] == "product-catalog"
                                      for fault in run.get("/admin/faults").json["faults"]), 10), "the load generator knows it")
    checks.equal(code(ask(PORTS["product-catalog"], "/demo/reset", *JSON, method="POST")), 200, "reset")
    checks.that(until(lambda: (took() or 9) < 2.8, 30), "and quick again")
    checks.equal(code(ask(PORTS["frontend"], "/admin/traffic-stats")), 404, "the admin API is the load generator's")
    run.send()
    checks.equal(run.wait(60), 0, f"exit code: {run.said()}")


# ---- telemetry, beginnings and ends ----


def telemetry(checks):
    """One resource a service, whoever sends it."""
    sink = Sink()
    run = Spread("--otlp", sink.url, "--json", scenario=SCENARIO, OTEL_EXPORTER_OTLP_PROTOCOL="http/json", OTEL_METRIC_EXPORT_INTERVAL="15000")
    checks.that(run.until(lambda: demo_of(run)["requests"] > 200, 60), "it runs")
    refused(checks)
    children = run.children()
    run.send()
    begun = time.monotonic()
    checks.equal(run.wait(60), 0, f"exit code: {run.said()}")
    took = time.monotonic() - begun
    checks.equal([name for name, pid in children.items() if alive(pid)], [], "all have ended")
    checks.that("died" not in run.said() and "restart" not in run.said(), run.said())
    sink.close()
    report_of = json.loads(run.told())
    print(f"drained in {took:.2f} s")
    checks.that(took < DRAIN_S or not report_of["clock"]["kept_up"], f"drained in {took:.2f} s, at most {DRAIN_S} expected")
    instances, spans, roots = {}, 0, 0
    for signal, key in (("traces", "resourceSpans"), ("metrics", "resourceMetrics"), ("logs", "resourceLogs")):
        for request in sink.of(signal):
            for resource in json.loads(request.body)[key]:
                about = attributes(resource["resource"])
                instances.setdefault(about["service.name"], set()).add((about["service.instance.id"], about.get("process.pid")))
                for scope in resource.get("scopeSpans", []):
                    spans += len(scope["spans"])
                    roots += sum("parentSpanId" not in span for span in scope["spans"])
    checks.equal({service: found for service, found in instances.items() if len(found) != 1}, {}, "one resource a service")
    checks.equal(len({next(iter(found))[0] for found in instances.values()}), len(instances), "each its own")
    checks.equal(sorted(set(PORTS) - set(instances)), [], f"services told of: {sorted(instances)}")
    checks.equal(spans, report_of["traces"]["spans"], "spans that arrived")
    checks.equal(roots, report_of["traces"]["count"], "traces that arrived")
    print(f"OTLP: {spans} spans of {roots} traces, {len(instances)} resources")


def refused(checks):
    """Another run on the same ports."""
    for options in (("--processes", "13"), ("--processes", "2"), ()):
        done = call("run", SCENARIO, *options)
        checks.equal(done.returncode, TAKEN, f"a second run {options}: {done.stderr}")
        checks.that("Address already in use" in done.stderr, f"a second run {options}: {done.stderr}")


def said_by(piece, words, seconds=30):
    return until(lambda: words in piece.said(), seconds)


def other_version(scratch):
    """The same program, but for the number that it goes by."""
    other = os.path.join(scratch, "doorbuster")
    number = re.search(r"(\d+\.\d+\.\d+)", call("version").stdout).group(1)
    with open(PROGRAM, "rb") as program, open(other, "wb") as copy:
        copy.write(program.read().replace(number.encode() + b"\0", b"9" + number[1:].encode() + b"\0"))
    os.chmod(other, 0o755)
    return other


def strangers(checks):
    """Who cannot be of the run is told why; the run waits for the right one, and says for whom."""
    peers = on_loopback()
    lead = Piece("load-generator", peers, scenario=SCENARIO)
    checks.that(said_by(lead, "waiting for "), "it says that it waits")
    missing = re.search(r"waiting for (.*)", lead.said()).group(1)
    checks.that(all(service in missing for service in SERVICES), f"it names them: {missing}")
    checks.that(re.search(r"without them the run ends in 11\d s$", missing), f"and for how long: {missing}")
    with tempfile.TemporaryDirectory() as scratch:
        for options, more, words in ((("--set", "duration=7m"), {}, "another scenario"), (("--speed", "2"), {}, "--speed"),
                                     ((), {"program": other_version(scratch)}, "another version")):
            other = Piece("cart-service", peers, *options, scenario=SCENARIO, **more)
            exit_code = other.wait(30)
            checks.that(exit_code != 0, f"{options}: exit code {exit_code}")
            checks.that(words in other.said(), f"{options}: {other.said()}")
    if LONG:
        checks.equal(lead.wait(150), MISSING, "exit code")
        checks.that(re.search("cannot begin without .*cart-service", lead.said()), lead.said())
        return
    lead.send()
    checks.equal(lead.wait(30), CUT_SHORT, f"exit code: {lead.said()}")


def main():
    alone()
    checks, compared = Checks(), Comparisons()
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(1) as pool:
        played = pool.submit(incident, scratch)
        for part in (healing, demo_clock, catalog, telemetry, strangers):
            begun = time.monotonic()
            part(checks)
            print(f"{part.__name__}: {time.monotonic() - begun:.1f} s", flush=True)
        report(checks, *played.result(), compared)
    if not compared.made:
        compared.end()
    checks.end()


if __name__ == "__main__":
    main()
