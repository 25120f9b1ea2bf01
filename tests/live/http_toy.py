"""The toy of http_toy_live.c: started, asked with curl, watched, and ended as it should."""

import json
import os
import re
import signal
import subprocess
import tempfile
import time

ROOT = os.environ.get("DOORBUSTER_SOURCE", os.path.join(os.path.dirname(__file__), "..", ".."))
PROGRAM = os.path.join(os.environ.get("DOORBUSTER_BUILD_DIR", os.path.join(ROOT, "build", "debug")),
                       "tests", "http_toy_live")
LONG = os.environ.get("DOORBUSTER_LONG") == "1"


class Answer:
    """What curl got: status, headers by lower-case name, body, and the body as JSON if it is any."""

    def __init__(self, raw):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        while head.startswith(b"HTTP/1.1 100"):
            head, _, self.body = self.body.partition(b"\r\n\r\n")
        lines = head.decode("latin1").split("\r\n")
        self.status = int(lines[0].split(" ")[1])
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(": ")
            self.headers.setdefault(name.lower(), []).append(value)
        self.json = None
        if self.headers.get("content-type") == ["application/json"] and self.body:
            self.json = json.loads(self.body)

    def header(self, name):
        values = self.headers.get(name, [])
        return values[0] if values else None


class Toy:
    def __init__(self, *options, scenario="tests/live/http.yaml"):
        self.spans_file = tempfile.TemporaryFile()
        self.process = subprocess.Popen([PROGRAM, os.path.join(ROOT, scenario), *options],
                                        stdout=subprocess.PIPE, stderr=self.spans_file)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("the toy did not start: " + self.stderr())
        self.ports = json.loads(line)

    def url(self, service, path=""):
        return f"http://127.0.0.1:{self.ports[service]}{path}"

    def curl(self, service, path, *options):
        done = subprocess.run(["curl", "-sS", "-i", "-m", "15", *options, self.url(service, path)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if not done.stdout:
            raise AssertionError(f"{service} {path}: {done.stderr.decode()}")
        return Answer(done.stdout)

    def post(self, service, path, body, *options):
        return self.curl(service, path, "-H", "Content-Type: application/json", "--data-binary",
                         body if isinstance(body, str) else json.dumps(body), *options)

    def stderr(self):
        self.spans_file.seek(0)
        return self.spans_file.read().decode()

    def spans(self):
        return [json.loads(line) for line in self.stderr().splitlines() if line.startswith("{")]

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def resident_kib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))

    def connections(self):
        return self.curl("load-generator", "/pending").json["connections"] - 1

    def until_quiet(self, descriptors, seconds=20):
        """Waits for the descriptors to come back; the number it ends with."""
        deadline = time.monotonic() + seconds
        while self.descriptors() > descriptors and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.descriptors()

    def end(self):
        """SIGTERM; the sanitizers speak at the end, and then it does not end with 0."""
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        if code != 0:
            raise AssertionError(f"the toy ended with {code}: {self.stderr()[-3000:]}")


class Checks:
    def __init__(self):
        self.failed = 0
        self.count = 0

    def that(self, true, what):
        self.count += 1
        if not true:
            self.failed += 1
            print("FAILED:", what)

    def equal(self, found, expected, what):
        self.that(found == expected, f"{what}: expected {expected!r}, found {found!r}")

    def end(self):
        print(f"{self.count} checks, {self.failed} failed")
        raise SystemExit(1 if self.failed else 0)
