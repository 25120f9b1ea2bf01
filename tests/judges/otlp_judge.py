"""Judges a file of OTLP/JSON lines by the official protos: strictly, and by the rules their comments state.

usage: otlp_judge.py FILE --signal traces|metrics|logs [--protos DIR] [--every N]

Each line must be one Export...ServiceRequest in OTLP's JSON: lowerCamelCase keys that the protos know, ids in
hex, enums as integers, 64-bit integers as decimal strings, no key twice, no empty envelope. A protobuf JSON
parser then reads it (with ids turned to base64, its own way) and the message is checked. --protos is where
`opentelemetry/proto/...` lies; --every N takes each Nth line only, the first and the last included.

Prints one line of figures, or up to 20 findings and exit code 1. Needs protoc and python3-protobuf.
"""

import argparse
import base64
import json
import os
import re
import subprocess
import sys
import tempfile

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

HERE = os.path.dirname(os.path.abspath(__file__))
PROTOS = os.path.join(HERE, "node_modules/@elastic/mockotlpserver")
REQUESTS = {
    "traces": ("trace", "ExportTraceServiceRequest"),
    "metrics": ("metrics", "ExportMetricsServiceRequest"),
    "logs": ("logs", "ExportLogsServiceRequest"),
}
# Keys by the JSON form that OTLP gives their values.
HEX_BYTES = {"traceId": 16, "spanId": 8, "parentSpanId": 8}
ENUMS = {"kind", "code", "severityNumber", "aggregationTemporality"}
STRINGS_64 = {"intValue", "asInt", "count", "zeroCount", "bucketCounts"}
NUMBERS = {"flags", "scale", "offset", "droppedAttributesCount", "droppedEventsCount", "droppedLinksCount"}
SEVERITIES = {"TRACE": 1, "DEBUG": 5, "INFO": 9, "WARN": 13, "ERROR": 17, "FATAL": 21}
BUCKETS_MAX = 160
CUMULATIVE = 2


class Wrong(Exception):
    """The line is not what it has to be."""


def check(true, what):
    if not true:
        raise Wrong(what)


# ---- JSON, before protobuf sees it ----


def no_key_twice(pairs):
    keys = dict(pairs)
    check(len(keys) == len(pairs), f"a key twice among {[k for k, _ in pairs]}")
    return keys


def is_decimal(value):
    return isinstance(value, str) and re.fullmatch(r"-?(0|[1-9][0-9]*)", value) is not None


def to_base64(key, value):
    check(isinstance(value, str) and re.fullmatch(r"[0-9a-f]*", value), f"{key} is not lower-case hex: {value!r}")
    check(len(value) == 2 * HEX_BYTES[key], f"{key} has {len(value)} digits")
    check(value.strip("0"), f"{key} is all zero")
    return base64.b64encode(bytes.fromhex(value)).decode()


def check_scalar(key, value):
    if key in ENUMS:
        check(type(value) is int, f"enum {key} is not an integer: {value!r}")
    elif key.endswith("UnixNano") or key in STRINGS_64:
        check(is_decimal(value), f"64-bit {key} is not a decimal string: {value!r}")
    elif key in NUMBERS:
        check(type(value) is int, f"{key} is not a JSON number: {value!r}")


def prepare(value, key=""):
    """Checks the JSON form, and turns ids into the base64 that protobuf's parser wants."""
    if isinstance(value, dict):
        for name in value:
            check("_" not in name, f"key {name} is not lowerCamelCase")
        return {name: prepare(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [prepare(inner, key) for inner in value]
    check(value is not None, f"{key} is null")
    if key in HEX_BYTES:
        return to_base64(key, value)
    check_scalar(key, value)
    return value


# ---- Rules on messages ----


def check_attributes(attributes, what):
    seen = set()
    for attribute in attributes:
        check(attribute.key, f"{what}: an attribute without a key")
        check(attribute.key not in seen, f"{what}: attribute {attribute.key} twice")
        check(attribute.value.WhichOneof("value"), f"{what}: {attribute.key} has no value")
        seen.add(attribute.key)


def value_of(attribute):
    return getattr(attribute.value, attribute.value.WhichOneof("value"))


def check_resource(resource, seen):
    check_attributes(resource.attributes, "resource")
    found = {a.key: value_of(a) for a in resource.attributes}
    for key in ("service.name", "service.instance.id", "telemetry.sdk.name", "telemetry.sdk.language"):
        check(found.get(key), f"resource without {key}")
    check(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
                       found["service.instance.id"]), "service.instance.id is no UUID")
    check(found["service.name"] not in seen, f"resource {found['service.name']} twice in a line")
    seen.add(found["service.name"])
    return found["service.name"]


class Judge:
    def __init__(self):
        self.items = 0
        self.services = set()
        self.begun = {}  # series -> (its start, its newest instant, its newest total)

    def scopes(self, resources, scopes_of, items_of):
        """The items of a request, with their service, envelopes checked."""
        check(resources, "an empty request")
        seen = set()
        for resource in resources:
            service = check_resource(resource.resource, seen)
            self.services.add(service)
            check(resource.schema_url.startswith("https://opentelemetry.io/schemas/"), "no schemaUrl")
            scopes = getattr(resource, scopes_of)
            check(scopes, f"{service}: a resource without scopes")
            for scope in scopes:
                check(scope.scope.name, f"{service}: a scope without a name")
                items = getattr(scope, items_of)
                check(items, f"{service}: a scope without items")
                for item in items:
                    yield service, item

    def traces(self, request):
        ids = set()
        for service, span in self.scopes(request.resource_spans, "scope_spans", "spans"):
            self.items += 1
            what = f"{service}: span {span.span_id.hex()} ({span.name})"
            check(span.trace_id and span.span_id, f"{what}: no ids")
            check(span.parent_span_id != span.span_id, f"{what}: its own parent")
            check((span.trace_id, span.span_id) not in ids, f"{what}: twice in a line")
            ids.add((span.trace_id, span.span_id))
            check(span.name, f"{what}: no name")
            check(1 <= span.kind <= 5, f"{what}: kind {span.kind}")
            check(span.start_time_unix_nano > 0, f"{what}: no start")
            check(span.end_time_unix_nano >= span.start_time_unix_nano, f"{what}: ends before it starts")
            check(span.flags >> 10 == 0 and span.flags & 0x100, f"{what}: flags {span.flags:#x}")
            check(0 <= span.status.code <= 2, f"{what}: status {span.status.code}")
            check_attributes(span.attributes, what)
            for link in span.links:
                check(link.trace_id and link.span_id, f"{what}: a link to nothing")
        check(len(ids) <= 512, f"{len(ids)} spans in a line")

    def logs(self, request):
        for service, record in self.scopes(request.resource_logs, "scope_logs", "log_records"):
            self.items += 1
            what = f"{service}: log {record.body.string_value!r}"
            check(record.time_unix_nano > 0, f"{what}: no time")
            check(record.observed_time_unix_nano >= record.time_unix_nano, f"{what}: seen before it happened")
            check(record.body.string_value, f"{what}: no body")
            first = SEVERITIES.get(record.severity_text)
            check(first, f"{what}: severity {record.severity_text!r}")
            check(first <= record.severity_number <= first + 3, f"{what}: severity {record.severity_number}")
            check(not record.span_id or record.trace_id, f"{what}: a span without a trace")
            check_attributes(record.attributes, what)

    def metrics(self, request):
        seen = set()
        for service, metric in self.scopes(request.resource_metrics, "scope_metrics", "metrics"):
            what = f"{service}: {metric.name}"
            check(metric.name and metric.unit, f"{what}: no name or unit")
            check((service, metric.name) not in seen, f"{what}: twice in a request")
            seen.add((service, metric.name))
            kind = metric.WhichOneof("data")
            check(kind in ("sum", "gauge", "exponential_histogram"), f"{what}: is a {kind}")
            data = getattr(metric, kind)
            check(data.data_points, f"{what}: no points")
            if kind != "gauge":
                check(data.aggregation_temporality == CUMULATIVE, f"{what}: not cumulative")
            sets = set()
            for point in data.data_points:
                self.items += 1
                check_attributes(point.attributes, what)
                series = frozenset((a.key, str(value_of(a))) for a in point.attributes)
                check(series not in sets, f"{what}: a set of attributes twice")
                sets.add(series)
                if kind == "exponential_histogram":
                    check_histogram(point, what)
                else:
                    check(point.WhichOneof("value"), f"{what}: no value")
                self.check_series((service, metric.name, series), kind, data, point, what)

    def check_series(self, series, kind, data, point, what):
        check(point.time_unix_nano > 0, f"{what}: no time")
        for exemplar in point.exemplars:
            check(exemplar.WhichOneof("value"), f"{what}: an exemplar without a value")
            check(exemplar.time_unix_nano <= point.time_unix_nano, f"{what}: an exemplar from the future")
        if kind == "gauge":
            return
        start, total = point.start_time_unix_nano, None
        check(0 < start <= point.time_unix_nano, f"{what}: starts after its time")
        if kind == "exponential_histogram":
            total = point.count
        elif data.is_monotonic:
            total = point.as_double
            check(total >= 0, f"{what}: a counter below zero")
        before = self.begun.get(series)
        if before:
            check(start == before[0], f"{what}: its start has moved")
            check(point.time_unix_nano > before[1], f"{what}: no later than the point before")
            check(total is None or total >= before[2], f"{what}: a total that falls")
        self.begun[series] = (start, point.time_unix_nano, total)


def check_histogram(point, what):
    counts = list(point.positive.bucket_counts)
    check(point.count > 0, f"{what}: a histogram of nothing")
    check(not point.negative.bucket_counts, f"{what}: durations below zero")
    check(sum(counts) + point.zero_count == point.count, f"{what}: buckets do not add up to count")
    check(len(counts) <= BUCKETS_MAX, f"{what}: {len(counts)} buckets")
    check(not counts or (counts[0] and counts[-1]), f"{what}: empty buckets at an end")
    check(point.min <= point.max, f"{what}: min above max")
    slack = 1e-9 * max(abs(point.sum), 1e-12)
    check(point.count * point.min - slack <= point.sum <= point.count * point.max + slack,
          f"{what}: a sum that min and max do not allow")
    if counts:
        # Bucket i = (base^i, base^(i+1)]: the largest value lies in the last bucket. (Smaller values than
        # the lowest bucket holds count in it, so the smallest needs only lie below its upper bound.)
        base = 2.0 ** (2.0 ** -point.scale)
        last = point.positive.offset + len(counts) - 1
        upper = base ** (last + 1)
        check(upper / base * (1 - 1e-12) <= point.max <= upper * (1 + 1e-12), f"{what}: max outside its bucket")
        if not point.zero_count:
            check(point.min <= base ** (point.positive.offset + 1) * (1 + 1e-12), f"{what}: min above its bucket")


# ---- The protos ----


def request_class(signal, protos):
    package, name = REQUESTS[signal]
    source = f"opentelemetry/proto/collector/{package}/v1/{package}_service.proto"
    with tempfile.NamedTemporaryFile(suffix=".pb") as out:
        subprocess.run(["protoc", "-I", protos, "--include_imports", f"--descriptor_set_out={out.name}", source],
                       check=True)
        files = descriptor_pb2.FileDescriptorSet.FromString(out.read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    found = pool.FindMessageTypeByName(f"opentelemetry.proto.collector.{package}.v1.{name}")
    return message_factory.MessageFactory(pool).GetPrototype(found)


def judge_line(line, signal, request_type, judge):
    try:
        check(line.endswith("\n"), "the line is cut off")
        request = request_type()
        content = prepare(json.loads(line, object_pairs_hook=no_key_twice))
        json_format.ParseDict(content, request, ignore_unknown_fields=False)
        getattr(judge, signal)(request)
    except (Wrong, ValueError, json_format.ParseError) as wrong:
        return str(wrong)
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--signal", required=True, choices=REQUESTS)
    parser.add_argument("--protos", default=PROTOS)
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    request_type = request_class(options.signal, options.protos)
    judge, findings, lines, judged = Judge(), [], 0, 0
    with open(options.file, encoding="utf-8", errors="strict", newline="\n") as file:
        pending = None  # the last line is judged whatever --every says
        for lines, line in enumerate(file, 1):
            pending = None if (lines - 1) % options.every == 0 else line
            if pending is None:
                judged += 1
                findings += [(lines, f) for f in [judge_line(line, options.signal, request_type, judge)] if f]
        if pending is not None:
            judged += 1
            findings += [(lines, f) for f in [judge_line(pending, options.signal, request_type, judge)] if f]
    if not judge.items and not findings:
        findings.append((lines, "nothing in it"))
    for number, finding in findings[:20]:
        print(f"{options.file}:{number}: {finding}")
    print(f"{options.signal}: {judged} of {lines} lines judged, {judge.items} items, "
          f"{len(judge.services)} services, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
