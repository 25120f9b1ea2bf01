#!/usr/bin/env python3
"""A kubectl without a cluster. Keeps what it is told in the folder STUB, and writes each call into STUB/calls.

STUB/state.json says what there is; STUB_FAIL, a regular expression, which calls fail (`psql` calls by their input, too).
Forwarding ports is left to whoever calls this.
"""

import fcntl
import json
import os
import re
import sys

FOLDER = os.environ["STUB"]
PATH = os.path.join(FOLDER, "state.json")


def end(message, code=1):
    print(message, file=sys.stderr)
    sys.exit(code)


def missing(kind, name):
    end(f'Error from server (NotFound): {kind} "{name}" not found')


def selected(state, args):
    program = any("app.kubernetes.io/component in" in a for a in args)
    return {n: d for n, d in state["deployments"].items() if d["program"] or not program}


def get_one(state, kind, name, output):
    if kind == "namespace":
        return state["namespace"] or missing("namespaces", name)
    if kind == "configmap":
        if not state["config"]:
            missing("configmaps", name)
        if output == "jsonpath={.data}":
            return json.dumps(state["config"], sort_keys=True)
        key = re.fullmatch(r"jsonpath=\{\.data\.(\w+)\}", output or "")
        return state["config"].get(key.group(1), "") if key else name
    if kind == "secret":
        return "YWJj" if name in state["secrets"] else missing("secrets", name)
    if kind == "service":
        return name if name in state["services"] else missing("services", name)
    if kind == "persistentvolumeclaim":
        return name if state["claim"] else missing("persistentvolumeclaims", name)
    return end(f"the stub does not know {kind}")


def get(state, args, output):
    kind, name = args[0], args[1] if len(args) > 1 else None
    if name is not None:
        return get_one(state, kind, name, output)
    lines = []
    for name, d in sorted(selected(state, sys.argv).items()):
        if "image" in output:
            lines.append(f"{name} doorbuster={d['image']}")
        elif "readyReplicas" in output:
            lines.append(f"{name} 1 {d['ready'] or ''}")
        else:
            lines.append(name)
    return "\n".join(lines)


def apply(state, args):
    with open(args[args.index("-f") + 1], encoding="utf-8") as file:
        text = file.read()
    layout = "spread" if "name: recommendations-only" in text else "collapsed"
    image = re.search(r"image: (\S+)", text).group(1)
    names = ["frontend", "load-generator"] if layout == "spread" else ["doorbuster"]
    state["namespace"] = "there"
    state["deployments"] = {n: {"image": image, "ready": 1, "program": True} for n in names}
    state["deployments"]["redis-primary"] = {"image": "redis:7", "ready": 1, "program": False}
    state["config"] = {"SCENARIO": "black-friday-v5", "DEMO_MODE": "off", "DB_MAX_CONNECTIONS": "",
                       "OTEL_EXPORTER_OTLP_ENDPOINT": "http://otel-collector.observability:4318"} | {
                           k: v for k, v in (state["config"] or {}).items() if k.startswith("KEPT_")}
    return "applied"


def patch(state, args, options):
    if options.get("--type") == "merge":
        state["config"].update(json.loads(options["-p"])["data"])
    else:
        with open(options["--patch-file"], encoding="utf-8") as file:
            state["config"] = json.load(file)[0]["value"]
    return f"configmap/{args[1]} patched"


def psql(state, text):
    if re.search(os.environ.get("STUB_FAIL") or r"(?!)", text):
        end("psql: error: refused by the stub", 3)
    if "DROP INDEX IF EXISTS idx_products_category;" in text:
        state["indexes"] = ["idx_products_category_active"]
    elif "CREATE INDEX CONCURRENTLY" in text:
        state["indexes"] = ["idx_products_category", "idx_products_stock_quantity", "idx_products_category_active",
                            "idx_products_recommendations", "idx_products_name_prefix"]
    elif "count(*)" in text:
        return str(len([i for i in state["indexes"] if f"'{i}'" in text]))
    return ""


def delete(state, args):
    if "-f" in args:
        state["deployments"], state["config"] = {}, None
    elif args[0] == "secret":
        state["secrets"] = [s for s in state["secrets"] if s != args[1]]
    elif args[0] == "persistentvolumeclaim":
        state["claim"] = False
    elif args[0] == "namespace":
        state["namespace"] = ""
    return "deleted"


def create(state, args):
    if args[0] == "namespace":
        state["namespace"] = "there"
    else:
        source = next(a for a in args if a.startswith("--from-file=")).split("=", 1)[1]
        for key in sorted(os.listdir(source)):
            with open(os.path.join(source, key), encoding="utf-8") as file:
                word = file.read()
            assert re.fullmatch("[0-9a-f]{48}", word), word
        state["secrets"].append(args[2])
    return "created"


def act(state, args, options, output):
    verb, rest = args[0], args[1:]
    if verb in ("get", "patch", "delete", "create"):
        return {"get": lambda: get(state, rest, output), "patch": lambda: patch(state, rest, options),
                "delete": lambda: delete(state, ["-f"] if "-f" in options else rest),
                "create": lambda: create(state, rest + [a for a in sys.argv if a.startswith("--from-file=")])}[verb]()
    if verb == "apply":
        return apply(state, sys.argv)
    if verb == "kustomize":
        with open(os.path.join(rest[0], "kustomization.yaml"), encoding="utf-8") as file:
            made = file.read()
        image = re.search(r"newName: ([^,]+), newTag: \"([^\"]+)\"", made)
        mark = "name: recommendations-only\n" if "overlays/spread" in made else ""
        return f"kind: Deployment\n{mark}image: {image.group(1)}:{image.group(2)}\n"
    if verb == "exec":
        return "" if "pg_isready" in " ".join(sys.argv) else psql(state, sys.stdin.read())
    if verb == "set":
        name, _, image = rest[1].split("/")[1], *rest[2].split("=", 1)
        state["deployments"][name]["image"] = image
    return {"version": "v1.32", "rollout": "successfully rolled out", "set": "image updated"}.get(verb) or end(
        f"the stub does not know {verb}")


def main():
    words = sys.argv[1:]
    call = " ".join(words)
    with open(os.path.join(FOLDER, "calls"), "a", encoding="utf-8") as file:
        file.write(call.replace("\n", "\\n") + "\n")
    if re.search(os.environ.get("STUB_FAIL") or r"(?!)", call):
        end("Error from server: refused by the stub")
    args, options, output = [], {}, ""
    while words:
        word = words.pop(0)
        if word in ("--namespace", "-l", "-p", "--type", "--patch-file", "-f"):
            options[word] = words.pop(0)
        elif word == "-o":
            output = words.pop(0)
        elif not word.startswith("-"):
            args.append(word)
    with open(PATH, "r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        state = json.load(file)
        said = act(state, args, options, output)
        file.seek(0)
        file.truncate()
        json.dump(state, file)
    if said:
        print(said)


if __name__ == "__main__":
    main()
