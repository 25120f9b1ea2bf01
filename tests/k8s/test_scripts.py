"""k8s/scripts against a kubectl without a cluster and a shop that is none: in success and in failure, twice in a row, and
interrupted. What they do on a cluster is seen in what they ask of kubectl.
# ctest: build=release
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import manifests
from fake_shop import Shop

SCRIPTS = os.path.join(manifests.K8S, "scripts")
HERE = os.path.dirname(os.path.abspath(__file__))
NAMES = ["pre-flight", "setup-database-issues", "deploy", "run-demo", "validate", "rollback", "restore-database"]
HEALTHY = ["idx_products_category", "idx_products_stock_quantity", "idx_products_category_active"]
# kubectl --namespace NAME port-forward service/NAME :PORT
FORWARD = """
if [ "$3" = port-forward ]; then
    echo "$*" >>"$STUB/calls"
    name=${4#service/}
    if [ ! -e "$STUB/port.$name" ]; then
        echo "error: services \\"$name\\" not found" >&2
        exit 1
    fi
    read -r port <"$STUB/port.$name"
    echo "$$" >>"$STUB/forwards"
    echo "Forwarding from 127.0.0.1:$port -> ${5#:}"
    exec sleep 600
fi
"""
CASES = []


def case(function):
    CASES.append(function)
    return function


class Bench:
    """A folder with the stub's state, a shop, and scripts to run."""

    def __init__(self):
        self.folder = tempfile.mkdtemp()
        self.shop = Shop()
        self.kubectl = self.executable("kubectl", FORWARD + f'exec "{sys.executable}" -I -S "{HERE}/stub_kubectl.py" "$@"')
        self.builder = self.executable("podman", 'echo "builder $*" >>"$STUB/calls"; case " $* " in *" save "*) : >"$3";; esac\n'
                                                 'case "$1" in "$STUB_BUILDER_FAIL") exit 1;; esac')
        self.k3s = self.executable("k3s", 'echo "k3s $*" >>"$STUB/calls"')
        self.state_dir = os.path.join(self.folder, "kept")
        self.write(namespace="", config=None, secrets=[], claim=False, deployments={}, services=[], indexes=HEALTHY)
        for service, port in self.shop.ports.items():
            with open(os.path.join(self.folder, "port." + service), "w", encoding="utf-8") as file:
                file.write(f"{port}\n")

    def close(self):
        self.shop.close()
        shutil.rmtree(self.folder)

    def executable(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n" + text + "\n")
        os.chmod(path, 0o755)
        return path

    @property
    def state(self):
        with open(os.path.join(self.folder, "state.json"), encoding="utf-8") as file:
            return json.load(file)

    def write(self, **state):
        with open(os.path.join(self.folder, "state.json"), "w", encoding="utf-8") as file:
            json.dump(state, file)

    def change(self, **changes):
        self.write(**{**self.state, **changes})

    def set_deployment(self, name, **changes):
        deployments = self.state["deployments"]
        deployments[name].update(changes)
        self.change(deployments=deployments)

    def deployed(self):
        """As deploy.sh leaves it."""
        done = self.run("deploy", "--no-build")
        assert done.returncode == 0, done.stdout + done.stderr
        self.calls()
        return self

    def environment(self, extra):
        keep = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "TMPDIR", "LANG")}
        return {**keep, "KUBECTL": self.kubectl, "STUB": self.folder, "STATE_DIR": self.state_dir, "BUILDER": self.builder,
                "K3S": self.k3s, "EVERY": "0", "START_IN": "0", "REQUESTS_WAIT": "1", **extra}

    def run(self, script, *options, **extra):
        return subprocess.run(["sh", os.path.join(SCRIPTS, script + ".sh"), *options], env=self.environment(extra), text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=False)

    def begin(self, script, *options, **extra):
        return subprocess.Popen(["sh", os.path.join(SCRIPTS, script + ".sh"), *options], env=self.environment(extra), text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True)

    def calls(self):
        """What kubectl and the others were asked since the last time."""
        path = os.path.join(self.folder, "calls")
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        os.remove(path)
        return lines

    def forwards(self):
        with open(os.path.join(self.folder, "forwards"), encoding="utf-8") as file:
            return file.read().split()


def ends(done, code, *words):
    said = done.stdout + done.stderr
    assert done.returncode == code, f"ended with {done.returncode}, not {code}:\n{said}"
    for word in words:
        assert word in said, f"did not say '{word}':\n{said}"
    return said


def has(calls, *words):
    return any(all(w in call for w in words) for call in calls)


# ---- all of them ----

@case
def every_script_has_help_and_refuses_what_it_does_not_know(bench):
    for name in NAMES:
        ends(bench.run(name, "--help"), 0, f"usage: {name}.sh", "--dry-run", "By the environment:")
        ends(bench.run(name, "--frobnicate"), 2, "'--frobnicate'", "see --help")
    assert bench.calls() == []


@case
def a_dry_run_tells_and_touches_nothing(bench):
    before = bench.state
    for name in NAMES:
        for _ in range(2):
            ends(bench.run(name, "--dry-run"), 0, "would " if name != "rollback" else "nothing to roll back to")
    ends(bench.run("rollback", "--dry-run", "--remove"), 0)
    ends(bench.run("deploy", "--dry-run", "spread", REGISTRY="registry.example:5000/shop"), 0,
         "push registry.example:5000/shop/doorbuster:0.1.0")
    assert bench.calls() == [] and bench.state == before and not os.path.exists(bench.state_dir)
    bench.deployed()
    ends(bench.run("pre-flight"), 0)
    before, _ = bench.state, bench.calls()
    ends(bench.run("rollback", "--dry-run"), 0, "would run: ", "patch configmap", "rollout restart")
    ends(bench.run("rollback", "--dry-run", "--remove"), 0, "would run: ", "delete namespace")
    assert bench.calls() == [] and bench.state == before


@case
def without_a_cluster_each_says_so(bench):
    bench.deployed()
    for name, *options in [[n] for n in NAMES if n not in ("rollback",)] + [["rollback", "--remove"]]:
        ends(bench.run(name, *options, STUB_FAIL="^--namespace.*|^version"), 1, "failed: ", "no cluster answers")
        ends(bench.run(name, *options, KUBECTL="no-such-kubectl"), 1, "no-such-kubectl is not here")


@case
def without_a_shop_each_says_so(bench):
    for name in ("pre-flight", "setup-database-issues", "run-demo", "validate", "restore-database"):
        ends(bench.run(name), 1, "there is no shop in namespace ecommerce-demo")


@case
def another_namespace_is_meant_by_every_call(bench):
    bench.deployed()
    ends(bench.run("pre-flight", NAMESPACE="black-friday"), 0)
    assert [c for c in bench.calls() if "--namespace black-friday" not in c] == ["version --request-timeout=10s",
           "--namespace observability get service otel-collector"]


# ---- deploy ----

@case
def deploy_brings_everything_and_twice_changes_no_secret(bench):
    ends(bench.run("deploy"), 0, "deployed: collapsed, docker.io/library/doorbuster:0.1.0")
    calls = bench.calls()
    order = [next(i for i, c in enumerate(calls) if w in c) for w in
             ("builder build", "builder save", "k3s ctr images import", "create namespace", "create secret", "apply --prune",
              "rollout status deployment/doorbuster")]
    assert order == sorted(order), calls
    ends(bench.run("deploy"), 0, "deployed: collapsed")
    calls = bench.calls()
    assert not has(calls, "create secret") and not has(calls, "create namespace") and has(calls, "apply --prune")


@case
def deploy_pushes_to_a_registry(bench):
    ends(bench.run("deploy", "spread", REGISTRY="registry.example:5000", IMAGE="shop:2.1"), 0, "registry.example:5000/shop:2.1")
    calls = bench.calls()
    assert has(calls, "builder push registry.example:5000/shop:2.1") and not has(calls, "k3s")
    assert set(bench.state["deployments"]) == {"frontend", "load-generator", "redis-primary"}


@case
def deploy_applies_nothing_where_something_fails_before(bench):
    for extra, word in (({"STUB_BUILDER_FAIL": "build"}, ""), ({"STUB_BUILDER_FAIL": "save"}, ""),
                        ({"STUB_FAIL": "kustomize"}, "refused"), ({"STUB_FAIL": "create secret"}, "refused"),
                        ({"BUILDER": "no-such-builder"}, "no-such-builder")):
        ends(bench.run("deploy", **extra), 127 if "BUILDER" in extra else 1, word)
        assert not has(bench.calls(), "apply")
    for image in ("doorbuster", "doorbuster:latest", "doorbuster:"):
        ends(bench.run("deploy", IMAGE=image), 2, "needs a version")


@case
def deploy_does_not_make_a_password_for_an_old_database(bench):
    bench.change(claim=True, namespace="there")
    ends(bench.run("deploy", "--no-build"), 1, "claim data-postgresql-primary-0", "no Secret")


@case
def a_rollout_that_does_not_end_fails_the_deployment(bench):
    ends(bench.run("deploy", "--no-build", STUB_FAIL="rollout status deployment/doorbuster"), 1)


# ---- pre-flight ----

@case
def pre_flight_looks_at_everything_and_keeps_the_first_state(bench):
    bench.deployed()
    said = ends(bench.run("pre-flight"), 0, "ok       doorbuster: 1 ready", "PostgreSQL accepts", "warning  no Service otel-collector",
                "minute  0  calm", "minute 30  end")
    assert "kept for rollback.sh" in said
    bench.change(services=["otel-collector"], config={**bench.state["config"], "DB_MAX_CONNECTIONS": "20"})
    ends(bench.run("pre-flight"), 0, "collector's Service otel-collector is in observability", "kept before, and left as it is")
    with open(os.path.join(bench.state_dir, "config.json"), encoding="utf-8") as file:
        assert json.load(file)["DB_MAX_CONNECTIONS"] == ""


@case
def pre_flight_names_what_is_missing(bench):
    bench.deployed()
    bench.set_deployment("doorbuster", ready=0)
    ends(bench.run("pre-flight"), 1, "FAILED   doorbuster: 0 of 1 ready", "failed: 1 of these")
    ends(bench.run("pre-flight", STUB_FAIL="pg_isready"), 1, "PostgreSQL does not accept connections", "failed: 2 of these")


@case
def pre_flight_knows_collectors_elsewhere(bench):
    bench.deployed()
    for endpoint, word in (("https://otlp.backend.example.com", "outside of this cluster"), ("", "is empty"),
                           ("http://collector:4318", "no Service collector in ecommerce-demo"),
                           ("http://collector.tools.svc.cluster.local:4318", "no Service collector in tools")):
        bench.change(config={**bench.state["config"], "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint})
        ends(bench.run("pre-flight"), 0, word)


# ---- the database ----

@case
def the_database_is_broken_twice_and_healed_twice(bench):
    bench.deployed()
    ends(bench.run("setup-database-issues"), 0, "broken: the indexes are gone, the pools have 20 connections")
    calls = bench.calls()
    assert has(calls, "rollout restart deployment -l app.kubernetes.io/component in (service,store)")
    assert bench.state["config"]["DB_MAX_CONNECTIONS"] == "20" and bench.state["indexes"] == ["idx_products_category_active"]
    ends(bench.run("setup-database-issues"), 0, "DB_MAX_CONNECTIONS is 20 already", "broken")
    assert not has(bench.calls(), "rollout restart")
    ends(bench.run("restore-database", "--no-restart"), 0, "healed: the indexes are there, the pools have 100 connections")
    assert not has(bench.calls(), "rollout restart") and len(bench.state["indexes"]) == 5
    bench.run("setup-database-issues", MAX_CONNECTIONS="30")
    assert bench.state["config"]["DB_MAX_CONNECTIONS"] == "30"
    bench.calls()
    for restarts in (True, False):
        ends(bench.run("restore-database"), 0, "healed")
        assert has(bench.calls(), "rollout restart") == restarts


@case
def a_database_that_refuses_fails_the_script(bench):
    bench.deployed()
    ends(bench.run("setup-database-issues", STUB_FAIL="DROP INDEX"), 3, "refused by the stub")
    assert bench.state["indexes"] == HEALTHY
    ends(bench.run("restore-database", STUB_FAIL="CREATE INDEX"), 3, "refused by the stub")
    for name in ("setup-database-issues", "restore-database"):
        ends(bench.run(name, MAX_CONNECTIONS="many"), 2, "MAX_CONNECTIONS is 'many'")
        ends(bench.run(name, STUB_FAIL="patch configmap", MAX_CONNECTIONS="7"), 1)


# ---- rollback ----

@case
def rollback_restores_settings_and_images(bench):
    bench.deployed()
    before = bench.state["config"]
    ends(bench.run("pre-flight"), 0)
    ends(bench.run("setup-database-issues"), 0)
    bench.set_deployment("doorbuster", image="doorbuster:broken")
    bench.calls()
    ends(bench.run("rollback"), 0, "settings and images are as they were")
    assert has(bench.calls(), "set image deployment/doorbuster doorbuster=docker.io/library/doorbuster:0.1.0")
    assert bench.state["config"] == before
    assert bench.state["deployments"]["doorbuster"]["image"] == "docker.io/library/doorbuster:0.1.0"
    ends(bench.run("rollback"), 0, "nothing to roll back to")


@case
def rollback_goes_back_to_the_earlier_layout(bench):
    bench.deployed()
    ends(bench.run("deploy", "--no-build", "spread"), 0, "deployed: spread", "kept for rollback.sh")
    assert "load-generator" in bench.state["deployments"]
    ends(bench.run("rollback"), 0, "as they were")
    assert set(bench.state["deployments"]) == {"doorbuster", "redis-primary"}


@case
def a_rollback_that_did_not_take_is_told(bench):
    bench.deployed()
    ends(bench.run("pre-flight"), 0)
    bench.change(config={**bench.state["config"], "DB_MAX_CONNECTIONS": "20"})
    ends(bench.run("rollback", STUB_FAIL="patch configmap"), 1, "refused")
    bench.set_deployment("doorbuster", image="doorbuster:broken")
    ends(bench.run("rollback", STUB_FAIL="set image"), 1, "refused")
    ends(bench.run("rollback"), 0, "as they were")


@case
def remove_takes_away_what_deploy_brought(bench):
    ends(bench.run("rollback", "--remove"), 0, "nothing to remove")
    bench.deployed()
    ends(bench.run("rollback", "--remove"), 0, "nothing of the shop is left")
    state = bench.state
    assert (state["deployments"], state["secrets"], state["namespace"], state["config"]) == ({}, [], "", None)
    ends(bench.run("rollback", "--remove"), 0, "nothing to remove")


# ---- validate ----

@case
def validate_finds_a_good_shop_valid(bench):
    bench.deployed()
    for _ in range(2):
        ends(bench.run("validate"), 0, "ok       frontend is healthy", "40 baseline requests, 0.0% errors", "70 spans exported, none lost",
             "valid")
    bench.shop.checkout = (503, {"error": "Checkout failed", "reason": "Product recommendations unavailable", "demo_minute": 9})
    ends(bench.run("validate", "--wait", "0"), 0, "lost to the incident", "[ ] all eleven services")
    assert not has(bench.calls(), "abc"), "the token is on a command line"


@case
def validate_names_what_is_wrong(bench):
    bench.deployed()
    shop = bench.shop
    for attribute, value, word in (("sick", {"cart-service"}, "cart-service is not healthy: 503"),
                                   ("browse", (500, {"error": "x"}), "a baseline request: 500"),
                                   ("checkout", (503, {"error": "Checkout failed", "reason": "other"}), "a demo request: 503"),
                                   ("token", "another", "the admin token is not the shop's"),
                                   ("baseline", {**shop.baseline, "error_rate": "3.4%"}, "the baseline has 3.4% errors"),
                                   ("baseline", {**shop.baseline, "rpm": 12.0}, "the baseline flows at 12.0/min"),
                                   ("baseline", {**shop.baseline, "requests": 0}, "no baseline request has ended"),
                                   ("lost", 7, "7 spans lost")):
        good = getattr(shop, attribute)
        setattr(shop, attribute, value)
        ends(bench.run("validate"), 1, "FAILED   " + word, "failed: 1 of these")
        setattr(shop, attribute, good)
    os.remove(os.path.join(bench.folder, "port.ad-service"))
    ends(bench.run("validate"), 1, 'no way to ad-service: error: services "ad-service" not found', "ad-service is not healthy: 000")


@case
def validate_reads_trace_files(bench):
    bench.deployed()
    span = '{{"traceId":"{}","spanId":"{}","parentSpanId":"{}","name":"x","links":[{{"traceId":"cc","spanId":"dd"}}]}}'
    path = os.path.join(bench.folder, "traces.jsonl")

    def traces(*spans):
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join('{"spans":[' + span.format(*s) + "]}" for s in spans) + "\n")
        return bench.run("validate", "--traces", path)

    ends(traces(("aa", "01", "02"), ("aa", "02", "")), 0, "every parent is there")
    ends(traces(("aa", "01", "02"), ("bb", "02", "")), 1, "1 parents are missing")
    ends(bench.run("validate", "--traces", "/no/such/file"), 1, "cannot read /no/such/file")
    ends(bench.run("validate", "--traces"), 2, "--traces wants a value")
    ends(bench.run("validate", "--wait", "soon"), 2, "--wait is 'soon'")


# ---- run-demo ----

def back_to_baseline(bench):
    config = bench.state["config"]
    assert config["DEMO_MODE"] == "off" and config["DEMO_START_TIMESTAMP"] == "", config
    assert "POST load-generator /admin/stop-demo" in bench.shop.asked
    for pid in bench.forwards():
        assert not os.path.exists(f"/proc/{pid}"), "a port-forward is still there"


@case
def a_demo_is_played_to_its_end_twice(bench):
    bench.deployed()
    for _ in range(2):
        bench.shop.statuses_left = 4
        ends(bench.run("run-demo", DURATION_MINUTES="12", PEAK_RPM="2000"), 0, "ok       the cluster answers", "minute 10  peak",
             "minute 12  end", "minute 12.5  peak  3383.0/min  46.9 % errors  5000 of 20000 checkouts lost", "the demo has ended",
             "back to the baseline")
        calls = bench.calls()
        assert has(calls, '"DEMO_MODE":"blackfriday"', '"DEMO_DURATION_MINUTES":"12"', '"DEMO_PEAK_RPM":"2000"')
        assert sum("rollout restart" in c for c in calls) == 2
        back_to_baseline(bench)


@case
def ctrl_c_stops_the_demo(bench):
    bench.deployed()
    for sent, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        bench.shop.statuses_left = 10000
        bench.shop.asked.clear()
        running = bench.begin("run-demo", "--no-pre-flight", EVERY="1")
        limit = time.monotonic() + 30
        while bench.shop.statuses_left > 9998 and time.monotonic() < limit:
            time.sleep(0.02)
        os.killpg(running.pid, sent)
        said, _ = running.communicate(timeout=30)
        assert running.returncode == code, f"{running.returncode}: {said}"
        assert "back to the baseline" in said, said
        back_to_baseline(bench)
        bench.shop.running = False


@case
def a_demo_that_cannot_begin_leaves_the_baseline(bench):
    bench.deployed()
    bench.shop.starts = (400, {"error": "duration_minutes: expected less"})
    ends(bench.run("run-demo"), 1, "start-demo is refused", "duration_minutes: expected less", "back to the baseline")
    back_to_baseline(bench)
    bench.calls()
    bench.set_deployment("doorbuster", ready=0)
    ends(bench.run("run-demo"), 1, "doorbuster: 0 of 1 ready")
    assert not has(bench.calls(), "patch")
    bench.set_deployment("doorbuster", ready=1)
    os.remove(os.path.join(bench.folder, "port.load-generator"))
    ends(bench.run("run-demo", ANSWER_WAIT="2"), 1, "the load generator does not answer: 000", "back to the baseline")
    assert bench.state["config"]["DEMO_MODE"] == "off"
    ends(bench.run("run-demo", PEAK_RPM="lots"), 2, "PEAK_RPM is 'lots'")
    ends(bench.run("run-demo", "--no-pre-flight", STUB_FAIL="rollout restart"), 1, "the Deployments did not restart")


def shellcheck():
    """True: fine, or nobody here to ask."""
    if shutil.which("shellcheck") is None:
        print("SKIPPED: no shellcheck here (apt-get install shellcheck)")
        return True
    files = [os.path.join(SCRIPTS, n + ".sh") for n in NAMES]
    run = subprocess.run(["shellcheck", "--shell=sh", "--external-sources", "--check-sourced", "--exclude=SC2034", *files],
                         capture_output=True, text=True, check=False)
    print(run.stdout, end="")
    return run.returncode == 0


def main():
    failed = 0 if shellcheck() else 1
    chosen = [c for c in CASES if len(sys.argv) < 2 or sys.argv[1] in c.__name__]
    for function in chosen:
        bench = Bench()
        began = time.monotonic()
        try:
            function(bench)
            print(f"ok     {function.__name__} ({time.monotonic() - began:.1f} s)")
        except (AssertionError, subprocess.TimeoutExpired, KeyError) as error:
            failed += 1
            print(f"FAILED {function.__name__}: {error!r}".replace("\\n", "\n"))
        finally:
            bench.close()
    print(f"{len(chosen)} cases, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
