"""`doorbuster run` in a network namespace of its own, so that its ports never meet anybody else's."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from http_toy import Answer, Checks  # noqa: E402,F401

ROOT = os.environ.get("DOORBUSTER_SOURCE", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
PROGRAM = os.environ.get("DOORBUSTER", os.path.join(ROOT, "build", "doorbuster"))
FLAGSHIP = os.path.join(ROOT, "scenarios", "black-friday-v5.yaml")
DEBUG = os.environ.get("DOORBUSTER_BUILD") == "debug"
INSIDE = "DOORBUSTER_TEST_NAMESPACE"
NETWORK = ("unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$0" "$@"')  # before a command: one of its own
ANCESTORS = ("DEMO_", "BASELINE_", "OTEL_", "DB_MAX_", "DOORBUSTER_ADMIN_")


# Of the timeline: what one request in a hundred, and what any one may start late. At a speed of 20 the machine has stood
# still for 10 and for 50 ms then, and what is compared below does not notice.
LATE_P99_MS, LATE_MAX_MS = 200, 1000


class Comparisons:
    """What a live run did is compared with virtual time only where the machine kept up with the clock, by the figures of
    the run's own report; the others are named with theirs. None at all: the test is skipped."""

    def __init__(self):
        self.made, self.left_out = 0, []

    def fair(self, name, report):
        clock = report["clock"]
        if clock["start_error_p99_ms"] <= LATE_P99_MS and clock["start_error_max_ms"] <= LATE_MAX_MS:
            self.made += 1
            return True
        self.left_out.append(name)
        print(f"{name}: not compared, as the machine did not keep up: requests started late by {clock['start_error_p99_ms']:.0f} "
              f"ms of the timeline (p99) and up to {clock['start_error_max_ms']:.0f}; the loop by up to "
              f"{clock['loop_lag_max_ms']:.0f} ms", flush=True)
        return False

    def end(self):
        print(f"{self.made} compared" + (", not compared: " + ", ".join(self.left_out) if self.left_out else ""))
        if not self.made:
            print("SKIPPED: the machine kept up in none of these runs")


def alone():
    """Begins the script again in a namespace with nothing but loopback; says so and ends where that is not allowed."""
    if os.environ.get(INSIDE):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    for unshare in (["unshare", "-n"], ["unshare", "-rn"]):
        if subprocess.run([*unshare, "ip", "link", "set", "lo", "up"], capture_output=True, check=False).returncode == 0:
            os.environ[INSIDE] = "1"
            os.execvp(unshare[0], [*unshare, sys.executable, *sys.argv])
    print("SKIPPED: no network namespace can be made here (unshare -n)")
    raise SystemExit(0)


def ask(service_port, path, *options, address="127.0.0.1", method=None):
    """curl; None: nobody answered."""
    words = ["curl", "-sS", "-i", "-m", "15", *options, f"http://{address}:{service_port}{path}"]
    done = subprocess.run(words + (["-X", method] if method else []), capture_output=True, check=False)
    return Answer(done.stdout) if done.stdout else None


class Run:
    """Ended with end() or signals; what it said is in .said and .report then."""

    def __init__(self, *options, scenario=FLAGSHIP, ready=True, **environment):
        env = {k: v for k, v in os.environ.items() if not k.startswith(ANCESTORS)}
        self.out, self.err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        self.process = subprocess.Popen([PROGRAM, "run", scenario, "--seed", "7", *options], stdout=self.out,
                                        stderr=self.err, env=env | environment)
        if ready and not self.until(lambda: self.get("/readyz") is not None):
            raise SystemExit("the run did not begin: " + self.said())

    def until(self, true, seconds=15):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            if true():
                return True
            time.sleep(0.01)
        return bool(true())

    def get(self, path, *options, **more):
        return ask(8010, path, *options, **more)

    def post(self, path, body=None, *options, **more):
        if body is not None and not isinstance(body, str):
            body = json.dumps(body)
        return ask(8010, path, "-H", "Content-Type: application/json", *options,
                   *(["--data-binary", body] if body is not None else []), method="POST", **more)

    def send(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def wait(self, seconds=30):
        """The exit code."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def end(self):
        """As fast as can be, whatever it thinks of its expectations."""
        if self.process.poll() is None:
            self.send()
            self.send(signal.SIGINT)  # two of one kind may arrive as one
        return self.wait()

    @staticmethod
    def _read(file):
        file.seek(0)
        return file.read().decode()

    def said(self):
        return self._read(self.err)

    def told(self):
        return self._read(self.out)
