"""The processes of the cluster's two overlays, with the command lines, variables and names of their manifests, on one machine
with a real PostgreSQL and a real Redis: validate.sh finds the shop valid, and all end in good order. In namespaces of its
own, where the Services' names are names of loopback. The stores listen elsewhere than in their pods, as the ports of the
processes that stand for them are the same.
# ctest: label=long
"""

import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import manifests

PROGRAM = os.environ.get("DOORBUSTER", os.path.join(manifests.SOURCE, "build", "doorbuster"))
INSIDE = "DOORBUSTER_TEST_NAMESPACE"
SECRETS = {"postgresql-password": "secret-of-postgresql", "redis-password": "secret-of-redis", "admin-token": "secret-of-admin"}
PG_PORT, REDIS_PORT = 15432, 16379
READY_S = 120


def alone():
    if os.environ.get(INSIDE):
        return
    if subprocess.run(["unshare", "-nm", "ip", "link", "set", "lo", "up"], capture_output=True, check=False).returncode != 0:
        manifests.skip("no namespaces can be made here (unshare -nm)")
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "-nm", sys.executable, *sys.argv])


def name_services(objects, folder):
    names = [o["metadata"]["name"] for o in objects if o["kind"] == "Service"] + ["postgresql-primary-0.postgresql-primary"]
    path = os.path.join(folder, "hosts")
    with open(path, "w", encoding="utf-8") as file:
        file.write("127.0.0.1 localhost " + " ".join(names) + "\n")
    subprocess.run(["mount", "--bind", path, "/etc/hosts"], check=True)


# ---- the stores ----

def start_postgresql(folder, config):
    programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
    data = os.path.join(folder, "data")
    os.mkdir(data)
    shutil.chown(data, "postgres")
    password = os.path.join(folder, "password")
    with open(password, "w", encoding="utf-8") as file:
        file.write(SECRETS["postgresql-password"])
    as_user = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
    subprocess.run([*as_user, programs + "/initdb", "-D", data, "-U", config["PGUSER"], "-A", "scram-sha-256",
                    "--pwfile", password], stdout=subprocess.DEVNULL, check=True, cwd="/")
    server = subprocess.Popen([*as_user, programs + "/postgres", "-D", data, "-p", str(PG_PORT), "-k", data, "-c",
                               "max_connections=200"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
    environment = {**os.environ, "PGPASSWORD": SECRETS["postgresql-password"], "PGHOST": "127.0.0.1", "PGPORT": str(PG_PORT),
                   "PGUSER": config["PGUSER"]}
    until(lambda: subprocess.run(["createdb", config["PGDATABASE"]], env=environment, capture_output=True,
                                 check=False).returncode == 0, "PostgreSQL does not begin")
    return server


def start_redis(objects):
    """By the command of the manifest, at another port."""
    container = next(o for o in objects if o["metadata"]["name"] == "redis-primary" and o["kind"] == "Deployment")[
        "spec"]["template"]["spec"]["containers"][0]
    script = container["command"][2].replace("requirepass", f"port {REDIS_PORT}\nrequirepass", 1)
    return subprocess.Popen(["sh", "-c", script], env={**os.environ, "REDISCLI_AUTH": SECRETS["redis-password"]},
                            stdout=subprocess.DEVNULL, cwd="/")


# ---- the processes ----

def variables(container, config, pod):
    """As the kubelet fills them in."""
    fields = {"metadata.name": pod, "metadata.namespace": "ecommerce-demo", "spec.nodeName": "node"}
    found = dict(config)
    for e in container["env"]:
        ref = e.get("valueFrom", {})
        if "secretKeyRef" in ref:
            found[e["name"]] = SECRETS[ref["secretKeyRef"]["key"]]
        elif "fieldRef" in ref:
            found[e["name"]] = fields[ref["fieldRef"]["fieldPath"]]
        else:
            found[e["name"]] = re.sub(r"\$\((\w+)\)", lambda m: found[m.group(1)], e["value"]).replace(":6379", f":{REDIS_PORT}")
    return found


def start_program(o, config, folder):
    name = o["metadata"]["name"]
    container = o["spec"]["template"]["spec"]["containers"][0]
    environment = {"PATH": os.environ["PATH"], "HOME": folder, **variables(container, config, name + "-0")}
    log = open(os.path.join(folder, name + ".log"), "wb")
    return name, subprocess.Popen([PROGRAM, *container["args"]], env=environment, stdout=log, stderr=log, cwd=manifests.SOURCE)


def until(true, why, seconds=30):
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit, why
        time.sleep(0.2)


def answers(port):
    return subprocess.run(["curl", "-s", "-o", "/dev/null", "--max-time", "2", f"http://127.0.0.1:{port}/readyz"],
                          check=False).returncode == 0


def play(overlay, folder):
    objects = manifests.objects(overlay)
    config = next(o["data"] for o in objects if o["kind"] == "ConfigMap") | {"PGPORT": str(PG_PORT), "OTEL_EXPORTER_OTLP_ENDPOINT": ""}
    name_services(objects, folder)
    servers = [start_postgresql(folder, config), start_redis(objects)]
    programs = []
    try:
        programs = [start_program(o, config, folder) for o in objects
                    if o["kind"] == "Deployment" and o["metadata"]["labels"]["app.kubernetes.io/component"] in ("service", "store")]
        until(lambda: all(answers(port) for port in range(8010, 8021)) or any(p.poll() is not None for _, p in programs),
              "not all are ready", READY_S)
        valid = subprocess.run(["sh", os.path.join(manifests.K8S, "scripts", "validate.sh")], check=False,
                               env={**os.environ, "DIRECT": "127.0.0.1", "DOORBUSTER_ADMIN_TOKEN": SECRETS["admin-token"]})
        assert valid.returncode == 0, f"{overlay} is not valid"
        for secret in SECRETS.values():
            for _, process in programs + [("redis", servers[1])]:
                with open(f"/proc/{process.pid}/cmdline", "rb") as file:
                    assert secret.encode() not in file.read(), "a secret is on a command line"
        for _, process in programs: # as Kubernetes ends pods: all at once
            process.send_signal(signal.SIGTERM)
        for name, process in programs:
            assert process.wait(30) == 0, f"{name} ended with {process.returncode}"
        print(f"{overlay}: {len(programs)} processes valid, and ended in good order", flush=True)
    except (AssertionError, subprocess.TimeoutExpired):
        for name, process in programs:
            with open(os.path.join(folder, name + ".log"), encoding="utf-8", errors="replace") as file:
                print(f"---- {name}, {process.poll()}\n{file.read()[-800:]}")
        raise
    finally:
        for process in [p for _, p in programs] + servers:
            process.kill()
            process.wait()
        subprocess.run(["umount", "/etc/hosts"], check=True)


def main():
    for tool in ("unshare", "ip", "curl", "redis-server", "createdb", "setpriv"):
        if shutil.which(tool) is None:
            manifests.skip(f"no {tool} here (.ci/install test live)")
    if os.geteuid() != 0:
        manifests.skip("what root alone can do: names and networks of its own")
    alone()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for overlay in ("collapsed", "spread"):
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            play(overlay, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
