"""`doorbuster run --redis URL`: the traces of the model, a kill -9 in the middle, a password, and nobody there."""
# ctest: label=live build=both calm

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from live_run import ANCESTORS, PROGRAM, ROOT, Checks, Run, alone  # noqa: E402

SCENARIO = os.path.join(ROOT, "tests", "live", "redis.yaml")
COMMANDS = ("HGETALL", "HSET", "GET", "SETEX", "DEL")
EXIT_DEPENDENCY = 69
ABSENT_S = 5
BACK_S = 2
KILLED_S, AWAY_S = 4, 3


def call(*options, **more):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ANCESTORS)} | more
    return subprocess.run([PROGRAM, *options], capture_output=True, text=True, env=environment, check=False)


class Server:
    """A Redis that keeps nothing."""

    def __init__(self, folder, password=""):
        self.folder, self.password = folder, password
        self.socket = os.path.join(folder, "socket")
        self.url = f"unix://{':' + password + '@' if password else ''}{self.socket}"
        self.start()

    def start(self):
        words = ["redis-server", "--port", "0", "--unixsocket", self.socket, "--save", "", "--dir", self.folder,
                 "--logfile", "log", "--requirepass", self.password]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        while self.ask("PING") != "PONG":
            time.sleep(0.01)

    def ask(self, *command):
        words = ["redis-cli", "-s", self.socket, *(["-a", self.password, "--no-auth-warning"] if self.password else [])]
        return subprocess.run(words + list(command), capture_output=True, text=True, check=False).stdout.strip()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def spans(path):
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            for resource in json.loads(line)["resourceSpans"]:
                for scope in resource["scopeSpans"]:
                    yield from scope["spans"]


def commands(path):
    """(start, end, failed) of each command, in seconds."""
    return sorted((int(span["startTimeUnixNano"]) / 1e9, int(span["endTimeUnixNano"]) / 1e9,
                   span.get("status", {}).get("code") == 2) for span in spans(path) if span["name"] in COMMANDS)


def same_traces(checks, scratch, server):
    virtual, live = os.path.join(scratch, "virtual.json"), os.path.join(scratch, "live.json")
    call("simulate", SCENARIO, "--seed", "7", "--quiet", "--traces", virtual)
    for _ in range(2):  # time limits are real: a machine that stands still may miss one
        done = call("run", SCENARIO, "--seed", "7", "--quiet", "--redis", server.url, "--traces", live)
        same = call("compare", virtual, live)
        if done.returncode == same.returncode == 0:
            break
    print(same.stdout.strip())
    checks.equal(done.returncode, 0, done.stderr)
    checks.that(same.stdout.endswith(": equal\n"), "traces like the model's")
    checks.equal(server.ask("DBSIZE"), "0", "keys left")


def killed(checks, scratch, server):
    path = os.path.join(scratch, "killed.json")
    run = Run("--redis", server.url, "--traces", path, "--set", "expect=[]", scenario=SCENARIO)
    time.sleep(KILLED_S)
    checks.that(int(server.ask("DBSIZE")) > 1000, "carts of the start")
    checks.that(":cart:cart-1000" in server.ask("KEYS", "*:cart:cart-1000"), "keys that can be read")
    killed_s = time.time()
    server.kill()
    time.sleep(AWAY_S)
    server.start()
    back_s = time.time()
    checks.equal(run.wait(), 0, run.said())
    told = commands(path)
    bad = [start for start, _, failed in told if failed]
    good = [start for start, _, failed in told if not failed]
    print(f"{len(told)} commands, {len(bad)} failed; the first good one {min(s for s in good if s > back_s) - back_s:.2f} s "
          "after its return")
    checks.that(len(bad) > AWAY_S * 10, "some failed")
    checks.that(min(bad) > killed_s - 0.5, "none failed before")
    checks.that(max(bad) < back_s + BACK_S, "none failed two seconds after")
    checks.that(not any(killed_s + 0.5 < start < back_s - 0.5 for start in good), "none was answered by nobody")
    checks.that(max(end - start for start, end, _ in told) < 1.5, "none hung")
    checks.that("is away" in run.said() and "is back" in run.said(), "it is told: " + run.said())


def password(checks, server):
    short = ("run", SCENARIO, "--seed", "7", "--set", "duration=1s", "--set", "expect=[]", "--redis")
    for done in call(*short, server.url), call(*short, "env", REDIS_URL=server.url):
        checks.equal(done.returncode, 0, done.stderr)
        checks.that(server.password not in done.stdout + done.stderr, "the password is not shown")
    checks.equal(call(*short, "env").returncode, EXIT_DEPENDENCY, "no REDIS_URL")


def absent(checks, server):
    for url in ("unix:///nowhere/socket", "redis://127.0.0.1:1", "redis://no-such-host.invalid",
                server.url.replace(server.password, "wr0ng"), "http://127.0.0.1", server.url):
        stopped = url == server.url
        if stopped:
            server.process.send_signal(signal.SIGSTOP)
        begun = time.monotonic()
        done = call("run", SCENARIO, "--redis", url)
        took_s = time.monotonic() - begun
        if stopped:
            server.process.send_signal(signal.SIGCONT)
        print(f"{took_s:.2f} s: {done.stderr.strip()}")
        checks.that(took_s < ABSENT_S, f"{url}: {took_s:.1f} s")
        checks.equal(done.returncode, EXIT_DEPENDENCY, url)
        checks.that("wr0ng" not in done.stderr and server.password not in done.stderr, "no password")


def main():
    if not shutil.which("redis-server"):
        print("SKIPPED: redis-server is missing")
        return
    alone()
    checks = Checks()
    with tempfile.TemporaryDirectory() as scratch:
        open_server, guarded = Server(tempfile.mkdtemp(dir=scratch)), Server(tempfile.mkdtemp(dir=scratch), "s3cret")
        try:
            same_traces(checks, scratch, open_server)
            killed(checks, scratch, open_server)
            password(checks, guarded)
            absent(checks, guarded)
        finally:
            open_server.kill()
            guarded.kill()
    checks.end()


if __name__ == "__main__":
    main()
