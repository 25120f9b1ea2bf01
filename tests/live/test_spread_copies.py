# ctest: label=live build=release
"""Two copies of a service: asks go round both, the one that is left serves alone, and who is back is asked again."""

import json
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from live_run import ROOT, Checks, alone, ask  # noqa: E402
from spread_run import PEER_PORTS, Piece, failed, settings, spans_of, until  # noqa: E402

SCENARIO = os.path.join(ROOT, "tests", "live", "pulled_plugs.yaml")
TWICE = ("frontend", "cart-service")
BUSY = settings(streams__browsers__rate="2000/min", streams__buyers__rate="2000/min")
NS = 10**9
# What is on its way to a copy that dies fails; what comes after a moment does not.
MOMENT_S = 1


class Shop:
    """Each of TWICE at 127.0.0.1 and at 127.0.0.2; everything else but the load generator in one process."""

    def __init__(self, folder):
        self.folder, self.pieces, self.lives = folder, {}, {}
        self.peers = [(service, f"127.0.0.1:{port}") for service, port in PEER_PORTS.items()]
        self.peers += [(service, f"127.0.0.2:{PEER_PORTS[service]}") for service in TWICE]
        self.begin("load-generator", "--json")
        self.begin(",".join(service for service in PEER_PORTS if service not in (*TWICE, "load-generator")))
        for service in TWICE:
            self.begin(service)
            self.begin(service, "--listen", "127.0.0.2")

    def begin(self, only, *options):
        name, copy = only.split(",")[0], "--listen" in options
        life = self.lives[name] = self.lives.get(name, 0) + 1
        traces = os.path.join(self.folder, f"t.{name}.{life}.jsonl" if life > 1 else f"t.{name}.jsonl")
        self.pieces[name, copy] = Piece(only, self.peers, *options, *BUSY, "--traces", traces, scenario=SCENARIO)

    def counts(self):
        answer = ask(8010, "/admin/traffic-stats")
        return (answer.json["demo"]["requests"], answer.json["demo"]["errors"]) if answer and answer.status == 200 else (0, 0)

    def go_on(self, requests=60):
        """So many more end; how many of all since then have failed."""
        first = self.counts()
        until(lambda: self.counts()[0] >= first[0] + requests, 60)
        return self.counts()[1] - first[1]

    def settle(self):
        """Until nothing fails any more."""
        return until(lambda: self.go_on(20) == 0, 60)

    def end(self):
        for piece in self.pieces.values():
            if piece.process.poll() is None:
                piece.process.kill()
                piece.wait()


def instances(spans, service, after_ns=0, before_ns=1 << 63):
    """How many requests each copy served that began then."""
    served = {}
    for span in spans:
        if span["service"] == service and span["kind"] == 2 and after_ns < int(span["startTimeUnixNano"]) < before_ns:
            served[span["instance"]] = served.get(span["instance"], 0) + 1
    return served


def even(served):
    return len(served) == 2 and min(served.values()) > 0.3 * sum(served.values())


def play(checks, shop):
    """The instants between which things happened, by name."""
    at = {}
    checks.that(until(lambda: shop.counts()[0] > 20, 60), f"it begins: {shop.pieces['load-generator', False].said()}")
    checks.equal(shop.go_on(100), 0, "errors with two copies of each")
    # One of each is killed.
    for service in TWICE:
        shop.pieces[service, True].process.kill()
        shop.pieces[service, True].wait()
    at["killed"] = time.time_ns()
    checks.that(shop.settle(), "the others serve alone")
    time.sleep(MOMENT_S)
    at["alone"] = time.time_ns()
    checks.equal(shop.go_on(100), 0, "errors with one copy of each")
    at["begun"] = time.time_ns()
    for service in TWICE:
        shop.begin(service, "--listen", "127.0.0.2")
    checks.that(until(lambda: all(ask(PEER_PORTS[service] - 1000, "/readyz", address="127.0.0.2") for service in TWICE), 30),
                "they are back")
    time.sleep(MOMENT_S)
    at["back"] = time.time_ns()
    checks.equal(shop.go_on(100), 0, "errors with two again")
    at["left"] = time.time_ns()
    # One that is told to end takes its leave: nobody is lost with it.
    shop.pieces["cart-service", True].send()
    checks.equal(shop.pieces["cart-service", True].wait(30), 0, "the exit code of one that leaves")
    checks.equal(shop.go_on(60), 0, "errors after one has left")
    lead = shop.pieces["load-generator", False]
    lead.send()
    codes = {name: piece.wait(60) for name, piece in shop.pieces.items()}
    checks.equal({name: code for name, code in codes.items() if code}, {}, f"exit codes: {lead.said()}")
    return at


def main():
    alone()
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(folder)
        try:
            at = play(checks, shop)
        finally:
            shop.end()
        spans = list(spans_of(os.path.join(folder, "t.jsonl")))
        report = json.loads(shop.pieces["load-generator", False].told())
        for service in TWICE:
            both = instances(spans, service, 0, at["killed"] - NS)
            one = instances(spans, service, at["alone"], at["begun"])
            again = instances(spans, service, at["back"], at["left"])
            print(f"{service}: {list(both.values())}, alone {list(one.values())}, and then {list(again.values())}")
            checks.that(even(both), f"{service}: both serve: {both}")
            checks.that(len(one) == 1 and set(one) < set(both), f"{service}: the other serves alone: {one}")
            checks.that(even(again) and set(one) < set(again), f"{service}: both serve again: {again}")
            checks.that(not set(again) - set(one) & set(both), f"{service}: who is back is another instance: {both}, {again}")
        roots = [span for span in spans if "parentSpanId" not in span and failed(span)]
        bad = [span for span in roots if not at["killed"] - NS < int(span["startTimeUnixNano"]) < at["alone"]]
        checks.equal([span["traceId"] for span in bad], [], "requests that failed at another time")
        errors = sum(stream["errors"] for stream in report["streams"].values())
        print(f"{errors} requests failed with the copies that died; processes: {report['processes']}")
        checks.equal(len(roots), errors, "errors of the report")
        checks.equal(report["processes"]["gone"], 2, "processes lost")
    checks.end()


if __name__ == "__main__":
    main()
