"""A scripted scenario tells the same traces in virtual and in real time: `doorbuster compare` finds them equal."""
# ctest: label=live serial

import os
import subprocess
import tempfile

from live_run import ANCESTORS, PROGRAM, ROOT, alone

SCENARIO = os.path.join(ROOT, "tests", "live", "parity.yaml")
TRACES_MIN = 1000
EXIT_DIFFERENT = 99
# Time limits are real: at speed 20, a machine that stands still for 50 ms misses one of a second. So twice, if need be.
SPEEDS = ("20", "5")


def call(*options):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ANCESTORS)}
    return subprocess.run([PROGRAM, *options], capture_output=True, text=True, env=environment, check=False)


def must(*options):
    done = call(*options)
    if done.returncode:
        raise SystemExit(f"exit code {done.returncode}: {' '.join(options)}\n{done.stdout}{done.stderr}")
    return done.stdout


def main():
    alone()
    with tempfile.TemporaryDirectory() as scratch:
        virtual, live = os.path.join(scratch, "virtual.json"), os.path.join(scratch, "live.json")
        must("simulate", SCENARIO, "--seed", "7", "--quiet", "--traces", virtual)
        for speed in SPEEDS:
            must("run", SCENARIO, "--seed", "7", "--quiet", "--speed", speed, "--traces", live)
            done = call("compare", virtual, live)
            print(f"speed {speed}: {done.stdout.strip()}")
            if done.returncode != EXIT_DIFFERENT:
                break
        traces = int(done.stdout.split(" ")[0].replace(",", "")) if done.returncode == 0 else 0
        if traces < TRACES_MIN or not done.stdout.endswith(": equal\n"):
            raise SystemExit(f"expected at least {TRACES_MIN} traces, equal; {done.stderr}")
        # And the comparison sees: another seed differs.
        must("simulate", SCENARIO, "--seed", "8", "--quiet", "--traces", virtual)
        if call("compare", virtual, live).returncode != EXIT_DIFFERENT:
            raise SystemExit("another seed is said to be equal")


if __name__ == "__main__":
    main()
