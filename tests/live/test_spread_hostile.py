# ctest: label=live
"""A spread run whose peer ports are stormed with frames from nowhere, and talked to by who does not say what it should:
nobody falls, nobody grows, and customers notice nothing."""

import json
import os
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from live_run import ROOT, Checks, Run, alone, ask  # noqa: E402

STORM = os.path.join(os.environ.get("DOORBUSTER_BUILD_DIR", os.path.join(ROOT, "build")), "tests", "peer_storm")
SCENARIO = os.path.join(ROOT, "scenarios", "normal-operations.yaml")
SETTINGS = ("streams.shoppers.rate=600/min",)
FRAMES = 1_000_000 if os.environ.get("DOORBUSTER_LONG") == "1" else 40_000
RSS_MIB = 64
FRONTEND, LOAD_GENERATOR, POSTGRESQL = 9018, 9010, 6432
PING = b"\x93\x02\xa4ping\xc0"


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return sorted(int(child) for child in file.read().split())


def rss_mib(pid, name="VmRSS"):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name + ":")) / 1024


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def storm(checks, run, processes):
    began = time.monotonic()
    ports = f"{FRONTEND},{LOAD_GENERATOR},{POSTGRESQL}"
    done = subprocess.run([STORM, str(FRAMES), "1", str(LOAD_GENERATOR), ports, SCENARIO, *SETTINGS], capture_output=True,
                          text=True, check=False, timeout=3000)
    checks.equal(done.returncode, 0, "the storm's end: " + done.stderr)
    checks.equal(children(run.process.pid), processes, "the processes, as they were")
    for pid in processes:
        checks.that(rss_mib(pid) < RSS_MIB, f"{rss_mib(pid):.0f} MiB of a process, expected less than {RSS_MIB}")
    if done.returncode == 0:
        told = json.loads(done.stdout)
        checks.that(told["frames"] >= FRAMES, f"{told['frames']} frames")
        checks.that(told["answers"] > FRAMES / 10, f"{told['answers']} answers: what was sent was hardly ever heard")
        print(f"{told['frames']} frames on {told['connections']} connections in {time.monotonic() - began:.1f} s, {told['answers']} "
              f"answers, {told['cut']} cut; at most {max(rss_mib(pid, 'VmHWM') for pid in processes):.0f} MiB", flush=True)


def closed_after(link, limit_s, ping=False):
    """Seconds until the other side closes; None: it does not."""
    began = said = time.monotonic()
    link.settimeout(0.1)
    while time.monotonic() - began < limit_s:
        if ping and time.monotonic() - said > 0.5:
            link.sendall(PING)
            said = time.monotonic()
        try:
            if not link.recv(4096):
                return time.monotonic() - began
        except TimeoutError:
            pass
        except OSError:
            return time.monotonic() - began
    return None


def silence(checks):
    """Half a message is as good as none."""
    for what, begin in (("nothing", b""), ("half a message", b"\x94\x00")):
        with socket.create_connection(("127.0.0.1", FRONTEND)) as link:
            link.sendall(begin)
            took = closed_after(link, 4)
            checks.that(took is not None and 1.9 < took < 3.2, f"closed after {took} s of {what}, expected 2 to 3")
    with socket.create_connection(("127.0.0.1", FRONTEND)) as link:
        took = closed_after(link, 9, ping=True)
        checks.that(took is not None and 4.5 < took < 8, f"closed after {took} s of pings and no greeting, expected 5 to 7")


def deaf(checks, run, processes):
    """Asks, by a thousand, from somebody who never reads what is answered: refused greetings are answers, too."""
    before = {pid: rss_mib(pid) for pid in processes}
    greeting = b"\x94\x00\x01\xa5greet\x90"
    with socket.create_connection(("127.0.0.1", FRONTEND)) as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.settimeout(0.2)
        deadline = time.monotonic() + (10 if FRAMES > 100_000 else 3)
        sent = 0
        while time.monotonic() < deadline:
            try:
                sent += link.send(greeting * 1000)
            except TimeoutError:
                link.settimeout(1)
            except OSError:
                break
    checks.that(sent > 1_000_000, f"{sent} bytes went out")
    for pid in processes:
        grown = rss_mib(pid) - before[pid]
        checks.that(grown < 8, f"{grown:.1f} MiB more of a process, of which 4 may wait for who never reads")
    checks.equal(children(run.process.pid), processes, "the processes, as they were")


def main():
    alone()
    checks = Checks()
    run = Run("--processes", "3", "--set", SETTINGS[0], scenario=SCENARIO)
    processes = children(run.process.pid)
    checks.equal(len(processes), 3, "processes")
    checks.that(run.until(lambda: json.loads(run.get("/admin/traffic-stats").body)["baseline"]["requests"] > 20), "traffic flows")
    storm(checks, run, processes)
    silence(checks)
    deaf(checks, run, processes)
    answer = ask(8018, "/api/browse", "-H", "Content-Type: application/json", "-d", "{}", method="POST")
    checks.that(answer is not None and answer.status == 200, f"a customer behind the storm: {answer and answer.status}")
    requests = json.loads(run.get("/admin/traffic-stats").body)["baseline"]["requests"]
    checks.that(run.until(lambda: json.loads(run.get("/admin/traffic-stats").body)["baseline"]["requests"] > requests + 20),
                "traffic still flows")
    stats = json.loads(run.get("/admin/traffic-stats").body)["baseline"]
    checks.equal(stats["errors"], 0, f"errors among {stats['requests']} requests of customers")
    spent = sum(cpu_s(pid) for pid in processes)
    time.sleep(1)
    spent = sum(cpu_s(pid) for pid in processes) - spent
    checks.that(spent < 1, f"{spent:.2f} s of CPU in a second of quiet")
    run.send()
    checks.equal(run.wait(), 0, "the exit code")
    checks.that("died" not in run.said(), "nobody dies on the way")
    print(run.said() if checks.failed else "", end="")
    checks.end()


if __name__ == "__main__":
    main()
