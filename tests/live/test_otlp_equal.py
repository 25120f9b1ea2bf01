# ctest: label=live
"""A run's OTLP bodies in both encodings: message by message the same, and nothing the official protos do not know.

The incident is played twice against a sink, in protobuf and in JSON, with batches closed by count alone, so that
both runs make the same ones. Each pair of bodies must decode to equal messages (each tenth of the traces, a strict
reading takes its time). `protoc --decode` with the official protos reads the protobuf ones: unknown fields show as
bare numbers. Once more with delta temporality and explicit buckets, metrics alone.
"""

import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
JUDGES = os.path.join(os.path.dirname(HERE), "judges")
sys.path[:0] = [HERE, JUDGES]
from google.protobuf import json_format  # noqa: E402
import otlp_judge  # noqa: E402
from otlp_sink import Sink  # noqa: E402

COUNTED = {"OTEL_BSP_SCHEDULE_DELAY": "3600000", "OTEL_BLRP_SCHEDULE_DELAY": "3600000",
           "OTEL_RESOURCE_ATTRIBUTES": "team=caf%C3%A9,service.name=not-this"}
METRICS_ALONE = {"OTEL_TRACES_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none", "OTEL_METRIC_EXPORT_INTERVAL": "15000",
                 "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta",
                 "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": "explicit_bucket_histogram"}


def play(protocol, environment):
    """All requests of a run, by signal."""
    sink = Sink()
    env = {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")} | COUNTED | environment
    env["OTEL_EXPORTER_OTLP_PROTOCOL"] = protocol
    done = subprocess.run([os.environ["DOORBUSTER"], "simulate", os.path.join(JUDGES, "incident.yaml"), "--seed", "1",
                           "--start", "2025-11-28T00:00:00Z", "--json", "--otlp", sink.url],
                          env=env, capture_output=True, text=True, check=False, timeout=200)
    sink.close()
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr}"
    said = re.search(r"OTLP: ([\d,]+) spans, ([\d,]+) data points, ([\d,]+) log records accepted", done.stderr)
    for signal, count in zip(("traces", "metrics", "logs"), said.groups()):
        assert sink.items(signal) == int(count.replace(",", "")), (signal, done.stderr)
    return {signal: sink.of(signal) for signal in ("traces", "metrics", "logs")}


def unknown_fields(signal, body):
    package, name = otlp_judge.REQUESTS[signal]
    service = f"opentelemetry.proto.collector.{package}.v1"
    done = subprocess.run(["protoc", "-I", otlp_judge.PROTOS, f"--decode={service}.{name}",
                           f"opentelemetry/proto/collector/{package}/v1/{package}_service.proto"],
                          input=body, capture_output=True, check=False)
    assert done.returncode == 0, f"protoc does not read it: {done.stderr.decode()}"
    return re.findall(rb"^ *[0-9]+[:{ ].*", done.stdout, re.M)


def compare(signal, binary, text, every):
    request_type = otlp_judge.request_class(signal, otlp_judge.PROTOS)
    assert len(binary) == len(text) > 0, f"{signal}: {len(binary)} and {len(text)} requests"
    judge, compared = otlp_judge.Judge(), 0
    for number, (one, other) in enumerate(zip(binary, text)):
        assert one.items == other.items, f"{signal} {number}: {one.items} and {other.items} items"
        if number % every and number != len(binary) - 1:
            continue
        assert not unknown_fields(signal, one.body), unknown_fields(signal, one.body)[:3]
        message = request_type.FromString(one.body)
        same = request_type()
        json_format.ParseDict(otlp_judge.prepare(json.loads(other.body)), same, ignore_unknown_fields=False)
        assert message == same, f"{signal} {number} differs"
        assert len(message.SerializeToString()) == len(one.body), f"{signal} {number}: zeros told, or fields twice"
        if judge is not None and signal != "metrics":
            getattr(judge, signal)(message)
        compared += 1
    print(f"{signal}: {compared} of {len(binary)} requests are equal in both encodings, "
          f"{sum(len(r.body) for r in binary)} and {sum(len(r.body) for r in text)} bytes")
    return message


def resource_of(message):
    return {a.key: otlp_judge.value_of(a) for a in message.resource_spans[0].resource.attributes}


def main():
    binary, text = play("http/protobuf", {}), play("http/json", {})
    message = compare("traces", binary["traces"], text["traces"], 20)
    resource = resource_of(message)
    assert resource["team"] == b"caf\xc3\xa9".decode() and resource["host.name"] == "virtual", resource
    assert resource["service.name"] != "not-this" and "process.pid" not in resource, resource
    compare("logs", binary["logs"], text["logs"], 1)
    message = compare("metrics", binary["metrics"], text["metrics"], 1)
    judge = otlp_judge.Judge()
    for request in binary["metrics"]:
        judge.metrics(type(message).FromString(request.body))
    binary, text = play("http/protobuf", METRICS_ALONE), play("http/json", METRICS_ALONE)
    message = compare("metrics", binary["metrics"], text["metrics"], 1)
    kinds = {metric.WhichOneof("data") for r in message.resource_metrics for s in r.scope_metrics for metric in s.metrics}
    assert kinds == {"sum", "gauge", "histogram"}, kinds
    assert not binary["traces"] and not binary["logs"]
    return 0


if __name__ == "__main__":
    sys.exit(main())
