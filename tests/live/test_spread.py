# ctest: label=live build=release serial
"""The same traces from every layout: in virtual time, live in one process, and live in three and in thirteen.

An ordinary afternoon at 600 journeys a minute, and a band of the scripted Black Friday; DOORBUSTER_LONG=1: every band, for
two minutes, at the clock's own pace. Each run has a loopback of its own, so that they do not wait for one another."""

import concurrent.futures
import json
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from live_run import Checks, alone  # noqa: E402
from spread_run import BANDS, DIFFERENT, LONG, OWN_LOOPBACK, SPEEDS, afternoon, band, call, must, traces_told  # noqa: E402

LAYOUTS = {"one process": (), "3 processes": ("--processes", "3"), "13 processes": ("--processes", "13")}


def together(calls, at_once):
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        for future in [pool.submit(*each) for each in calls]:
            future.result()


def play(scenario, words, files, speed):
    """All layouts beside one another."""
    def once(name):
        done = call("run", scenario, "--seed", "7", "--quiet", "--speed", speed, "--traces", files[name], *LAYOUTS[name], *words,
                    prefix=OWN_LOOPBACK)
        if done.returncode:
            print(f"{name}: exit code {done.returncode}: {done.stderr}")

    together([(once, name) for name in LAYOUTS], len(LAYOUTS))


def all_equal(checks, scratch, what, scenario, words, least):
    """The files, by layout."""
    files = {name: os.path.join(scratch, name.replace(" ", "-") + ".jsonl") for name in ("virtual time", *LAYOUTS)}
    must("simulate", scenario, "--seed", "7", "--quiet", "--traces", files["virtual time"], *words)
    names = list(files)
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1:]] if LONG else [(names[0], b) for b in names[1:]]
    for speed in SPEEDS:
        play(scenario, words, files, speed)
        done = {pair: call("compare", files[pair[0]], files[pair[1]]) for pair in pairs}
        print(f"{what}, speed {speed}:", done[names[0], names[-1]].stdout.strip(), flush=True)
        unequal = {pair: each for pair, each in done.items() if each.returncode == DIFFERENT}
        if not unequal:
            break
        for (a, b), each in unequal.items():
            print(f"{what}, speed {speed}: {a} and {b} differ:", each.stdout[:2000], flush=True)
    for (a, b), each in done.items():
        checks.that(traces_told(each) >= least,
                    f"{what}: {a} and {b}: at least {least} equal traces expected\n{each.stdout}{each.stderr}")
    return files


# ---- what the comparison sees ----


def lines_changed(path, change):
    """Changes the first span for which `change` says so, in place."""
    with open(path, encoding="utf-8") as file:
        lines = file.readlines()
    for at, line in enumerate(lines):
        batch = json.loads(line)
        for resource in batch["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    if change(span, scope["spans"]):
                        lines[at] = json.dumps(batch) + "\n"
                        with open(path, "w", encoding="utf-8") as file:
                            file.writelines(lines)
                        return span
    raise SystemExit(f"{path}: no span to change")


def another_attribute(span, _):
    for pair in span.get("attributes", []):
        if pair["key"] == "http.response.status_code":
            pair["value"] = {"intValue": "418"}
            return True
    return False


def one_less(span, among):
    among.remove(span)
    return True


def another_parent(span, among):
    others = [other for other in among if other["traceId"] == span["traceId"] and other["spanId"] != span["spanId"] and
              other["spanId"] != span.get("parentSpanId")]
    if not others or "parentSpanId" not in span:
        return False
    span["parentSpanId"] = others[0]["spanId"]
    return True


def differences_are_seen(checks, files, scratch):
    whole, folder = files["virtual time"], os.path.dirname(files["13 processes"])
    stem = os.path.basename(files["13 processes"])[:-len("jsonl")]
    for change, said in ((another_attribute, "attribute http.response.status_code: "), (one_less, "missing span {}: only in A"),
                         (another_parent, "parent: ")):
        copy = tempfile.mkdtemp(dir=scratch)
        for name in os.listdir(folder):
            if name.startswith(stem):
                shutil.copy(os.path.join(folder, name), copy)
        span = lines_changed(os.path.join(copy, stem + "product-catalog.jsonl"), change)
        done = call("compare", whole, os.path.join(copy, stem + "jsonl"))
        checks.equal(done.returncode, DIFFERENT, f"{change.__name__}: exit code")
        told = done.stdout
        checks.that("different: 1 trace on both sides, 0 only in A, 0 only in B" in told, f"{change.__name__}: {told}")
        checks.that(f"trace {span['traceId']}" in told and said.format(span["spanId"]) in told, f"{change.__name__}: {told}")
        shutil.rmtree(copy)
    # A file of the set that is not there is not taken for a run without that service.
    copy = tempfile.mkdtemp(dir=scratch)
    for name in os.listdir(folder):
        if name.startswith(stem) and "redis" not in name:
            shutil.copy(os.path.join(folder, name), copy)
    os.remove(os.path.join(copy, stem + "currency-service.jsonl"))
    checks.equal(call("compare", whole, os.path.join(copy, stem + "jsonl")).returncode, DIFFERENT, "a file is missing")


def main():
    alone()
    checks = Checks()
    with tempfile.TemporaryDirectory() as scratch:
        plays = {"afternoon": ("an ordinary afternoon", *afternoon(), 1000)}
        for first, last in BANDS:
            plays[f"{first}"] = (f"minutes {first:g} to {last:g}", *band(first, last), 5000 if first > 1 else 2500)
        found = {}

        def one(name):
            folder = os.path.join(scratch, name)
            os.mkdir(folder)
            found[name] = all_equal(checks, folder, *plays[name])
            if name != "afternoon":
                shutil.rmtree(folder)

        together([(one, name) for name in plays], 1 if LONG else len(plays))
        checks.equal(sorted(found), sorted(plays), "all were played")
        differences_are_seen(checks, found["afternoon"], scratch)
    checks.end()


if __name__ == "__main__":
    main()
