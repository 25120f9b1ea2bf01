"""Runs that are spread over processes: `run --processes N`, or processes begun one by one, each in a namespace of the test's
or in one of its own."""

import json
import os
import re
import signal
import subprocess
import tempfile
import time

import yaml

from live_run import ANCESTORS, PROGRAM, ROOT, Run

LONG = os.environ.get("DOORBUSTER_LONG") == "1"
SCRIPTED = os.path.join(ROOT, "scenarios", "black-friday-v4-scripted.yaml")
NORMAL = os.path.join(ROOT, "scenarios", "normal-operations.yaml")
SERVICES = ("ad-service", "cart-service", "checkout", "currency-service", "frontend", "inventory-service", "payment-service",
            "product-catalog", "recommendation-service", "shipping-service", "postgresql", "redis")
PORTS = {"load-generator": 8010, "recommendation-service": 8011, "ad-service": 8012, "cart-service": 8013, "product-catalog": 8014,
         "currency-service": 8015, "checkout": 8016, "payment-service": 8017, "frontend": 8018, "shipping-service": 8019,
         "inventory-service": 8020}
PEER_PORTS = {"postgresql": 6432, "redis": 7379} | {service: port + 1000 for service, port in PORTS.items()}
DIFFERENT = 99
# The command that comes behind it has a loopback of its own.
OWN_LOOPBACK = ("unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")


def environment(**more):
    return {name: value for name, value in os.environ.items() if not name.startswith(ANCESTORS)} | more


def call(*words, prefix=()):
    return subprocess.run([*prefix, PROGRAM, *words], capture_output=True, text=True, env=environment(), check=False)


def must(*words, prefix=()):
    done = call(*words, prefix=prefix)
    if done.returncode:
        raise SystemExit(f"exit code {done.returncode}: {' '.join(words)}\n{done.stdout}{done.stderr}")
    return done.stdout


def settings(**values):
    """streams__demo__rate=[...] as --set options; a value that is not text is written as JSON, which is YAML."""
    words = []
    for path, value in values.items():
        text = value if isinstance(value, str) else json.dumps(value)
        words += ["--set", f"{path.replace('__', '.')}={text}"]
    return words


def alive(pid):
    """Zombies are not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # it went while we looked
        return False


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))


class Spread(Run):
    """`run --processes`: by default one process an actor."""

    def __init__(self, *options, processes=len(SERVICES) + 1, **more):
        super().__init__("--processes", str(processes), *options, **more)

    def children(self):
        """The pid of each process that is there, by the first service that it hosts."""
        found = {}
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as children:
            pids = [int(pid) for pid in children.read().split()]
        for pid in pids:
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as words:
                    words = words.read().decode().split("\0")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if alive(pid) and "--only" in words:
                found[words[words.index("--only") + 1].split(",")[0]] = pid
        return found

    def kill(self, *names):
        """kill -9 of the processes called so, all at once."""
        children = self.children()
        for name in names:
            os.kill(children[name], signal.SIGKILL)

    def restarts(self):
        """How often each process died, by what the parent says."""
        died = re.findall(r"the process of ([a-z-]+) died \(signal 9\): restart \d+", self.said())
        return {name: died.count(name) for name in died}


class Piece(Run):
    """One process of a spread run that is begun by hand; `only` names what it hosts, all others are at `peers`."""

    def __init__(self, only, peers, *options, prefix=(), scenario=NORMAL, seed=None, program=PROGRAM, **more):
        self.only = only.split(",")
        self.out, self.err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        words = [f"--peer={service}={place}" for service, place in peers if service not in self.only]
        seeds = ["--seed", seed] if seed else []
        self.process = subprocess.Popen([*prefix, program, "run", scenario, *seeds, "--only", only, *words, *options],
                                        stdout=self.out, stderr=self.err, env=environment(**more))


def on_loopback(*services):
    return [(service, f"127.0.0.1:{PEER_PORTS[service]}") for service in services or PEER_PORTS]


# ---- Spans ----


def spans_of(path):
    """Of a set of trace files, each with its service and process."""
    stem, extension = os.path.splitext(path)
    folder, stem = os.path.split(stem)
    for name in sorted(os.listdir(folder)):
        if not (name.startswith(stem + ".") and name.endswith(extension)):
            continue
        with open(os.path.join(folder, name), encoding="utf-8") as lines:
            for line in lines:
                yield from spans_in(line)


def spans_in(line):
    try:
        batch = json.loads(line)
    except ValueError:
        return  # a process that was killed while it wrote
    for resource in batch["resourceSpans"]:
        about = attributes(resource["resource"])
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                span["service"], span["instance"] = about["service.name"], about["service.instance.id"]
                yield span


def attributes(of):
    return {pair["key"]: next(iter(pair["value"].values())) for pair in of.get("attributes", [])}


def failed(span):
    return span.get("status", {}).get("code") == 2


def until(true, seconds):
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(true())


# ---- What is played in several layouts ----

# Time limits are real: where the machine stands still for long, slower ones miss none. So more than once, if need be.
SPEEDS = ("1", "1", "0.5") if LONG else ("4", "2", "1")
BANDS = ((1, 3), (10, 12), (15, 17), (18, 20), (20, 22)) if LONG else ((18, 18.25),)
NOTHING_JUDGED = {"expect": [], "alerts": [], "phases": "[[0m, all]]"}


def minutes(instant):
    number, unit = float(instant.rstrip("ms")), instant.lstrip("0123456789.")
    return number * {"m": 1, "s": 1 / 60, "ms": 1 / 60000}[unit]


def afternoon():
    """Arrivals end long before the run does: a visit that the end cuts short is cut elsewhere in each run."""
    begun, end = ("40s", "100s") if LONG else ("30s", "75s")
    return NORMAL, [*settings(**NOTHING_JUDGED, streams__shoppers__table=[], duration=end,
                              streams__shoppers__rate=f"[[0s, 600/min], [{begun}, 600/min], [{begun[:-1]}100ms, 0/min]]")]


def cut(curve, last):
    """The same rates up to there, and no point behind it."""
    kept = [point for point in curve if minutes(point[0]) < last]
    if len(kept) < len(curve):
        (at, rate), (behind, goal) = kept[-1], curve[len(kept)]
        rate, goal = int(rate.removesuffix("/min")), int(goal.removesuffix("/min"))
        share = (last - minutes(at)) / (minutes(behind) - minutes(at))
        kept.append([f"{last * 60000 - 1:.0f}ms", f"{rate + share * (goal - rate):.0f}/min"])
    return kept


def band(first, last):
    """A part of the scripted Black Friday: what begins behind it has to be left out of a scenario that ends there."""
    with open(SCRIPTED, encoding="utf-8") as file:
        scenario = yaml.safe_load(file)
    values = dict(NOTHING_JUDGED, duration=f"{last * 60:g}s")
    for name, stream in scenario["streams"].items():
        values[f"streams.{name}.table"] = []
        if isinstance(stream["rate"], list):
            values[f"streams.{name}.rate"] = cut(stream["rate"], last)
    for fault in scenario["faults"]:
        for kind in ("route_delay", "route_failures"):
            if kind in fault:
                fault[kind]["steps"] = [step for step in fault[kind]["steps"] if minutes(step[0]) < last]
    return SCRIPTED, [*settings(**values, faults=scenario["faults"]), "--from", f"{first}m"]


def traces_told(done):
    """How many the comparison has seen; 0: they are not equal."""
    return int(done.stdout.split(" ")[0].replace(",", "")) if done.returncode == 0 and done.stdout.endswith(": equal\n") else 0
