"""Judges traces in a file of OTLP/JSON lines: each one a whole tree that tells the truth about itself.

usage: tree_judge.py FILE [--min-depth N] [--min-services N] [--window-s S]

A trace has one root; every parent is there; a child lies within its parent, unless it carries a link to it
(the parent gave up on a deadline) and then it may end later, not begin earlier. Every span carries
traffic.type, the same in a trace. HTTP code, status and error.type agree (conventions for HTTP spans), and a
client's code is its server's.

The file is read once. A trace is judged when none of its spans has ended for --window-s seconds of the
traces' own time, so memory is bounded by what is open within that window; a span that comes after that makes
a finding. Prints figures, or up to 20 findings and exit code 1.
"""

import argparse
import collections
import json
import sys

SERVER, CLIENT = 2, 3
ERROR = 2
Span = collections.namedtuple("Span", "id parent name kind start end service error links traffic http code error_type")


def attribute(value):
    """An AnyValue's content; integers come as text."""
    kind, content = next(iter(value.items()))
    return int(content) if kind == "intValue" else content


def read_span(span, service):
    found = {a["key"]: attribute(a["value"]) for a in span["attributes"]}
    return Span(
        id=span["spanId"],
        parent=span.get("parentSpanId"),
        name=span["name"],
        kind=span["kind"],
        start=int(span["startTimeUnixNano"]),
        end=int(span["endTimeUnixNano"]),
        service=service,
        error=span.get("status", {}).get("code", 0) == ERROR,
        links=tuple((link["traceId"], link["spanId"]) for link in span.get("links", ())),
        traffic=found.get("traffic.type"),
        http="http.request.method" in found,
        code=found.get("http.response.status_code"),
        error_type=found.get("error.type"),
    )


def spans_of(line):
    for resource in json.loads(line)["resourceSpans"]:
        named = {a["key"]: attribute(a["value"]) for a in resource["resource"]["attributes"]}
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                yield span["traceId"], read_span(span, named["service.name"])


def judge_status(span):
    """What the conventions say of a span by itself."""
    if (span.error_type is not None) != span.error:
        yield f"error.type {span.error_type!r} with status {'ERROR' if span.error else 'unset'}"
    if not span.http or span.kind not in (SERVER, CLIENT):
        return
    if span.code is None:
        wanted = True  # no answer
    else:
        wanted = span.code >= 500 or (span.code >= 400 and span.kind == CLIENT)
    if wanted != span.error:
        yield f"HTTP code {span.code} with status {'ERROR' if span.error else 'unset'}"


def judge_child(trace, child, parent):
    linked = (trace, parent.id) in child.links
    if child.start < parent.start:
        yield f"begins {parent.start - child.start} ns before its parent {parent.name}"
    if child.end > parent.end and not linked:
        yield f"ends {child.end - parent.end} ns after its parent {parent.name}, without a link"
    if parent.kind == CLIENT and child.kind == SERVER and not linked:
        if parent.code is not None and child.code != parent.code:
            yield f"answered {child.code}, its client says {parent.code}"


class Judge:
    def __init__(self):
        self.findings = 0
        self.shown = []
        self.traces = self.spans = self.errors = self.late = 0
        self.depth = self.widest = self.open_most = 0
        self.services = set()
        self.traffic = collections.Counter()

    def finding(self, trace, what):
        self.findings += 1
        if len(self.shown) < 20:
            self.shown.append(f"trace {trace}: {what}")

    def depths(self, trace, spans, root):
        """Walks down from the root; what is not reached hangs on nothing."""
        below = collections.defaultdict(list)
        for span in spans.values():
            if span.parent is not None:
                below[span.parent].append(span)
        depth, level, reached = 0, [root], 0
        while level:
            depth += 1
            reached += len(level)
            level = [child for span in level for child in below[span.id]]
        if reached != len(spans):
            self.finding(trace, f"{len(spans) - reached} spans are not below the root")
        return depth

    def trace(self, trace, listed):
        spans = {span.id: span for span in listed}
        self.traces += 1
        if len(spans) != len(listed):
            self.finding(trace, "a span id twice")
        roots = [span for span in listed if span.parent is None]
        if len(roots) != 1:
            self.finding(trace, f"{len(roots)} roots among {len(listed)} spans, e.g. {listed[0].name}")
        else:
            self.depth = max(self.depth, self.depths(trace, spans, roots[0]))
        traffic = {span.traffic for span in listed}
        if len(traffic) != 1 or not traffic <= {"baseline", "demo"}:
            self.finding(trace, f"traffic.type is {sorted(map(str, traffic))}")
        self.traffic[str(min(map(str, traffic)))] += 1
        services = {span.service for span in listed}
        self.services |= services
        self.widest = max(self.widest, len(services))
        for span in listed:
            self.span(trace, span, spans)

    def span(self, trace, span, spans):
        self.spans += 1
        self.errors += span.error
        parent = spans.get(span.parent)
        findings = list(judge_status(span))
        if span.end < span.start:
            findings.append("ends before it begins")
        if parent is not None:
            self.late += span.end > parent.end
            findings += judge_child(trace, span, parent)
        elif span.parent is not None:
            findings.append(f"its parent {span.parent} is not there")
        for what in findings:
            self.finding(trace, f"span {span.id} ({span.service}, {span.name}): {what}")


def read(file, judge, window_ns):
    """Open traces in the order of their newest span, so the first ones are those to close."""
    open_spans, newest, watermark = {}, collections.OrderedDict(), 0
    for line in file:
        for trace, span in spans_of(line):
            open_spans.setdefault(trace, []).append(span)
            watermark = max(watermark, span.end)
            newest[trace] = watermark
            newest.move_to_end(trace)
        judge.open_most = max(judge.open_most, len(open_spans))
        while newest and next(iter(newest.values())) < watermark - window_ns:
            trace, _ = newest.popitem(last=False)
            judge.trace(trace, open_spans.pop(trace))
    for trace, spans in open_spans.items():
        judge.trace(trace, spans)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--min-depth", type=int, default=1)
    parser.add_argument("--min-services", type=int, default=1)
    parser.add_argument("--window-s", type=float, default=120)
    options = parser.parse_args()
    judge = Judge()
    with open(options.file, encoding="utf-8") as file:
        read(file, judge, int(options.window_s * 1e9))
    if judge.depth < options.min_depth:
        judge.finding("-", f"depth {judge.depth}, at least {options.min_depth} wanted")
    if len(judge.services) < options.min_services:
        judge.finding("-", f"{len(judge.services)} services, at least {options.min_services} wanted")
    for line in judge.shown:
        print(line)
    print(f"{judge.traces} traces ({judge.traffic['baseline']} baseline, {judge.traffic['demo']} demo), "
          f"{judge.spans} spans, {judge.errors} errors, {judge.late} late, max depth {judge.depth}, "
          f"{len(judge.services)} services ({judge.widest} in one trace), {judge.open_most} traces open at most, "
          f"{judge.findings} findings")
    return 1 if judge.findings else 0


if __name__ == "__main__":
    sys.exit(main())
