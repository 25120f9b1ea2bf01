"""What the exporter tells of itself, on /metrics and by OTLP: nothing is unaccounted for, whatever the backend does."""
# ctest: label=live build=debug

import json
import os
import re
import subprocess
import tempfile
import time

from live_run import ROOT, Checks, Run, alone, ask
from otlp_sink import Answer, Sink

JUDGES = os.path.join(ROOT, "tests", "judges")
INCIDENT = os.path.join(JUDGES, "incident.yaml")
SERVICE = "load-generator"
LINE = re.compile(r"^(otel_sdk_\w+?)(?:\{(.*)\})? (\S+)$", re.M)
LABEL = re.compile(r'(\w+)="([^"]*)"')


def scrape(port=8010):
    page = ask(port, "/metrics").body.decode()
    return page, {(name, dict(LABEL.findall(labels)).get("error_type", dict(LABEL.findall(labels)).get(
        "otel_span_sampling_result", ""))): float(value) for name, labels, value in LINE.findall(page)
                  if not name.startswith("otel_sdk_exporter_operation")}


def total(values, name):
    return sum(value for (metric, _), value in values.items() if metric == name)


def conserved(checks, values, signal, created):
    """started = processed + queue; processed well = exported + in flight."""
    processed, exported = f"otel_sdk_processor_{signal}_processed_total", f"otel_sdk_exporter_{signal}_exported_total"
    queue = values[f"otel_sdk_processor_{signal}_queue_size", ""]
    checks.equal(total(values, processed) + queue, created, f"{signal}: processed and queued are those created")
    in_flight = values[f"otel_sdk_exporter_{signal}_inflight", ""]
    checks.equal(total(values, exported) + in_flight, values[processed, ""], f"{signal}: exported and in flight")


def faulty(begun):
    """Away for a second; then some requests are refused or half accepted, and the rest are taken."""
    plan = {"traces": [Answer(400, {}, b"no"), Answer(500), Answer(413),
                       Answer(200, {}, b'{"partialSuccess":{"rejectedSpans":"7"}}')],
            "logs": [Answer(400, {}, b"no")], "metrics": [Answer(400, {}, b"no")]}

    def answer(request):
        if time.monotonic() < begun + 1:
            return Answer(503)
        return plan[request.signal].pop(0) if plan[request.signal] else Answer()
    return answer


EXPORTED = "otel_sdk_exporter_{}_exported_total"
PLANNED = {(EXPORTED.format("span"), code) for code in ("400", "500", "413", "rejected")} | {
    (EXPORTED.format(kind), "400") for kind in ("log", "metric_data_point")}


def check_scrapes(checks, sink):
    run = Run("--speed", "20", "--quiet", scenario=INCIDENT, OTEL_EXPORTER_OTLP_ENDPOINT=sink.url,
              OTEL_EXPORTER_OTLP_PROTOCOL="http/json", OTEL_BSP_MAX_QUEUE_SIZE="3000", OTEL_BSP_SCHEDULE_DELAY="200",
              OTEL_METRIC_EXPORT_INTERVAL="1000")
    values = {}

    def settled():
        page, seen = scrape()
        spans = seen["otel_sdk_span_started_total", "RECORD_AND_SAMPLE"]
        conserved(checks, seen, "span", spans)
        conserved(checks, seen, "log", seen["otel_sdk_log_created_total", ""])
        values.update(seen)
        values["page"] = page
        return seen[EXPORTED.format("span"), ""] > 5000 and PLANNED <= seen.keys()

    checks.that(run.until(settled, 60), "5,000 spans were accepted, and all that was planned refused")
    page = values.pop("page")
    judged = subprocess.run(["promtool", "check", "metrics"], input=page.encode(), stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, check=False)
    checks.equal((judged.returncode, judged.stdout.decode()), (0, ""), "promtool")
    checks.that("otel_sdk" not in scrape(8018)[0], "they stand on one page alone")
    exported = EXPORTED.format("span")
    for code in ("400", "500", "413"):
        checks.equal(values[exported, code], sink.items("traces", int(code)), f"spans that {code} has cost")
    checks.equal(values[exported, "rejected"], 7, "rejected")
    checks.that(values["otel_sdk_processor_span_processed_total", "queue_full"] > 0, "the queue was full while the backend was away")
    checks.equal(values[EXPORTED.format("log"), "400"], sink.items("logs", 400), "log records")
    checks.equal(values[EXPORTED.format("metric_data_point"), "400"], sink.items("metrics", 400), "data points")
    checks.that('otel_sdk_exporter_operation_duration_seconds_count{' in page and 'http_response_status_code="413"' in page,
                "how long an export takes")
    run.send()
    run.wait(60)
    return values


def check_exported(checks, sink):
    """The last request's metrics: the same, of one resource."""
    body = [request for request in sink.of("metrics") if request.code == 200][-1].body
    told = {}
    for resource in json.loads(body)["resourceMetrics"]:
        attributes = {a["key"]: a["value"].get("stringValue") for a in resource["resource"]["attributes"]}
        for metric in resource["scopeMetrics"][0]["metrics"]:
            if metric["name"].startswith("otel.sdk."):
                checks.equal(attributes["service.name"], SERVICE, metric["name"])
                told[metric["name"]] = metric
    checks.equal(len(told), 13, f"metrics of the exporter: {sorted(told)}")

    def of(name):
        return sum(point["asDouble"] for point in told[name]["sum"]["dataPoints"])

    for kind, made in (("span", "otel.sdk.span.started"), ("log", "otel.sdk.log.created")):
        checks.equal(of(f"otel.sdk.processor.{kind}.processed") + of(f"otel.sdk.processor.{kind}.queue.size"), of(made), made)
    checks.that(told["otel.sdk.exporter.span.exported"]["sum"]["isMonotonic"], "a counter")
    types = {a["value"]["stringValue"] for m in told.values() for p in next(v for v in m.values() if isinstance(v, dict))["dataPoints"]
             for a in p["attributes"] if a["key"] == "otel.component.type"}
    checks.equal(types, {"batching_span_processor", "batching_log_processor", "otlp_http_json_span_exporter",
                         "otlp_http_json_log_exporter", "otlp_http_json_metric_exporter"}, "components")
    with tempfile.NamedTemporaryFile() as file:
        file.write(body.replace(b"\n", b"") + b"\n")
        file.flush()
        judged = subprocess.run(["node", os.path.join(JUDGES, "names.mjs"), file.name], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, check=False)
    checks.equal(judged.returncode, 0, f"names: {judged.stdout}")


def main():
    alone()
    checks = Checks()
    sink = Sink(faulty(time.monotonic()))
    check_scrapes(checks, sink)
    check_exported(checks, sink)
    sink.close()
    checks.end()


main()
