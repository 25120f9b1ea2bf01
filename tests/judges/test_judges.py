"""The judges judged: good lines pass, and each of these faults is found, by the words it is told in."""

import contextlib
import copy
import io
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import otlp_judge  # noqa: E402
import tree_judge  # noqa: E402

TRACE, SPAN, CHILD = "0123456789abcdef0123456789abcdef", "00000000000000aa", "00000000000000bb"
SCHEMA = "https://opentelemetry.io/schemas/1.44.0"
T0 = 1764000000000000000


def text(key, value):
    return {"key": key, "value": {"stringValue": value}}


def number(key, value):
    return {"key": key, "value": {"intValue": str(value)}}


def request(signal, items):
    kinds = {"traces": ("resourceSpans", "scopeSpans", "spans"),
             "metrics": ("resourceMetrics", "scopeMetrics", "metrics"),
             "logs": ("resourceLogs", "scopeLogs", "logRecords")}
    outer, scope, inner = kinds[signal]
    resource = {"attributes": [text("service.name", "frontend"),
                               text("service.instance.id", "ef228144-563f-4133-ad6b-8fa5dae62261"),
                               text("telemetry.sdk.name", "doorbuster"), text("telemetry.sdk.language", "c")]}
    scopes = [{"scope": {"name": "doorbuster"}, inner: items, "schemaUrl": SCHEMA}]
    return {outer: [{"resource": resource, scope: scopes, "schemaUrl": SCHEMA}]}


def span(**changes):
    made = {"traceId": TRACE, "spanId": SPAN, "name": "GET /products", "kind": 2, "flags": 259,
            "startTimeUnixNano": str(T0), "endTimeUnixNano": str(T0 + 1000),
            "attributes": [text("http.request.method", "GET"), text("traffic.type", "demo"),
                           number("http.response.status_code", 200)]}
    made.update(changes)
    return {key: value for key, value in made.items() if value is not None}


def child(**changes):
    return span(**{"spanId": CHILD, "parentSpanId": SPAN, "kind": 3, **changes})


def log(**changes):
    made = {"timeUnixNano": str(T0), "observedTimeUnixNano": str(T0), "severityNumber": 13, "severityText": "WARN",
            "body": {"stringValue": "Slow query detected: missing index"}, "attributes": [], "traceId": TRACE,
            "spanId": SPAN, "flags": 3}
    made.update(changes)
    return {key: value for key, value in made.items() if value is not None}


def counter(at=T0 + 5, **changes):
    point = {"attributes": [], "startTimeUnixNano": str(T0), "timeUnixNano": str(at), "asDouble": 3, **changes}
    return {"name": "shop.orders", "unit": "{order}",
            "sum": {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": [point]}}


def histogram(**changes):
    # base 2: buckets (1, 2] and (2, 4]
    point = {"attributes": [], "startTimeUnixNano": str(T0), "timeUnixNano": str(T0 + 5), "count": "4", "sum": 6.5,
             "min": 0, "max": 3, "zeroCount": "1", "scale": 0,
             "positive": {"offset": 0, "bucketCounts": ["2", "1"]}, **changes}
    return {"name": "http.server.request.duration", "unit": "s",
            "exponentialHistogram": {"aggregationTemporality": 2, "dataPoints": [point]}}


class Otlp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.types = {s: otlp_judge.request_class(s, otlp_judge.PROTOS) for s in otlp_judge.REQUESTS}

    def verdict(self, signal, line, judge=None):
        return otlp_judge.judge_line(line, signal, self.types[signal], judge or otlp_judge.Judge())

    def good(self, signal, *items):
        self.assertIsNone(self.verdict(signal, json.dumps(request(signal, list(items))) + "\n"))

    def bad(self, words, signal, *items):
        self.assertIn(words, str(self.verdict(signal, json.dumps(request(signal, list(items))) + "\n")))

    def test_good_lines_pass(self):
        self.good("traces", span(), child(status={"code": 2}, links=[{"traceId": TRACE, "spanId": SPAN}]))
        self.good("logs", log(), log(traceId=None, spanId=None, flags=None))
        self.good("metrics", counter(), histogram())

    def test_json_is_otlp_json(self):
        self.bad("not lowerCamelCase", "traces", span(trace_state="a=1"))
        self.bad("is not an integer", "traces", span(kind="SPAN_KIND_SERVER"))
        self.bad("is not an integer", "logs", log(severityNumber="13"))
        self.bad("not lower-case hex", "traces", span(traceId="ASNFZ4mrze8BI0VniavN7w=="))
        self.bad("not lower-case hex", "traces", span(traceId=TRACE.upper()))
        self.bad("has 15 digits", "traces", span(spanId=SPAN[1:]))
        self.bad("all zero", "logs", log(spanId="0" * 16))
        self.bad("not a decimal string", "traces", span(startTimeUnixNano=T0))
        self.bad("not a decimal string", "metrics", histogram(count=4))
        self.bad("not a JSON number", "traces", span(flags="259"))
        self.bad("no field named", "traces", span(parentId=SPAN))
        self.bad("is null", "traces", span(attributes=[{"key": "a", "value": None}]))
        cut = json.dumps(request("traces", [span()]))
        self.assertIn("cut off", self.verdict("traces", cut))
        self.assertIn("Expecting", self.verdict("traces", cut[:-2] + "\n"))
        self.assertIn("a key twice", self.verdict("traces", '{"resourceSpans":[],"resourceSpans":[]}\n'))

    def test_envelopes_hold_something(self):
        self.assertIn("empty request", self.verdict("traces", "{}\n"))
        self.bad("a scope without items", "traces")
        line = request("traces", [span()])
        twice = copy.deepcopy(line)
        twice["resourceSpans"] *= 2
        self.assertIn("twice in a line", self.verdict("traces", json.dumps(twice) + "\n"))
        line["resourceSpans"][0]["resource"]["attributes"].pop(0)
        self.assertIn("without service.name", self.verdict("traces", json.dumps(line) + "\n"))

    def test_spans_are_valid(self):
        self.bad("ends before it starts", "traces", span(endTimeUnixNano=str(T0 - 1)))
        self.bad("no name", "traces", span(name=""))
        self.bad("kind 0", "traces", span(kind=0))
        self.bad("its own parent", "traces", span(parentSpanId=SPAN))
        self.bad("flags", "traces", span(flags=3))
        self.bad("flags", "traces", span(flags=0x503))
        self.bad("traffic.type twice", "traces", span(attributes=[text("traffic.type", "demo")] * 2))
        self.bad("has no value", "traces", span(attributes=[{"key": "a", "value": {}}]))
        self.bad("twice in a line", "traces", span(), span())

    def test_logs_are_valid(self):
        self.bad("severity", "logs", log(severityText="INFO"))
        self.bad("a span without a trace", "logs", log(traceId=None))
        self.bad("no body", "logs", log(body={"stringValue": ""}))
        self.bad("seen before", "logs", log(observedTimeUnixNano=str(T0 - 1)))

    def test_points_are_valid(self):
        self.bad("do not add up", "metrics", histogram(count="5"))
        self.bad("empty buckets", "metrics", histogram(positive={"offset": 0, "bucketCounts": ["2", "1", "0"]}))
        self.bad("max outside", "metrics", histogram(positive={"offset": 1, "bucketCounts": ["2", "1"]}))
        self.bad("buckets", "metrics", histogram(count="162", positive={"offset": 0, "bucketCounts": ["1"] * 161}))
        self.bad("a sum that", "metrics", histogram(sum=13))
        self.bad("starts after", "metrics", counter(at=T0 - 1))
        self.bad("no value", "metrics", _without(counter(), "asDouble"))
        delta = counter()
        delta["sum"]["aggregationTemporality"] = 1
        self.bad("not cumulative", "metrics", delta)
        self.bad("twice in a request", "metrics", counter(), counter())

    def test_series_only_grow(self):
        for words, second in (("falls", counter(at=T0 + 6, asDouble=2)),
                              ("no later", counter(asDouble=4)),
                              ("start has moved", counter(at=T0 + 6, startTimeUnixNano=str(T0 + 1)))):
            judge = otlp_judge.Judge()
            for metric, expected in ((counter(), None), (second, words)):
                verdict = self.verdict("metrics", json.dumps(request("metrics", [metric])) + "\n", judge)
                if expected is None:
                    self.assertIsNone(verdict)
                else:
                    self.assertIn(expected, verdict)


def _without(metric, key):
    del metric["sum"]["dataPoints"][0][key]
    return metric


def failed(code, *more):
    return [text("http.request.method", "GET"), text("traffic.type", "demo"),
            number("http.response.status_code", code), *more]


class Tree(unittest.TestCase):
    def findings(self, *lines, window_ns=10**12):
        judge = tree_judge.Judge()
        file = [json.dumps(request("traces", line)) for line in lines]
        with contextlib.redirect_stdout(io.StringIO()):
            tree_judge.read(file, judge, window_ns)
        return judge

    def bad(self, words, *spans):
        judge = self.findings(list(spans))
        self.assertTrue(any(words in line for line in judge.shown), judge.shown)

    def test_whole_trees_pass(self):
        judge = self.findings([child()], [span()])
        self.assertEqual((judge.findings, judge.traces, judge.spans, judge.depth), (0, 1, 2, 2), judge.shown)

    def test_what_is_no_tree(self):
        self.bad("0 roots", child())
        self.bad("is not there", child())
        self.bad("2 roots", span(), span(spanId=CHILD))
        self.bad("a span id twice", span(), span())
        self.bad("not below the root", span(), child(parentSpanId="00000000000000cc"),
                 child(spanId="00000000000000cc", parentSpanId=CHILD))

    def test_children_lie_within_their_parents(self):
        self.bad("before its parent", span(), child(startTimeUnixNano=str(T0 - 1)))
        late = str(T0 + 1001)
        self.bad("without a link", span(), child(endTimeUnixNano=late))
        self.bad("without a link", span(), child(endTimeUnixNano=late, links=[{"traceId": TRACE, "spanId": CHILD}]))
        judge = self.findings([span(), child(endTimeUnixNano=late, links=[{"traceId": TRACE, "spanId": SPAN}])])
        self.assertEqual((judge.findings, judge.late), (0, 1), judge.shown)

    def test_traffic_is_told(self):
        self.bad("traffic.type", span(attributes=[]))
        self.bad("traffic.type", span(), child(attributes=[text("traffic.type", "baseline")]))
        self.bad("traffic.type", span(attributes=[text("traffic.type", "other")]))

    def test_status_agrees(self):
        error, kind = {"code": 2}, text("error.type", "503")
        self.bad("HTTP code 503", span(attributes=failed(503)))
        self.bad("HTTP code 404", span(attributes=failed(404, kind), status=error))
        self.bad("HTTP code 404", span(kind=3, attributes=failed(404)))
        self.bad("HTTP code 200", span(status=error, attributes=failed(200, kind)))
        self.bad("HTTP code None", span(attributes=failed(503)[:2]))
        self.bad("error.type", span(status=error, attributes=failed(503)))
        self.bad("error.type", span(attributes=failed(200, kind)))
        self.bad("its client says", span(kind=3, attributes=failed(503, kind), status=error), child(kind=2))

    def test_a_span_after_its_trace_was_judged(self):
        other = span(traceId=TRACE[::-1], endTimeUnixNano=str(T0 + 10**9))
        judge = self.findings([child()], [other], [span()], window_ns=10**6)
        self.assertGreater(judge.findings, 0)


if __name__ == "__main__":
    unittest.main()
