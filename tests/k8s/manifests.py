"""The kept manifests of k8s/rendered, for the tests of this folder."""

import os
import sys

SOURCE = os.environ.get("DOORBUSTER_SOURCE", os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
K8S = os.path.join(SOURCE, "k8s")
JUDGES = os.path.join(SOURCE, "tests", "k8s", "node_modules")
OVERLAYS = sorted(os.listdir(os.path.join(K8S, "overlays")))
SKIPPED = 77  # as an exit code: what tests/CMakeLists.txt calls skipped


def skip(why):
    print(f"SKIPPED: {why}")
    sys.exit(SKIPPED)


def yaml():
    try:
        import yaml as module
    except ImportError:
        skip("no YAML reader here (apt-get install python3-yaml)")
    return module


def rendered_path(overlay):
    return os.path.join(K8S, "rendered", overlay + ".yaml")


def objects(overlay):
    """The objects of an overlay, in order."""
    with open(rendered_path(overlay), encoding="utf-8") as file:
        return [o for o in yaml().safe_load_all(file) if o is not None]


def name_of(o):
    return f"{o['kind']} {o['metadata']['name']}"
