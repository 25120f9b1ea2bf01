"""Every kept manifest is what Kubernetes' schema says, with no key that it does not know. Planted mistakes are found.
# ctest: label=judges
"""

import copy
import json
import os
import shutil
import subprocess
import sys

import manifests

NODE = shutil.which("node")


def judge(objects):
    """Lines of findings."""
    run = subprocess.run([NODE, os.path.join(manifests.SOURCE, "tests", "k8s", "schema.mjs")], input=json.dumps(objects),
                         capture_output=True, text=True, check=False)
    assert run.stderr == "" and run.returncode in (0, 1), run.stderr
    return run.stdout.splitlines()


def planted(everything):
    """Copies of good objects with one mistake each, and the word that must be said of it."""
    def of(kind):
        return copy.deepcopy(next(o for o in everything if o["kind"] == kind))

    def pod_of(o):
        return o["spec"]["template"]["spec"]

    def change(kind, do, word):
        o = of(kind)
        do(o)
        return o, word

    return [
        change("Deployment", lambda o: pod_of(o)["containers"][0].update(livenesProbe={}), "livenesProbe"),
        change("Deployment", lambda o: pod_of(o).update(runAsNonRoot=True), "spec.template.spec.runAsNonRoot"),
        change("Deployment", lambda o: o["spec"].update(replicas="two"), "replicas"),
        change("Deployment", lambda o: o["spec"].pop("selector"), "selector"),
        change("Deployment", lambda o: o.update(apiVersion="apps/v1beta9"), "apps/v1beta9"),
        change("StatefulSet", lambda o: o["spec"]["volumeClaimTemplates"][0]["spec"].update(storage="1Gi"), "storage"),
        change("Service", lambda o: o["spec"]["ports"][0].pop("port"), "port"),
        change("NetworkPolicy", lambda o: o["spec"].update(ingres=[]), "ingres"),
        change("ConfigMap", lambda o: o["data"].update(NUMBER=5), "NUMBER"),
        change("HorizontalPodAutoscaler", lambda o: o["spec"].update(maxReplicas=None), "maxReplicas"),
        change("PodDisruptionBudget", lambda o: o["spec"].update(selectors={}), "selectors"),
    ]


def main():
    if NODE is None:
        manifests.skip("no node here (apt-get install nodejs npm)")
    if not os.path.isdir(os.path.join(manifests.JUDGES, "kubernetes-models")):
        manifests.skip("Kubernetes' schema is not installed (.ci/install-judges)")
    failed = False
    everything = []
    for overlay in manifests.OVERLAYS:
        objects = manifests.objects(overlay)
        everything += objects
        found = judge([{"where": f"{overlay}: {manifests.name_of(o)}", "object": o} for o in objects])
        for line in found:
            print(line)
        failed |= bool(found)
        print(f"{overlay}: {len(objects)} objects judged")
    mistakes = planted(everything)
    for o, word in mistakes:
        found = judge([{"where": manifests.name_of(o), "object": o}])
        if not any(word in line for line in found):
            print(f"not found: {word} in {manifests.name_of(o)}; said was {found}")
            failed = True
    print(f"{len(mistakes)} planted mistakes tried")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
