# ctest: label=live build=release
"""kill -9 in a run of thirteen processes: who needed the dead one fails, nobody else does, and it is back.

Three of the processes one after the other, then all but the load generator's at once, then that one; DOORBUSTER_LONG=1: each
of them in turn."""

import json
import os
import re
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from live_run import ROOT, Checks, alone, ask  # noqa: E402
from spread_run import LONG, PORTS, SERVICES, Spread, alive, attributes, failed, spans_of  # noqa: E402

SCENARIO = os.path.join(ROOT, "tests", "live", "pulled_plugs.yaml")
VICTIMS = SERVICES if LONG else ("cart-service", "checkout", "postgresql")
NS = 10**9
BACK_S = 2
# A caller that asks again at the very end of its back-off finds its peer half a second later than another one does.
SLACK_S = 1
AWAY = {"no_peer", "timeout", "deadline"}


def counts(run):
    """Requests and errors of all streams, as the run has them now."""
    answer = run.get("/admin/traffic-stats")
    demo = answer.json["demo"] if answer else {"requests": 0, "errors": 0}
    return demo["requests"], demo["errors"]


def begun(run, requests=40):
    return run.until(lambda: counts(run)[0] > requests, 60)


def healthy(run, requests=30, seconds=60):
    """Until so many requests have ended without one that failed."""
    mark = [counts(run)]

    def well():
        now = counts(run)
        if now[1] != mark[0][1]:
            mark[0] = now
        return now[0] - mark[0][0] >= requests

    return run.until(well, seconds)


def ready(service):
    answer = ask(PORTS[service], "/readyz") if service in PORTS else None
    return service not in PORTS or (answer is not None and answer.status == 200)


def one_after_the_other(checks, run):
    """When each was killed."""
    killed = {}
    for victim in VICTIMS:
        before = run.children()
        killed[victim] = time.time_ns()
        run.kill(victim)
        checks.that(run.until(lambda: run.children().get(victim) not in (None, before[victim]), 30), f"{victim} begins again")
        checks.that(run.until(lambda: ready(victim), 30), f"{victim} is ready again")
        checks.that(healthy(run), f"{victim}: requests succeed again")
        after = run.children()
        checks.equal({name: pid for name, pid in after.items() if name != victim},
                     {name: pid for name, pid in before.items() if name != victim}, f"{victim} died alone")
        checks.equal(run.restarts(), {name: 1 for name in killed}, f"after {victim}: restarts")
    return killed


def names_peer(span, peer):
    about = attributes(span)
    return about.get("peer.service") == peer and failed(span) and about.get("error.type") in AWAY


def ends(span):
    return int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])


def blame(checks, spans, killed, report):
    """Each request that failed needed the dead one while it was away, and says so."""
    by_trace, served, missed = {}, {}, dict.fromkeys(killed, 0)
    for span in spans:
        by_trace.setdefault(span["traceId"], []).append(span)
        peer = attributes(span).get("peer.service")
        missed[peer] = missed.get(peer, 0) + names_peer(span, peer)
        if peer in killed and not failed(span) and ends(span)[0] > killed[peer]:
            served[peer] = min(served.get(peer, ends(span)[1]), ends(span)[1])
    checks.equal(sorted(served), sorted(killed), "all serve again")
    failures = {victim: 0 for victim in killed}
    for trace in by_trace.values():
        root = next((span for span in trace if "parentSpanId" not in span), None)
        if root is None or not failed(root):
            continue
        about = [(victim, span) for victim in killed for span in trace if names_peer(span, victim)]
        status = attributes(root).get("http.response.status_code", attributes(root).get("error.type"))
        checks.that(about and status in ("503", "504", *AWAY), f"{root['traceId']} failed by {status}, and names {about}")
        for victim, span in about[:1]:
            first, last = ends(span)
            until = max(killed[victim] + BACK_S * NS, served.get(victim, 0) + SLACK_S * NS)
            checks.that(last >= killed[victim] and first <= until,
                        f"{root['traceId']} failed by {victim} {(first - killed[victim]) / NS:.2f} s after that was killed")
            failures[victim] += 1
    for victim, at in killed.items():
        took = (served.get(victim, at) - at) / NS
        print(f"{victim}: missed by {missed[victim]} asks, {failures[victim]} requests failed by it; serving again after {took:.2f} s",
              flush=True)
        checks.that(missed[victim] > 0 or took < 1, f"{victim} was missed")
        if report["clock"]["kept_up"]:
            checks.that(took <= BACK_S, f"{victim}: {took:.2f} s until it served again")
        else:
            print(f"{victim}: its time is not compared, as the machine did not keep up")
    return sum(failures.values())


def lost(run):
    """How many processes were lost, and how many spans with them, as stderr has it."""
    told = re.findall(r"the process of [a-z-]+ has gone; (\d+) spans", run.said())
    return len(told), sum(map(int, told))


def in_turn(checks):
    with tempfile.TemporaryDirectory() as scratch:
        traces = os.path.join(scratch, "t.jsonl")
        run = Spread("--json", "--traces", traces, scenario=SCENARIO)
        checks.that(begun(run), "it begins")
        killed = one_after_the_other(checks, run)
        run.send()
        checks.equal(run.wait(60), 0, f"exit code: {run.said()}")
        report = json.loads(run.told())
        errors = sum(stream["errors"] for stream in report["streams"].values())
        spans = list(spans_of(traces))
        checks.equal(blame(checks, spans, killed, report), errors, "errors of the report")
        gone, spans_lost = lost(run)
        checks.equal(gone, len(killed), f"told: {run.said()}")
        checks.equal(report["processes"], {"joined": len(SERVICES) + len(killed), "gone": gone, "spans_lost": spans_lost}, "report")
        ids = {span["spanId"] for span in spans}
        missing = {span["parentSpanId"] for span in spans if "parentSpanId" in span} - ids
        told = report["traces"]["spans"] - spans_lost
        print(f"spans: {len(spans)} in files, {told} by the report, without {spans_lost} lost; {len(missing)} parents are missing")
        # Beyond what a dead process had told of, its file has at most what it wrote since, in half a second.
        checks.that(0 <= len(spans) - told <= 100 * len(killed), "the spans in files and the report's")
        checks.that(f"doorbuster: restarts: {len(killed)} (" in run.said(), run.said())


def all_at_once(checks):
    run = Spread("--json", scenario=SCENARIO)
    checks.that(begun(run), "it begins")
    before = run.children()
    run.kill(*SERVICES)
    checks.that(run.until(lambda: len(run.children()) == len(before), 60), "all are there again")
    checks.that(healthy(run), "requests succeed again")
    after = run.children()
    checks.equal(after["load-generator"], before["load-generator"], "the load generator's went on")
    checks.that(not {pid for name, pid in after.items() if name != "load-generator"} & set(before.values()), "the others are new ones")
    run.send()
    checks.equal(run.wait(60), 0, f"exit code: {run.said()}")
    checks.equal(json.loads(run.told())["processes"]["gone"], len(SERVICES), "processes lost")
    checks.equal(run.restarts(), {name: 1 for name in SERVICES}, run.said())


def no_run_without_the_load_generator(checks):
    run = Spread("--quiet", scenario=SCENARIO)
    checks.that(begun(run), "it begins")
    children = run.children()
    run.kill("load-generator")
    checks.equal(run.wait(30), 1, "exit code")
    checks.that("the load-generator's process died (signal 9): the run is over\n" in run.said(), run.said())
    checks.equal([name for name, pid in children.items() if alive(pid)], [], "nobody is left")


def main():
    alone()
    checks = Checks()
    for part in (in_turn, all_at_once, no_run_without_the_load_generator):
        start = time.monotonic()
        part(checks)
        print(f"{part.__name__}: {time.monotonic() - start:.1f} s", flush=True)
    checks.end()


if __name__ == "__main__":
    main()
