# ctest: label=long build=release
"""Thirteen processes that are begun one by one, each on a machine of its own as far as the network goes: the same traces
as in virtual time, and what a cut between two of them does and does not.

DOORBUSTER_LONG=1: the scripted Black Friday too, every band of it."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from live_run import ROOT, Checks, alone, ask  # noqa: E402
from spread_run import (BANDS, DIFFERENT, LONG, NORMAL, PEER_PORTS, SPEEDS, Piece, afternoon, attributes, band, call, failed,  # noqa: E402
                        must, resident_kib, spans_of, traces_told, until)

SCENARIO = os.path.join(ROOT, "tests", "live", "pulled_plugs.yaml")
TOKEN = "a-token-of-the-test"
NS = 10**9
CUT_S, HEALED_S = 10, 2
# The frontend's own limit for product-catalog, what a loaded machine may add, and how far memory may grow.
LIMIT_S, LATE_S, GROWTH_KIB = 3, 1, 16 * 1024
FRONTEND, CATALOG, CHECKOUT = "frontend", "product-catalog", "checkout"


def command(*words):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(words)}: {done.stderr.strip()}")


class Machines:
    """A network namespace for each actor, all on one bridge of the test's namespace."""

    def __init__(self):
        self.holders, self.address = {}, {}
        command("ip", "link", "add", "name", "doorbuster0", "type", "bridge")
        command("ip", "address", "add", "10.77.0.254/24", "dev", "doorbuster0")
        command("ip", "link", "set", "doorbuster0", "up")
        for number, service in enumerate(PEER_PORTS, 1):
            self.address[service] = f"10.77.0.{number}"
            # It says when it is in its namespace, and stays until it is ended.
            holder = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self.holders[service] = holder
            if not holder.stdout.readline():
                raise OSError("unshare -n: no namespace")
            command("ip", "link", "add", "name", f"wire{number}", "type", "veth", "peer", "name", "eth0", "netns", str(holder.pid))
            command("ip", "link", "set", f"wire{number}", "master", "doorbuster0", "up")
            self.command(service, "ip", "link", "set", "lo", "up")
            self.command(service, "ip", "address", "add", f"{self.address[service]}/24", "dev", "eth0")
            self.command(service, "ip", "link", "set", "eth0", "up")

    def at(self, service):
        return "nsenter", "-t", str(self.holders[service].pid), "-n"

    def command(self, service, *words):
        command(*self.at(service), *words)

    def wall(self, action, one, other):
        """Neither hears the other while it stands."""
        for here, there in ((one, other), (other, one)):
            self.command(here, "iptables", "-w", action, "INPUT", "-s", self.address[there], "-j", "DROP")

    def end(self):
        for holder in self.holders.values():
            holder.stdin.close()
            holder.wait()
        subprocess.run(["ip", "link", "delete", "doorbuster0"], check=False)


class Shop:
    """A process an actor, each on its machine."""

    def __init__(self, machines, *options, scenario=NORMAL, traces=None, seed=None):
        self.machines = machines
        peers = [(service, f"{machines.address[service]}:{port}") for service, port in PEER_PORTS.items()]
        self.pieces = {}
        for service in PEER_PORTS:
            files = ["--traces", re.sub(r"(\.[a-z]+)$", rf".{service}\1", traces)] if traces else []
            lead = service == "load-generator"
            self.pieces[service] = Piece(service, peers, "--listen", "0.0.0.0", *options, *files, *(["--json"] if lead else []),
                                         prefix=machines.at(service), scenario=scenario, seed=seed if lead else None,
                                         DOORBUSTER_ADMIN_TOKEN=TOKEN)

    @property
    def lead(self):
        return self.pieces["load-generator"]

    def counts(self):
        """Requests and errors of the demo."""
        answer = ask(8010, "/admin/traffic-stats", "-H", f"Authorization: Bearer {TOKEN}",
                     address=self.machines.address["load-generator"])
        return (answer.json["demo"]["requests"], answer.json["demo"]["errors"]) if answer and answer.status == 200 else (0, 0)

    def wait(self, seconds):
        """The exit codes, by service."""
        return {service: piece.wait(seconds) for service, piece in self.pieces.items()}

    def end(self):
        for piece in self.pieces.values():
            if piece.process.poll() is None:
                piece.process.kill()
                piece.wait()


def parity(checks, machines, what, scenario, words, least):
    with tempfile.TemporaryDirectory() as scratch:
        virtual, spread = os.path.join(scratch, "v.jsonl"), os.path.join(scratch, "t.jsonl")
        must("simulate", scenario, "--seed", "7", "--quiet", "--traces", virtual, *words)
        for speed in SPEEDS:
            for name in os.listdir(scratch):
                if name.startswith("t."):
                    os.remove(os.path.join(scratch, name))
            shop = Shop(machines, "--speed", speed, *words, scenario=scenario, traces=spread, seed="7")
            codes = shop.wait(600)
            checks.equal({service: code for service, code in codes.items() if code}, {}, f"exit codes: {shop.lead.said()}")
            done = call("compare", virtual, spread)
            print(f"{what}, speed {speed}:", done.stdout.strip(), flush=True)
            if done.returncode != DIFFERENT:
                break
        checks.that(traces_told(done) >= least, f"{what}: at least {least} equal traces expected\n{done.stdout}{done.stderr}")


# ---- a cut ----


def between(spans):
    """What the frontend asked of product-catalog: began, ended, and how."""
    for span in spans:
        if span["service"] == FRONTEND and attributes(span).get("peer.service") == CATALOG:
            yield int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"]), failed(span), attributes(span).get("error.type")


def judge(checks, asks, cut, healed, report):
    """Those of the cut fail in time; afterwards all is well."""
    during = [ask for ask in asks if cut < ask[0] < healed]
    bad = [ask for ask in asks if ask[2]]
    well = [ask for ask in asks if ask[0] > healed and not ask[2]]
    longest = max((last - first) / NS for first, last, *_ in bad)
    kinds = sorted({kind for *_, kind in bad})
    back = (min(first for first, *_ in well) - healed) / NS if well else None
    print(f"cut for {(healed - cut) / NS:.1f} s: {len(bad)} asks failed by {kinds}, the longest after {longest:.2f} s; "
          f"the first that succeeded began {back} s after the end", flush=True)
    checks.that(len(during) > 50 and all(ask[2] for ask in during), f"asks of the cut fail: {len(during)}")
    checks.that(all(last > cut for _, last, *_ in bad), "none failed before")
    checks.that(set(kinds) <= {"no_peer", "timeout", "deadline"}, f"kinds: {kinds}")
    checks.that(well, "it heals")
    if not report["clock"]["kept_up"]:
        print("times are not compared, as the machine did not keep up")
        return
    checks.that(longest <= LIMIT_S + LATE_S, f"the longest took {longest:.2f} s, and its limit is {LIMIT_S} s")
    checks.that(back is not None and back <= HEALED_S, f"healed after {back} s")
    checks.that(all(first < healed + HEALED_S * NS for first, *_ in bad), "none fails after it has healed")


def cut_off(checks, machines, shop):
    """Between the load generator and a process that it does not ask: nothing fails, and no figure is missing in the end."""
    before = shop.counts()
    machines.wall("-A", "load-generator", CHECKOUT)
    gone = f"the process of {CHECKOUT} has gone"
    checks.that(until(lambda: gone in shop.lead.said(), 30), f"it is missed: {shop.lead.said()}")
    machines.wall("-D", "load-generator", CHECKOUT)
    checks.that(until(lambda: f"the process of {CHECKOUT} is back" in shop.lead.said(), 30), f"it comes back: {shop.lead.said()}")
    checks.that(until(lambda: shop.counts()[0] > before[0] + 60, 60), "it goes on")
    checks.equal(shop.counts()[1], before[1], "errors while it was cut off")


def whole(checks, report):
    """The orders of checkout's process are those that the load generator's knows of."""
    shop, statements = report["business"], report["statements"]
    checks.equal(shop["orders"], shop["checkouts"] - shop["checkouts_failed"], f"orders: {shop}")
    checks.equal(statements["order_insert"]["runs"], shop["orders"], "orders in the database's process")
    checks.equal(report["pools"]["orders"]["acquired"], shop["orders"], "connections that checkout's process took for them")


def cut_and_healed(checks, machines):
    with tempfile.TemporaryDirectory() as scratch:
        traces = os.path.join(scratch, "t.jsonl")
        shop = Shop(machines, scenario=SCENARIO, traces=traces)
        try:
            checks.that(until(lambda: shop.counts()[0] > 60, 60), f"it begins: {shop.lead.said()}")
            checks.equal(shop.counts()[1], 0, "errors before the cut")
            before = {service: resident_kib(piece.process.pid) for service, piece in shop.pieces.items()}
            machines.wall("-A", FRONTEND, CATALOG)
            cut = time.time_ns()
            time.sleep(CUT_S)
            after = {service: resident_kib(piece.process.pid) for service, piece in shop.pieces.items()}
            errors = shop.counts()[1]
            healed = time.time_ns()
            machines.wall("-D", FRONTEND, CATALOG)
            checks.that(errors > 20, f"{errors} errors during the cut")
            time.sleep(HEALED_S + 1)
            mark = shop.counts()
            checks.that(until(lambda: shop.counts()[0] > mark[0] + 60, 60), "it goes on")
            checks.equal(shop.counts()[1], mark[1], "errors after it has healed")
            cut_off(checks, machines, shop)
            shop.lead.send()
            codes = shop.wait(60)
            checks.equal({service: code for service, code in codes.items() if code}, {}, f"exit codes: {shop.lead.said()}")
        finally:
            shop.end()
        report = json.loads(shop.lead.told())
        ended = sum(stream["requests"] for stream in report["streams"].values())
        checks.equal(ended, report["clock"]["started"], "each request that began has ended")
        checks.equal(report["processes"]["gone"], 0, "nobody died")
        whole(checks, report)
        grown = {service: after[service] - before[service] for service in before}
        print(f"memory: at most {max(after.values()) / 1024:.0f} MiB a process, grown by up to {max(grown.values()) / 1024:.1f}")
        checks.that(max(grown.values()) < GROWTH_KIB, f"memory: {grown}")
        judge(checks, list(between(spans_of(traces))), cut, healed, report)


def main():
    alone()
    for program, package in (("nsenter", "util-linux"), ("iptables", "iptables")):
        if not shutil.which(program):
            print(f"SKIPPED: needs {program} (apt-get install {package})")
            return
    checks = Checks()
    try:
        machines = Machines()
        machines.wall("-A", FRONTEND, CATALOG)
        machines.wall("-D", FRONTEND, CATALOG)
    except OSError as why:
        print(f"SKIPPED: no network of several machines can be made here: {why}")
        return
    try:
        parity(checks, machines, "an ordinary afternoon", *afternoon(), 1000)
        for first, last in BANDS if LONG else ():
            parity(checks, machines, f"minutes {first:g} to {last:g}", *band(first, last), 5000 if first > 1 else 2500)
        cut_and_healed(checks, machines)
    finally:
        machines.end()
    checks.end()


if __name__ == "__main__":
    main()
