"""simulate --otlp ends well whatever its backend does and whenever a signal comes: with a verdict, never by a fault.

Sixteen runs under the sanitizers; DOORBUSTER_LONG=1: 160. Runs differ in the backend's manners, encoding, compression,
limits and signals; the seed of each is told, so that one can be repeated: test_otlp_ends.py NUMBER.
"""
# ctest: label=live build=debug

import os
import random
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from otlp_sink import Answer, Sink, free_port  # noqa: E402

INCIDENT = os.path.join(os.path.dirname(HERE), "judges", "incident.yaml")
RUNS = 160 if os.environ.get("DOORBUSTER_LONG") == "1" else 16
ENDS = (0, 1, 99, 105, -signal.SIGINT, -signal.SIGTERM)  # a second signal of a kind ends the program as it is
MANNERS = {
    "good": [Answer()],
    "slow": [Answer(delay=0.03), Answer()],
    "closing": [Answer(0), Answer(), Answer()],
    "refusing": [Answer(400, {}, b"no"), Answer(413), Answer(500), Answer()],
    "partial": [Answer(200, {}, b'{"partialSuccess":{"rejectedSpans":"3","errorMessage":"x"}}'), Answer()],
    "wordy": [Answer(200, {}, b"x" * 200000), Answer(400, {}, b"{" * 3000)],
    "busy": [Answer(503, {"Retry-After": "0"}), Answer(429, {"Retry-After": "0"}), Answer()],
}


def environment(chance):
    env = {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")}
    if chance.random() < 0.6:
        env["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/json"
    if chance.random() < 0.4:
        env["OTEL_EXPORTER_OTLP_COMPRESSION"] = "gzip"
    if chance.random() < 0.3:
        env["OTEL_BSP_MAX_QUEUE_SIZE"] = "600"
    if chance.random() < 0.3:
        env |= {"OTEL_EXPORTER_OTLP_TIMEOUT": "30", "OTEL_BSP_EXPORT_TIMEOUT": "300", "OTEL_BLRP_EXPORT_TIMEOUT": "300"}
    return env


def play(number):
    chance = random.Random(number)
    manners = chance.choice([*MANNERS, "away"])
    sink = None if manners == "away" else Sink(lambda request: chance.choice(MANNERS[manners]))
    host = chance.choice(["127.0.0.1", "localhost"])  # by name: a thread of curl's resolves it
    url = f"http://{host}:{sink.server.server_port if sink else free_port()}"
    signals = chance.choice([[], [], [signal.SIGINT], [signal.SIGTERM], [signal.SIGINT] * 2, [signal.SIGINT, signal.SIGTERM]])
    if sink is None and not signals:
        signals = [signal.SIGTERM]
    command = [os.environ["DOORBUSTER"], "simulate", INCIDENT, "--seed", str(number), "--set", "duration=75s", "--json", "--otlp", url]
    with subprocess.Popen(command, env=environment(chance), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as run:
        try:
            said = run.communicate(timeout=chance.random() * 1.5 if signals else 100)[1]
        except subprocess.TimeoutExpired:
            for one in signals:
                run.send_signal(one)
                time.sleep(chance.random() * 0.02)
            said = run.communicate(timeout=60)[1]
    if sink:
        sink.close()
    assert run.returncode in ENDS and "Sanitizer" not in said and "runtime error" not in said, (number, manners, run.returncode, said)


def main():
    for number in [int(word) for word in sys.argv[1:]] or range(RUNS):
        play(number)
    print(f"{RUNS} runs ended well")
    return 0


if __name__ == "__main__":
    sys.exit(main())
