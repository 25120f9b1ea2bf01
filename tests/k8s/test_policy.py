"""What the kept manifests promise: labels, probes, limits, no rights, no plain secrets, no moving tags, budgets, and a
network that is open between the processes of a run and to the stores' clients, and nowhere else. The services and their
ports are those of the actors' files. Each rule is seen to find a planted breach.
# ctest: label=quick
"""

import copy
import os
import re
import sys

import manifests

WORKLOADS = ("Deployment", "StatefulSet")
SECRET = "ecommerce-secrets"
NAMESPACE = "ecommerce-demo"
SECRET_WORD = re.compile(r"PASSWORD|PASSWD|SECRET|TOKEN|CREDENTIAL|AUTH|API_?KEY|HEADERS", re.I)
URL_WITH_PASSWORD = re.compile(r"://[^/@\s]*:(?!\$\()[^/@\s]+@")
LABELS = ("app", "app.kubernetes.io/name")
CLUSTER_LABELS = LABELS + tuple("app.kubernetes.io/" + l for l in ("instance", "part-of", "managed-by"))


# ---- what the program says ----

def shop():
    """{service: HTTP port, or None for a store}"""
    ports = {}
    folder = os.path.join(manifests.SOURCE, "actors")
    for name in sorted(n for n in os.listdir(folder) if n.endswith(".c")):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            text = file.read()
        service = re.search(r'\.service = "([^"]+)"', text).group(1)
        port = int(re.search(r"\.port = (\d+)", text).group(1))
        ports[service] = port if port >= 8000 else None
    return ports


FRONT_DOOR = 8018  # open to everybody
STORE_PEER_PORTS = {"postgresql": 6432, "redis": 7379}


def peer_port(service, ports):
    return ports[service] + 1000 if ports[service] else STORE_PEER_PORTS[service]


# ---- parts of objects ----

def of_kind(objects, *kinds):
    return [o for o in objects if o["kind"] in kinds]


def pod_of(o):
    return o["spec"]["template"]["spec"]


def containers_of(o):
    return pod_of(o).get("initContainers", []) + pod_of(o)["containers"]


def template_labels(o):
    return o["spec"]["template"]["metadata"].get("labels", {})


def selects(selector, labels):
    for key, value in selector.get("matchLabels", {}).items():
        if labels.get(key) != value:
            return False
    for term in selector.get("matchExpressions", []):
        if term["operator"] != "In" or labels.get(term["key"]) not in term["values"]:
            return False
    return True


# ---- the rules: each yields what is wrong ----

def rule_labels(objects, cluster):
    wanted = CLUSTER_LABELS if cluster else LABELS
    for o in objects:
        places = [("", o["metadata"].get("labels", {}))]
        if o["kind"] in WORKLOADS:
            places.append(("its pods ", template_labels(o)))
        for what, labels in places:
            missing = [l for l in wanted if not labels.get(l)]
            if missing:
                yield f"{manifests.name_of(o)}: {what}lack {', '.join(missing)}"
        if o["kind"] in WORKLOADS:
            if not selects(o["spec"]["selector"], template_labels(o)):
                yield f"{manifests.name_of(o)}: does not select its own pods"
            if template_labels(o).get("app") != o["metadata"]["name"]:
                yield f"{manifests.name_of(o)}: app is {template_labels(o).get('app')}"


def rule_namespace(objects, cluster):
    for o in objects if cluster else []:
        if o["kind"] != "Namespace" and o["metadata"].get("namespace") != NAMESPACE:
            yield f"{manifests.name_of(o)}: not in {NAMESPACE}"


def rule_images(objects, _cluster):
    for o in of_kind(objects, *WORKLOADS):
        for c in containers_of(o):
            tag = c["image"].rpartition("/")[2].partition(":")[2]
            if not re.search(r"\d", tag) or "latest" in tag:
                yield f"{manifests.name_of(o)}: {c['image']} has no version"


def rule_resources(objects, _cluster):
    for o in of_kind(objects, *WORKLOADS):
        for c in containers_of(o):
            for side in ("requests", "limits"):
                for what in ("cpu", "memory"):
                    if not c.get("resources", {}).get(side, {}).get(what):
                        yield f"{manifests.name_of(o)}: no {side} of {what}"


def rule_rights(objects, cluster):
    accounts = {o["metadata"]["name"]: o for o in of_kind(objects, "ServiceAccount")}
    for o in of_kind(objects, *WORKLOADS):
        pod, name = pod_of(o), manifests.name_of(o)
        context = pod.get("securityContext", {})
        if context.get("runAsNonRoot") is not True or not context.get("runAsUser"):
            yield f"{name}: may run as root"
        if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield f"{name}: no seccomp profile"
        if pod.get("automountServiceAccountToken") is not False:
            yield f"{name}: gets a token of the API server"
        if any(pod.get(key) for key in ("hostPID", "hostIPC")) or (cluster and pod.get("hostNetwork")):
            yield f"{name}: has a namespace of the host's"
        if any("hostPath" in v for v in pod.get("volumes", [])):
            yield f"{name}: sees the host's files"
        if cluster and pod.get("serviceAccountName") not in accounts:
            yield f"{name}: its ServiceAccount is not here"
        for c in containers_of(o):
            context = c.get("securityContext", {})
            if context.get("allowPrivilegeEscalation") is not False or context.get("privileged"):
                yield f"{name}: {c['name']} may gain rights"
            if context.get("readOnlyRootFilesystem") is not True:
                yield f"{name}: {c['name']} can write its root"
            if context.get("capabilities") != {"drop": ["ALL"]}:
                yield f"{name}: {c['name']} keeps capabilities"
            if context.get("runAsUser", 1) == 0 or context.get("runAsNonRoot") is False:
                yield f"{name}: {c['name']} may run as root"


def rule_probes(objects, cluster):
    for o in of_kind(objects, *WORKLOADS) if cluster else []:
        for c in pod_of(o)["containers"]:
            names = {p.get("name") for p in c.get("ports", [])} | {p["containerPort"] for p in c.get("ports", [])}
            for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
                probe = c.get(kind, {})
                port = (probe.get("httpGet") or probe.get("tcpSocket") or {}).get("port")
                if "exec" not in probe and port not in names:
                    yield f"{manifests.name_of(o)}: no {kind} of a port that it has"


def rule_secrets(objects, _cluster):
    for o in objects:
        if o["kind"] == "Secret":
            yield f"{manifests.name_of(o)}: a secret among the manifests"
        if o["kind"] == "ConfigMap":
            for key, value in o.get("data", {}).items():
                if (SECRET_WORD.search(key) and value) or URL_WITH_PASSWORD.search(value):
                    yield f"{manifests.name_of(o)}: {key} is a secret"
    for o in of_kind(objects, *WORKLOADS):
        for c in containers_of(o):
            before = set()
            for word in c.get("args", []) + c.get("command", []):
                if URL_WITH_PASSWORD.search(word) or re.search(r"\$\(\w*(PASSWORD|TOKEN)\w*\)", word):
                    yield f"{manifests.name_of(o)}: a secret on the command line"
            for e in c.get("env", []):
                ref = e.get("valueFrom", {}).get("secretKeyRef")
                value = e.get("value", "")
                if (SECRET_WORD.search(e["name"]) and not ref) or URL_WITH_PASSWORD.search(value):
                    yield f"{manifests.name_of(o)}: {e['name']} is not by reference"
                if ref and ref["name"] != SECRET:
                    yield f"{manifests.name_of(o)}: {e['name']} is of {ref['name']}, which nothing makes"
                for used in re.findall(r"\$\((\w+)\)", value):
                    if used not in before:
                        yield f"{manifests.name_of(o)}: {e['name']} uses {used} before it is there"
                before.add(e["name"])


def rule_services(objects, cluster):
    ports = shop()
    services = {o["metadata"]["name"]: o for o in of_kind(objects, "Service")}
    pods = [(template_labels(o), {p["containerPort"] for c in containers_of(o) for p in c.get("ports", [])})
            for o in of_kind(objects, *WORKLOADS)]
    for name, port in ports.items() if cluster else []:
        if port and port not in [p["port"] for p in services.get(name, {"spec": {"ports": []}})["spec"]["ports"]]:
            yield f"no Service {name} with port {port}"
    for name, o in services.items():
        reached = [has for labels, has in pods if selects({"matchLabels": o["spec"]["selector"]}, labels)]
        if len(reached) != 1:
            yield f"Service {name}: selects {len(reached)} workloads"
        for p in o["spec"]["ports"]:
            if reached and p.get("targetPort", p["port"]) not in reached[0]:
                yield f"Service {name}: nobody behind it has port {p['port']}"


def hosted(objects):
    """(service, the Deployment that hosts it alone), ..."""
    found = []
    for o in of_kind(objects, "Deployment"):
        args = pod_of(o)["containers"][0].get("args", [])
        if "--only" in args:
            found.append((args[args.index("--only") + 1], o))
    return found


def rule_processes(objects, _cluster):
    ports = shop()
    alone = hosted(objects)
    for name, o in alone:
        if name != o["metadata"]["name"]:
            yield f"{manifests.name_of(o)}: hosts {name}"
        has = {p["containerPort"] for p in pod_of(o)["containers"][0].get("ports", [])}
        wants = {peer_port(name, ports)} | ({ports[name]} if ports[name] else set())
        if has and has != wants:
            yield f"{manifests.name_of(o)}: has ports {sorted(has)}, the program has {sorted(wants)}"
    if alone and {name for name, _ in alone} != set(ports):
        yield f"not hosted, or not there: {sorted({name for name, _ in alone} ^ set(ports))}"
    played = {pod_of(o)["containers"][0]["args"][1] for o in of_kind(objects, "Deployment")
              if pod_of(o)["containers"][0].get("args", [""])[0] == "run"}
    configured = {o["data"]["SCENARIO"] for o in of_kind(objects, "ConfigMap")}
    if played != configured:
        yield f"the processes play {sorted(played)}, the ConfigMap says {sorted(configured)}"


def rule_places(objects, cluster):
    """Where no DNS knows them, each process is told where each other one is."""
    ports, alone = shop(), hosted(objects)
    told = {v for o in of_kind(objects, "ConfigMap") for v in o["data"].values()}
    for name, o in alone if not cluster else []:
        args = pod_of(o)["containers"][0]["args"]
        for other, port in ports.items():
            by_option = f"--peer={other}=127.0.0.1:{peer_port(other, ports)}" in args
            if other != name and not by_option and f"http://127.0.0.1:{port}" not in told:
                yield f"{manifests.name_of(o)}: is not told where {other} is"


def rule_network(objects, cluster):
    policies = of_kind(objects, "NetworkPolicy")
    if not cluster:
        return
    everyone = [p for p in policies if p["spec"]["podSelector"] == {}
                and set(p["spec"]["policyTypes"]) == {"Ingress", "Egress"}
                and not p["spec"].get("ingress") and not p["spec"].get("egress")]
    if not everyone:
        yield "no NetworkPolicy denies by default"
    labels = {template_labels(o)["app"]: template_labels(o) for o in of_kind(objects, *WORKLOADS)}

    def admits(caller, callee, port):
        for p in policies:
            if "Ingress" not in p["spec"]["policyTypes"] or not selects(p["spec"]["podSelector"], labels.get(callee, {})):
                continue
            for rule in p["spec"].get("ingress", []):
                here = any(q["port"] <= port <= q.get("endPort", q["port"]) for q in rule.get("ports", []))
                who = "from" not in rule or any("podSelector" in f and "namespaceSelector" not in f and
                                                selects(f["podSelector"], labels.get(caller, {})) for f in rule["from"])
                if here and who:
                    return True
        return False

    def leaves(caller, port, inside):
        for p in policies:
            if "Egress" in p["spec"]["policyTypes"] and selects(p["spec"]["podSelector"], labels.get(caller, {})):
                for rule in p["spec"].get("egress", []):
                    here = "ports" not in rule or any(q["port"] == port for q in rule["ports"])
                    if here and ("to" not in rule or not inside or {"podSelector": {}} in rule["to"]):
                        return True
        return False

    ports = shop()
    alone = hosted(objects)
    store_clients = {("doorbuster", "postgresql-primary", 5432), ("doorbuster", "redis-primary", 6379)}
    wanted = store_clients
    if alone:
        wanted = {("postgresql", "postgresql-primary", 5432), ("redis", "redis-primary", 6379)}
        wanted |= {(a, b, peer_port(b, ports)) for a in ports for b in ports if a != b}
        wanted |= {("load-generator", s, port) for s, port in ports.items() if port and s != "load-generator"}
    for caller, callee, port in sorted(wanted):
        if not admits(caller, callee, port):
            yield f"{callee} does not admit {caller} to {port}"
        if not leaves(caller, port, True):
            yield f"{caller} does not get out to {callee}:{port}"
    targets = {(callee, port) for _, callee, port in wanted} | {("load-generator" if alone else "doorbuster", 8010)}
    for callee, port in sorted(targets):
        for caller in labels if port != FRONT_DOOR else []:
            if caller != callee and (caller, callee, port) not in wanted and admits(caller, callee, port):
                yield f"{callee} admits {caller} to {port}, who never asks it"
    for name, l in labels.items():
        doorbuster = l.get("app.kubernetes.io/component") in ("service", "store")
        if not leaves(name, 53, False) or (doorbuster and not leaves(name, 4318, False)):
            yield f"{name} reaches no DNS, or no collector"


def rule_scaling(objects, cluster):
    if not cluster:
        return
    scaled = {o["spec"]["scaleTargetRef"]["name"]: o["spec"] for o in of_kind(objects, "HorizontalPodAutoscaler")}
    budgets = of_kind(objects, "PodDisruptionBudget")
    if hosted(objects) and set(scaled) != {"frontend", "checkout"}:
        yield f"autoscalers are of {sorted(scaled)}"
    for o in of_kind(objects, *WORKLOADS):
        name = o["metadata"]["name"]
        copies = scaled[name].get("minReplicas", 1) if name in scaled else o["spec"].get("replicas", 1)
        if name in scaled and "replicas" in o["spec"]:
            yield f"{manifests.name_of(o)}: two say how many copies there are"
        if copies >= 2 and not any(selects(b["spec"]["selector"], template_labels(o)) for b in budgets):
            yield f"{manifests.name_of(o)}: {copies} copies and no PodDisruptionBudget"
        recreated = o["kind"] != "Deployment" or o["spec"].get("strategy", {}).get("type") == "Recreate"
        if not recreated or (name in ("doorbuster", "load-generator", "postgresql", "redis") and copies != 1):
            yield f"{manifests.name_of(o)}: there may be two at once"


RULES = [value for name, value in sorted(globals().items()) if name.startswith("rule_")]


def findings(objects, cluster):
    return [f for rule in RULES for f in rule(objects, cluster)]


# ---- planted breaches ----

def first(objects, kind, name=None):
    return next(o for o in objects if o["kind"] == kind and name in (None, o["metadata"]["name"]))


def container(objects, name):
    return pod_of(first(objects, "Deployment", name))["containers"][0]


def variable(objects, name, key):
    return next(e for e in container(objects, name)["env"] if e["name"] == key)


BREACHES = [
    ("lack app.kubernetes.io/part-of", lambda o: first(o, "Service")["metadata"]["labels"].pop("app.kubernetes.io/part-of")),
    ("its pods lack", lambda o: template_labels(first(o, "StatefulSet")).pop("app.kubernetes.io/name")),
    ("not in ecommerce-demo", lambda o: first(o, "ConfigMap")["metadata"].update(namespace="default")),
    ("has no version", lambda o: container(o, "frontend").update(image="doorbuster:latest")),
    ("has no version", lambda o: container(o, "frontend").update(image="registry:5000/doorbuster")),
    ("no limits of memory", lambda o: container(o, "redis-primary")["resources"]["limits"].pop("memory")),
    ("may run as root", lambda o: pod_of(first(o, "Deployment", "checkout"))["securityContext"].pop("runAsNonRoot")),
    ("no seccomp", lambda o: pod_of(first(o, "StatefulSet"))["securityContext"].pop("seccompProfile")),
    ("token of the API", lambda o: pod_of(first(o, "StatefulSet")).pop("automountServiceAccountToken")),
    ("namespace of the host", lambda o: pod_of(first(o, "StatefulSet")).update(hostNetwork=True)),
    ("host's files", lambda o: pod_of(first(o, "StatefulSet"))["volumes"].append({"name": "x", "hostPath": {"path": "/"}})),
    ("may gain rights", lambda o: container(o, "frontend")["securityContext"].pop("allowPrivilegeEscalation")),
    ("can write its root", lambda o: container(o, "redis")["securityContext"].update(readOnlyRootFilesystem=False)),
    ("keeps capabilities", lambda o: container(o, "redis")["securityContext"]["capabilities"].update(add=["NET_ADMIN"])),
    ("no readinessProbe", lambda o: container(o, "ad-service").pop("readinessProbe")),
    ("no startupProbe", lambda o: container(o, "ad-service")["startupProbe"]["httpGet"].update(port="web")),
    ("a secret among", lambda o: o.append({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}})),
    ("is a secret", lambda o: first(o, "ConfigMap")["data"].update(REDIS_URL="redis://:abc@redis:6379")),
    ("is not by reference", lambda o: container(o, "frontend")["env"].append({"name": "PGPASSWORD", "value": "abc"})),
    ("which nothing makes", lambda o: variable(o, "postgresql", "PGPASSWORD")["valueFrom"]["secretKeyRef"].update(name="other")),
    ("on the command line", lambda o: container(o, "redis")["args"].append("--redis=$(REDIS_PASSWORD)")),
    ("before it is there", lambda o: container(o, "redis")["env"].reverse()),
    ("no Service ad-service", lambda o: o.remove(first(o, "Service", "ad-service"))),
    ("selects 0 workloads", lambda o: first(o, "Service", "frontend")["spec"]["selector"].update(app="front")),
    ("nobody behind it", lambda o: first(o, "Service", "frontend")["spec"]["ports"][0].update(port=80)),
    ("hosts frontend", lambda o: container(o, "checkout")["args"].__setitem__(7, "frontend")),
    ("not hosted", lambda o: o.remove(first(o, "Deployment", "ad-service"))),
    ("the processes play", lambda o: container(o, "checkout")["args"].__setitem__(1, "flash-sale")),
    ("denies by default", lambda o: o.remove(first(o, "NetworkPolicy", "default-deny"))),
    ("does not admit checkout to 9020", lambda o: o.remove(first(o, "NetworkPolicy", "peers"))),
    ("does not admit load-generator to 8013", lambda o: o.remove(first(o, "NetworkPolicy", "load-by-http"))),
    ("who never asks it", lambda o: first(o, "NetworkPolicy", "peers")["spec"]["ingress"][0].pop("from")),
    ("redis-primary admits frontend", lambda o: first(o, "NetworkPolicy", "redis-primary")["spec"]["ingress"][0].pop("from")),
    ("does not get out", lambda o: o.remove(first(o, "NetworkPolicy", "out-to-the-shop"))),
    ("reaches no DNS", lambda o: o.remove(first(o, "NetworkPolicy", "dns"))),
    ("autoscalers are of", lambda o: o.remove(first(o, "HorizontalPodAutoscaler", "checkout"))),
    ("no PodDisruptionBudget", lambda o: o.remove(first(o, "PodDisruptionBudget", "frontend"))),
    ("two say how many", lambda o: first(o, "Deployment", "frontend")["spec"].update(replicas=2)),
    ("two at once", lambda o: first(o, "Deployment", "load-generator")["spec"].pop("strategy")),
]


def main():
    failed = False
    for overlay in manifests.OVERLAYS:
        objects = manifests.objects(overlay)
        found = findings(objects, not overlay.startswith("podman"))
        for line in found:
            print(f"{overlay}: {line}")
        failed |= bool(found)
        print(f"{overlay}: {len(objects)} objects, {len(RULES)} rules")
    spread = manifests.objects("spread")
    for word, plant in BREACHES:
        objects = copy.deepcopy(spread)
        plant(objects)
        found = findings(objects, True)
        if not any(word in line for line in found):
            print(f"a planted breach is not found: {word}; said was {found}")
            failed = True
    objects = manifests.objects("podman-spread")
    container(objects, "frontend")["args"].pop()
    if not any("Deployment frontend: is not told where redis is" in line for line in findings(objects, False)):
        print("a planted breach is not found: a peer without its place")
        failed = True
    print(f"{len(BREACHES) + 1} planted breaches tried")
    with open(os.path.join(manifests.K8S, "scripts", "lib.sh"), encoding="utf-8") as file:
        known = set(re.findall(r"\b([a-z-]+):(80\d\d)\b", file.read()))
    for name, port in shop().items():
        if port and (name, str(port)) not in known:
            print(f"k8s/scripts/lib.sh does not know {name}:{port}")
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
