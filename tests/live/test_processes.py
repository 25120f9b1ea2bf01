# ctest: label=live build=both
"""--processes: the parent of a spread run, with children that do as they are told. They say which signals they get, so that
nothing is waited for but what is to come."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from live_run import ANCESTORS, ROOT, Checks  # noqa: E402

BUILD = os.environ.get("DOORBUSTER_BUILD_DIR", os.path.join(ROOT, "build"))
DRIVER = os.path.join(BUILD, "tests", "processes_driver")
STUB = os.path.join(ROOT, "tests", "live", "processes_stub.py")
SCENARIO = os.path.join(ROOT, "scenarios", "black-friday-v5.yaml")
SERVICES = {"ad-service", "cart-service", "checkout", "currency-service", "frontend", "inventory-service", "load-generator",
            "payment-service", "postgresql", "product-catalog", "recommendation-service", "redis", "shipping-service"}
LIMIT_S = 60
LATE_S = 3  # on a machine that has much else to do


def boot_s():
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Child:
    """One life of a child."""

    def __init__(self, link):
        self.link = link
        self.link.settimeout(LIMIT_S)
        self.lines = link.makefile("rb")
        self.hello = json.loads(self.lines.readline())
        self.pid = self.hello["pid"]
        self.words = self.hello["argv"][2:]
        self.hosts = self.value("--only").split(",")
        self.made_s = self.hello["made_s"]  # on the clock of boot_s, whenever its interpreter was ready

    def value(self, option):
        return self.words[self.words.index(option) + 1] if option in self.words else None

    def values(self, option):
        return [self.words[i + 1] for i, word in enumerate(self.words) if word == option]

    def signal(self):
        """The next signal that it got; None: it has gone."""
        try:
            line = self.lines.readline()
        except ConnectionError:
            line = b""
        return json.loads(line)["signal"] if line else None

    def exit(self, code):
        self.link.sendall(json.dumps({"exit": code}).encode() + b"\n")

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)


class Parent:
    """A driver with `count` children, which are there when this returns, by the first of their services."""

    def __init__(self, count, *options, ready=True, **more):
        self.folder = tempfile.TemporaryDirectory()
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(os.path.join(self.folder.name, "stub"))
        self.server.listen(64)
        self.server.settimeout(LIMIT_S)
        env = {k: v for k, v in os.environ.items() if not k.startswith(ANCESTORS)}
        env["STUB_SOCKET"] = os.path.join(self.folder.name, "stub")
        self.err = tempfile.TemporaryFile()
        self.process = subprocess.Popen([DRIVER, STUB, SCENARIO, "--processes", str(count), *options], stdout=subprocess.DEVNULL,
                                        stderr=self.err, env=env, start_new_session=True, **more)
        children = [self.next() for _ in range(count if ready else 0)]
        self.children = {child.hosts[0]: child for child in children}

    def next(self):
        return Child(self.server.accept()[0])

    @property
    def lead(self):
        return self.children["load-generator"]

    @property
    def others(self):
        return [child for name, child in self.children.items() if name != "load-generator"]

    def wait(self):
        return self.process.wait(LIMIT_S)

    def said(self):
        self.err.seek(0)
        return self.err.read().decode()

    def end(self, code=0):
        """All of them as at the end of a run; the exit code."""
        for child in self.others:
            child.exit(0)
        self.lead.exit(code)
        return self.wait()


def who_is_told_what(checks):
    parent = Parent(4, "--seed", "7", "--from", "1m30.5s", "--set", "postgresql.cores=3", "--log-level", "warn", "--otlp",
                    "http://x:1", "--report", "r.json", "--json", "--traces", "/nowhere/t.jsonl", "--redis", "managed")
    checks.equal(sorted(parent.children), ["ad-service", "cart-service", "checkout", "load-generator"], "first services")
    checks.equal(parent.lead.hosts, ["load-generator"], "the load generator's process")
    hosted = [service for child in parent.children.values() for service in child.hosts]
    checks.equal(sorted(hosted), sorted(SERVICES), "each service has one process")
    for name, child in parent.children.items():
        leads = name == "load-generator"
        peers = dict(peer.split("=") for peer in child.values("--peer"))
        checks.equal(set(peers), SERVICES - set(child.hosts), f"{name}: peers")
        checks.that(all(place.startswith("127.0.0.1:") for place in peers.values()), f"{name}: {peers}")
        checks.equal(child.value("--traces"), f"/nowhere/t.{name}.jsonl", "traces")
        checks.equal([child.value(o) for o in ("--seed", "--from", "--set", "--log-level", "--otlp")],
                     ["7", "90s500000000ns", "postgresql.cores=3", "warn", "http://x:1"], name)
        checks.equal([child.value("--report"), "--json" in child.words, "--quiet" in child.words],
                     ["r.json", True, False] if leads else [None, False, True], f"{name}: what the load generator's alone has")
        checks.equal(child.value("--redis"), "managed" if "redis" in child.hosts else None, f"{name}: --redis")
        checks.equal(child.words[-2:], ["--", SCENARIO], f"{name}: the scenario")
        hello = child.hello
        checks.equal([hello["parent"], hello["session"], hello["blocked"]], [parent.process.pid, child.pid, 0], f"{name}: process")
        checks.that(leads or hello["descriptors"][:2] == ["/dev/null", "/dev/null"], f"{name}: {hello['descriptors']}")
    said = parent.said()
    for child in parent.children.values():
        checks.that(f"process {child.pid}: {', '.join(child.hosts)}\n" in said, said)
    checks.equal(parent.end(99), 99, "the exit code is the load generator's")
    checks.that("died" not in parent.said() and "restart" not in parent.said(), parent.said())


def the_dead_begin_again(checks):
    parent = Parent(4, "--traces", "/nowhere/t.jsonl", "--quiet")
    child = parent.children["checkout"]
    for life, wait in enumerate((0.1, 0.2, 0.4, 0.8), 2):
        child.kill()
        killed = boot_s()
        child = parent.next()
        took = child.made_s - killed
        checks.equal(child.hosts[0], "checkout", "who begins again")
        checks.equal(child.value("--traces"), f"/nowhere/t.checkout.{life}.jsonl", "its next life overwrites nothing")
        checks.that(wait - 0.05 <= took < wait + LATE_S, f"life {life}: {took:.3f} s")
    other = parent.children["cart-service"]
    other.exit(7)
    checks.equal(parent.next().hosts[0], "cart-service", "who ended by itself")
    said = parent.said()
    checks.that("the process of checkout died (signal 9): restart 1 in 100ms\n" in said, said)
    checks.that("the process of checkout died (signal 9): restart 4 in 800ms\n" in said, said)
    checks.that("the process of cart-service died (exit code 7): restart 1 in 100ms\n" in said, said)
    parent.process.send_signal(signal.SIGTERM)
    checks.equal(parent.lead.signal(), signal.SIGTERM, "the load generator's process is not touched until then")
    child.kill()
    parent.lead.exit(0)
    checks.equal(parent.wait(), 0, "restarts fail nothing")
    checks.that(re.search(r"restarts: [56] \(.*checkout [45].*\)\n", parent.said()), parent.said())


def who_lived_long_begins_with_the_first_wait(checks):
    parent = Parent(2)
    parent.others[0].kill()
    child = parent.next()
    child.link.settimeout(10.5)
    try:
        checks.equal(child.signal(), None, "it ended")
    except TimeoutError:
        pass
    child.kill()
    parent.next()
    checks.equal(parent.said().count(" in 100ms"), 2, parent.said())
    parent.lead.kill()
    checks.equal(parent.wait(), 1, "exit code")


def who_ends_well_may_have_been_told_to(checks):
    parent = Parent(3)
    ended = boot_s()
    parent.others[0].exit(0)
    took = parent.next().made_s - ended
    checks.that(15.5 < took < 16 + LATE_S, f"it begins again after {took:.1f} s")
    checks.that("has ended, and the run goes on: restart 1\n" in parent.said(), parent.said())
    parent.lead.kill()
    checks.equal(parent.wait(), 1, "exit code")


def the_first_signal_is_passed_on(checks):
    for number in (signal.SIGTERM, signal.SIGINT):
        parent = Parent(3)
        os.killpg(parent.process.pid, number)  # as a terminal does
        checks.equal(parent.lead.signal(), signal.SIGTERM, "the load generator's process")
        for child in parent.others:
            child.exit(0)
            checks.equal(child.signal(), None, "another process was told by its peer alone")
        parent.lead.exit(0)
        checks.equal(parent.lead.signal(), None, "once")
        checks.equal(parent.wait(), 0, "exit code")
        checks.that("restart" not in parent.said(), parent.said())


def the_second_signal_ends_all(checks):
    parent = Parent(3)
    parent.process.send_signal(signal.SIGTERM)
    checks.equal(parent.lead.signal(), signal.SIGTERM, "the first")
    parent.process.send_signal(signal.SIGINT)
    begun = boot_s()
    for child in parent.children.values():
        checks.equal({child.signal(), child.signal()}, {signal.SIGTERM, signal.SIGINT}, "the second, which nobody takes for a first")
    parent.lead.exit(0)
    checks.equal(parent.wait(), 105, "exit code")
    took = boot_s() - begun
    checks.that(1.5 < took < 2 + LATE_S, f"who stays is killed after {took:.1f} s")


def the_others_have_their_time(checks):
    parent = Parent(4)
    parent.others[0].exit(0)
    parent.lead.exit(99)
    checks.equal(parent.lead.signal(), None, "the load generator's process")
    parent.others[2].exit(3)
    begun = boot_s()
    checks.equal(parent.others[1].signal(), signal.SIGTERM, "the others")
    term = boot_s() - begun
    checks.equal(parent.others[1].signal(), None, "it is killed")
    kill = boot_s() - begun - term
    said = parent.said()
    checks.that(f"the process of {parent.others[1].hosts[0]} did not end in time: it is killed\n" in said, said)
    checks.that(f"the process of {parent.others[2].hosts[0]} died (exit code 3)" in said, said)
    checks.that(4.5 < term < 5 + LATE_S and 1.5 < kill < 2 + LATE_S, f"SIGTERM after {term:.1f} s, SIGKILL after {kill:.1f} s more")
    checks.equal(parent.wait(), 99, "exit code")


def what_the_others_lose_is_told(checks):
    """1 from one of them: a file or a backend did not take all of its telemetry."""
    for of_lead, of_run in ((0, 1), (99, 99)):
        parent = Parent(3)
        parent.others[0].exit(0)
        parent.lead.exit(of_lead)
        parent.others[1].exit(1)
        checks.equal(parent.wait(), of_run, f"exit code, and {of_lead} of the load generator's")


def no_run_without_the_load_generator(checks):
    parent = Parent(3)
    parent.lead.kill()
    for child in parent.others:
        checks.equal(child.signal(), signal.SIGTERM, "the others")
        child.exit(0)
    checks.equal(parent.wait(), 1, "exit code")
    checks.that("doorbuster: the load-generator's process died (signal 9): the run is over\n" in parent.said(), parent.said())


def no_child_without_the_parent(checks):
    parent = Parent(4)
    parent.process.kill()
    checks.equal([child.signal() for child in parent.children.values()], [None] * 4, "children")
    parent.wait()


def who_cannot_begin_ends_the_run(checks):
    for code in (2, 69, 104, 106):
        parent = Parent(3)
        parent.others[1].exit(code)
        checks.equal(parent.lead.signal(), signal.SIGTERM, "the load generator's process")
        parent.lead.exit(0)
        parent.others[0].exit(0)
        checks.equal(parent.wait(), code, "exit code")
        checks.that(f"cannot begin (exit code {code}): the run is over\n" in parent.said(), parent.said())
    parent = Parent(3)
    parent.lead.exit(106)
    for child in parent.others:
        checks.equal(child.signal(), signal.SIGTERM, "the others are told at once")
        child.exit(0)
    checks.equal(parent.wait(), 106, "exit code")


def run(*words):
    return subprocess.run([DRIVER, *words], capture_output=True, text=True, check=False, timeout=LIMIT_S)


def what_makes_no_sense(checks):
    done = run("/nowhere/program", SCENARIO, "--processes", "2")
    checks.equal(done.returncode, 1, "no program")
    checks.that("/nowhere/program: No such file" in done.stderr, done.stderr)
    for words in (["--processes", "1"], ["--processes", "14"], ["--processes", "2", "--only", "redis"],
                  ["--processes", "2", "--peer", "redis=x:1"], ["--processes", "2", "--traces", "-"],
                  ["--processes", "2", "--logs", "/dev/null"], ["--processes", "2", "--metrics", "/"]):
        done = run(STUB, SCENARIO, *words)
        checks.equal(done.returncode, 2, f"{words}: exit code")
        checks.that(words[-2] in done.stderr and done.stderr.count("\n") <= 2, f"{words}: {done.stderr}")
    done = run(STUB, SCENARIO, "--processes", "2", "--set", "duration=never")
    checks.equal(done.returncode, 104, "a bad scenario")
    checks.equal(done.stderr.count("--set:1"), 1, f"is told once: {done.stderr}")
    done = run(STUB, "black-friday-v6", "--processes", "2")
    checks.equal(done.returncode, 104, "no scenario")
    checks.that("black-friday-v5" in done.stderr, done.stderr)


def old_parts_go(checks):
    with tempfile.TemporaryDirectory() as folder:
        ours = ["t.jsonl", "t.cart-service.jsonl", "t.cart-service.2.jsonl", "t.redis.117.jsonl"]
        theirs = ["t.cart.jsonl", "t.cart-service.jsonl.bak", "t.cart-service.x.jsonl", "t.cart-service.02.jsonl", "tt.redis.jsonl",
                  "t.redis.json", "m.redis.jsonl"]
        for name in ours + theirs:
            with open(os.path.join(folder, name), "w", encoding="ascii") as file:
                file.write(name)
        parent = Parent(2, "--traces", os.path.join(folder, "t.jsonl"))
        checks.equal(sorted(os.listdir(folder)), sorted(theirs), "files")
        checks.equal(parent.end(), 0, "exit code")


CASES = (who_is_told_what, the_dead_begin_again, who_lived_long_begins_with_the_first_wait, who_ends_well_may_have_been_told_to,
         the_first_signal_is_passed_on, the_second_signal_ends_all, the_others_have_their_time, what_the_others_lose_is_told,
         no_run_without_the_load_generator, no_child_without_the_parent, who_cannot_begin_ends_the_run, what_makes_no_sense, old_parts_go)


def main():
    checks = Checks()
    failures = []

    def play(case):
        try:
            case(checks)
        except Exception as error:  # said below, with its case
            failures.append(f"{case.__name__}: {error!r}")

    threads = [threading.Thread(target=play, args=(case,), daemon=True) for case in CASES]  # they mostly wait
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for failure in failures:
        checks.that(False, failure)
    checks.end()


if __name__ == "__main__":
    main()
