"""Managed servers under a program that only starts and ends them (managed_driver.c), in a cache of the test's own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from live_run import PROGRAM, ROOT, Checks  # noqa: E402,F401

BUILD = os.environ.get("DOORBUSTER_BUILD_DIR", os.path.join(ROOT, "build"))
DRIVER = os.path.join(BUILD, "tests", "managed_driver")
SMALL = ("--rows", "2000")


def missing():
    """What the tests need and is not here, or nothing."""
    newest = max((int(v) for v in os.listdir("/usr/lib/postgresql") if v.isdigit()), default=0) if os.path.isdir(
        "/usr/lib/postgresql") else 0
    if not newest and not shutil.which("initdb"):
        return "PostgreSQL (apt-get install postgresql-15)"
    for program, package in (("psql", "postgresql-client-15"), ("redis-server", "redis-server")):
        if not shutil.which(program):
            return f"{program} (apt-get install {package})"
    return None


def cache_folder(parent=None):
    """One that another user may pass through, as servers of root run as somebody else."""
    path = tempfile.mkdtemp(prefix="doorbuster-test-", dir=parent)
    os.chmod(path, 0o755)
    return path


def running(pid):
    """Zombies are gone: a container may have nobody who buries them."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def until(true, seconds=15):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.01)
    return bool(true())


def environment(cache, **more):
    return {k: v for k, v in os.environ.items() if k != "XDG_CACHE_HOME"} | {"XDG_CACHE_HOME": cache} | more


class Servers:
    """Started, unless `ready` is false; .begun is what the driver said, None if it was refused."""

    def __init__(self, cache, *options, prefix=(), driver=DRIVER, ready=True, **more):
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen([*prefix, driver, *options], env=environment(cache, **more), text=True, cwd="/",
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors)
        self.begun = self.answer() if ready else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()
        self.process.stdin.close()
        self.process.stdout.close()

    def answer(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def tell(self, order):
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()
        return self.answer()

    def sql(self, *statements, admin=False):
        """What psql says, errors too."""
        words = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", self.begun["admin" if admin else "postgres"]]
        done = subprocess.run(words + [w for s in statements for w in ("-c", s)], capture_output=True, text=True, check=False)
        return (done.stdout + done.stderr).strip()

    def stop(self):
        """The exit code."""
        try:
            self.tell("stop")
        except BrokenPipeError:
            pass
        return self.process.wait(40)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def said(self):
        self.errors.seek(0)
        return self.errors.read().decode()
