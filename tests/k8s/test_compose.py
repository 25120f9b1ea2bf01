"""compose.yaml and .env.example fit together, and keep the promises of the manifests: versions, no rights, no secrets.
# ctest: label=quick
"""

import os
import re
import sys

import manifests


def read(name):
    with open(os.path.join(manifests.SOURCE, name), encoding="utf-8") as file:
        return file.read()


def main():
    found = []
    text = read("compose.yaml")
    compose = manifests.yaml().safe_load(text)
    example = dict(line.split("=", 1) for line in read(".env.example").splitlines() if re.match(r"[A-Z_]+=", line))
    used = {name: rest for name, rest in re.findall(r"(?<!\$)\$\{([A-Z_]+)([^}]*)\}", text)}
    found += [f".env.example does not have {n}" for n in sorted(set(used) - set(example))]
    found += [f"compose.yaml does not use {n}" for n in sorted(set(example) - set(used))]
    for name, value in example.items():
        secret = re.search("PASSWORD|TOKEN|HEADERS", name)
        if secret and value:
            found.append(f".env.example: {name} is filled in")
        if re.search("PASSWORD|TOKEN", name) and not used.get(name, "").startswith(":?"):
            found.append(f"compose.yaml goes on without {name}")
        default = re.match(r":-(.*)", used.get(name, ""))
        if default and default.group(1) != value:
            found.append(f"{name} is {default.group(1)!r} in compose.yaml and {value!r} in .env.example")
    for name, service in compose["services"].items():
        if not re.search(r":\d", service["image"].rpartition("/")[2]):
            found.append(f"{name}: {service['image']} has no version")
        if not (service.get("read_only") and service.get("cap_drop") == ["ALL"]):
            found.append(f"{name} may write its root, or has rights")
        for key, value in service.get("environment", {}).items():
            if re.search("PASSWORD|TOKEN|AUTH", key) and not value.startswith("${"):
                found.append(f"{name}: {key} is a plain secret")
        found += [f"{name}: {port} is open to others" for port in service.get("ports", []) if not port.startswith("127.0.0.1:")]
    for kept in ("docker.io/library/postgres", "docker.io/library/redis"):
        versions = set(re.findall(kept + r":\S+", text + "".join(read(f"k8s/base/{f}.yaml") for f in ("postgresql", "redis"))))
        if len(versions) != 1:
            found.append(f"compose.yaml and k8s/base have different versions: {sorted(versions)}")
    if ".env" not in read(".gitignore").split():
        found.append(".gitignore lets .env in")
    for line in found:
        print(line)
    print(f"{len(compose['services'])} services, {len(example)} variables, {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
