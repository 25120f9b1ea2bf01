# ctest: label=live
"""A run sent to a receiver that nobody here wrote (@elastic/mockotlpserver), in both encodings: it understands all
three signals, to the last item. It answers before it decodes, and dies of what it cannot decode."""

import json
import os
import re
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
INCIDENT = os.path.join(os.path.dirname(HERE), "judges", "incident.yaml")


def play(protocol):
    env = {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")} | {"OTEL_EXPORTER_OTLP_PROTOCOL": protocol}
    with subprocess.Popen(["node", os.path.join(HERE, "otlp_mock.mjs")], stdout=subprocess.PIPE, text=True) as mock:
        try:
            url = mock.stdout.readline().strip()
            assert url.startswith("http://127.0.0.1:"), url
            done = subprocess.run([os.environ["DOORBUSTER"], "simulate", INCIDENT, "--seed", "1", "--set",
                                   "duration=75s", "--json", "--otlp", url],
                                  env=env, capture_output=True, text=True, check=False, timeout=200)
            assert mock.poll() is None, "the receiver has died"
        finally:
            mock.send_signal(signal.SIGTERM)
        understood = json.loads(mock.stdout.readline())
    said = re.search(r"OTLP: ([\d,]+) spans, ([\d,]+) data points, ([\d,]+) log records accepted", done.stderr)
    assert said, done.stderr
    accepted = [int(count.replace(",", "")) for count in said.groups()]
    assert accepted == [understood[s] for s in ("traces", "metrics", "logs")], (accepted, understood)
    assert min(accepted) > 0 and len(understood["services"]) >= 10, understood
    wanted = "application/json" if protocol == "http/json" else "application/x-protobuf"
    assert list(understood["types"]) == [wanted], understood
    print(f"{protocol}: {accepted[0]} spans, {accepted[1]} data points, {accepted[2]} log records understood")
    return accepted


def main():
    assert play("http/protobuf") == play("http/json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
