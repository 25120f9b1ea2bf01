"""tracestate, from curl's headers to the backend's spans: kept whole, shortened, or let go; and OTEL_PROPAGATORS."""
# ctest: label=live build=debug

import json
import os

from live_run import ROOT, Checks, Run, alone, ask
from otlp_sink import Sink, fields

QUIET = os.path.join(ROOT, "tests", "live", "http.yaml")
FRONTEND = 8018
PARENT = "b7ad6b7169203331"


def member(name, length):
    return name + "=" + "x" * (length - 2)


LONG = [member(c, 128) for c in "abcd"]
# traceparent (None: none), tracestate headers, what spans carry (None: nothing), whether they join the trace
CASES = [
    ("one", ["00"], ["rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"], "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", True),
    ("none", ["00"], [], None, True),
    ("empty", ["00"], ["Tracestate;"], None, True),
    ("several headers, in order", ["00"], ["b=2, a=1", " ,", "c=\t3 "], None, True),  # a tab is no part of a value
    ("gaps", ["00"], ["b=2 ,, a=1", "c= 3"], "b=2,a=1,c= 3", True),
    ("a quote and a backslash", ["00"], ['q="\\'], 'q="\\', True),
    ("32 members", ["00"], [",".join(f"k{i}={i}" for i in range(32))], ",".join(f"k{i}={i}" for i in range(32)), True),
    ("33 members", ["00"], [",".join(f"k{i}={i}" for i in range(16)), ",".join(f"k{i}={i}" for i in range(17))], None, True),
    ("one bad member", ["00"], ["a=1,B=2"], None, True),
    ("511 bytes", ["00"], [",".join(LONG[:3] + [member("d", 124)])], ",".join(LONG[:3] + [member("d", 124)]), True),
    ("more than 512 bytes", ["00"], [",".join(LONG)], ",".join(LONG[:3]), True),
    ("a large member goes first", ["00"], [member("l", 129) + "," + ",".join(LONG[:3])], ",".join(LONG[:3]), True),
    ("a higher version", ["cc"], ["a=1"], "a=1", True),
    ("no traceparent", [], ["a=1"], None, False),
    ("an invalid traceparent", ["ff"], ["a=1"], None, False),
    ("two traceparents", ["00", "00"], ["a=1"], None, False),
]


def trace_of(number):
    return f"{number + 1:032x}"


def ask_all():
    for number, (name, versions, states, _, _) in enumerate(CASES):
        words = [word for v in versions for word in ("-H", f"traceparent: {v}-{trace_of(number)}-{PARENT}-01")]
        for state in states:
            words += ["-H", state if state.endswith(";") else f"tracestate: {state}"]
        answer = ask(FRONTEND, f"/api/browse?case={number}", "-X", "POST", *words)
        if answer is None or answer.status not in (200, 400):
            raise SystemExit(f"{name}: {answer and answer.status}")


def spans_json(request):
    for resource in json.loads(request.body)["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                yield span["traceId"], span.get("traceState")


def spans_proto(request):
    body = request.body
    for number, start, end in fields(body, 0, len(body)):
        for field, s, e in fields(body, start, end) if number == 1 else ():
            for inner, a, z in fields(body, s, e) if field == 2 else ():
                if inner == 2:
                    span = {n: body[x:y] for n, x, y in fields(body, a, z)}
                    yield span[1].hex(), span[3].decode() if 3 in span else None


def play(**environment):
    """tracestates by trace, as the backend has them."""
    sink = Sink()
    run = Run("--quiet", scenario=QUIET, OTEL_EXPORTER_OTLP_ENDPOINT=sink.url, OTEL_BSP_SCHEDULE_DELAY="50", **environment)
    ask_all()
    run.send()
    run.wait()
    found = {}
    for request in sink.of("traces"):
        for trace, state in (spans_json if request.json else spans_proto)(request):
            found.setdefault(trace, []).append(state)
    sink.close()
    return found, run.said()


def check(checks, protocol):
    found, _ = play(OTEL_EXPORTER_OTLP_PROTOCOL=protocol)
    for number, (name, _, _, state, joins) in enumerate(CASES):
        states = found.pop(trace_of(number), [])
        checks.equal(len(states) > 5, joins, f"{protocol}: {name}: {len(states)} spans")
        checks.that(set(states) <= {state}, f"{protocol}: {name}: {set(states)}")
    # Whoever did not join, and whoever shops here, has none.
    checks.that(len(found) >= 3, f"{protocol}: {len(found)} other traces")
    checks.equal({state for states in found.values() for state in states}, {None}, protocol)


def main():
    alone()
    checks = Checks()
    check(checks, "http/json")
    check(checks, "http/protobuf")
    found, said = play(OTEL_PROPAGATORS="none")
    checks.that(not any(trace_of(number) in found for number in range(len(CASES))), "OTEL_PROPAGATORS=none joins nobody")
    checks.that("OTEL_" not in said, said)
    found, said = play(OTEL_PROPAGATORS="b3,tracecontext", OTEL_SERVICE_NAME="mine")
    checks.that(trace_of(0) in found, "OTEL_PROPAGATORS=b3,tracecontext joins")
    checks.that("OTEL_PROPAGATORS=b3 is ignored" in said and "OTEL_SERVICE_NAME is ignored" in said, said)
    checks.end()


main()
