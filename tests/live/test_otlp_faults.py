# ctest: label=live serial
"""The exporter against backends that fail: what is tried again, when, and that every item is accounted for.

Each case has a sink and a load of its own; cases that only wait run side by side. DOORBUSTER_LONG=1: a backend
that is away for a minute at full load, and one that answers after ten seconds.
"""

import concurrent.futures
import email.utils
import json
import os
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from otlp_sink import Answer, Sink, free_port  # noqa: E402

LOAD = os.path.join(os.environ["DOORBUSTER_BUILD_DIR"], "tests", "otlp_load")
LONG = os.environ.get("DOORBUSTER_LONG") == "1"
LOST = ("queue_full", "refused", "too_large", "rejected", "timeout", "shutdown")
FULL_RATE = 2000  # spans a second: the flagship's worst minute
LAG_MS = 5


def run(url, rate=400, seconds=1.0, flush_ms=8000, queue=0, **environment):
    """The stats of a load; batches go out each 100 ms unless said otherwise."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")}
    env |= {"OTEL_BSP_SCHEDULE_DELAY": "100", "OTEL_BLRP_SCHEDULE_DELAY": "100", "OTEL_METRIC_EXPORT_INTERVAL": "500"}
    env |= environment
    done = subprocess.run([LOAD, url, str(rate), str(seconds), str(flush_ms), str(queue)], env=env,
                          capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr}"
    stats = json.loads(done.stdout)
    stats["said"] = done.stderr
    for signal in ("traces", "metrics", "logs"):
        stats[signal]["lost"] = sum(stats[signal][reason] for reason in LOST)
        assert stats[signal]["queued"] == 0, stats
        assert stats[signal]["produced"] == stats[signal]["accepted"] + stats[signal]["lost"], stats
    return stats


def agree(stats, sink, only=None):
    """Both ends have counted the same; `only`: what the signals' losses may be."""
    for signal in ("traces", "metrics", "logs"):
        assert stats[signal]["accepted"] == sink.items(signal) - stats[signal]["rejected"], (signal, stats)
        assert all(not stats[signal][reason] for reason in LOST if reason != only), (signal, stats)
        assert stats[signal]["attempts"] == len(sink.of(signal)), (signal, stats)
    assert sink.overlaps == 0, "two requests of a signal at once"


def traces_only(answers):
    """Answers for requests of traces; others are accepted."""
    answers = list(answers)
    return lambda request: answers.pop(0) if request.signal == "traces" and answers else Answer()


def gaps(sink):
    """Between the attempts of the first request of traces."""
    traces = sink.of("traces")
    first = [r for r in traces if r.raw == traces[0].raw]
    return [later.at - earlier.at for earlier, later in zip(first, first[1:])]


# ---- Cases ----


def accepts_everything():
    sink = Sink()
    stats = run(sink.url, rate=2000, seconds=1.5)
    agree(stats, sink)
    assert stats["traces"]["produced"] == 3000 and stats["logs"]["produced"] == 60, stats
    assert max(r.items for r in sink.of("traces")) <= 512
    assert sink.connections <= 3, f"{sink.connections} connections: not kept alive"
    headers = sink.requests[0].headers
    assert headers["Content-Type"] == "application/x-protobuf"
    assert "OTel-OTLP-Exporter-C/" in headers["User-Agent"], headers["User-Agent"]
    assert headers["Expect"] is None
    assert stats["lag_p99_ms"] < LAG_MS, stats


def json_gzip_and_headers():
    sink = Sink()
    stats = run(sink.url, rate=2000, OTEL_EXPORTER_OTLP_PROTOCOL="http/json", OTEL_EXPORTER_OTLP_COMPRESSION="gzip",
                OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20key,x-tenant=a b",
                OTEL_RESOURCE_ATTRIBUTES="team=shop%20floor")
    agree(stats, sink)
    for request in sink.requests:
        assert request.headers["Content-Encoding"] == "gzip" and request.json
        assert request.headers["Authorization"] == "Bearer key" and request.headers["x-tenant"] == "a b"
        resource = {a["key"]: a["value"] for a in next(iter(json.loads(request.body).values()))[0]["resource"]["attributes"]}
        assert resource["team"] == {"stringValue": "shop floor"}, resource
        assert resource["host.name"] == {"stringValue": os.uname().nodename}, resource
        assert int(resource["process.pid"]["intValue"]) > 1, resource
    big = max(sink.requests, key=lambda r: len(r.body))
    assert len(big.raw) < len(big.body) / 4, "not compressed well"
    assert "Bearer" not in stats["said"]


def protobuf_gzip_of_large_requests():
    sink = Sink()
    stats = run(sink.url, rate=20000, seconds=1, OTEL_EXPORTER_OTLP_COMPRESSION="gzip",
                OTEL_BSP_MAX_EXPORT_BATCH_SIZE="5000", OTEL_BSP_SCHEDULE_DELAY="5000")
    agree(stats, sink)
    assert max(r.items for r in sink.of("traces")) == 5000
    assert stats["lag_p99_ms"] < LAG_MS, stats


def retry_after_in_seconds():
    sink = Sink(traces_only([Answer(429, {"Retry-After": "2"})]))
    agree(run(sink.url), sink)
    assert 1.95 < gaps(sink)[0] < 2.5, gaps(sink)


def retry_after_as_a_date():
    def answer(request, answers=[1]):  # pylint: disable=dangerous-default-value
        if request.signal != "traces" or not answers:
            return Answer()
        answers.pop()
        return Answer(503, {"Retry-After": email.utils.formatdate(time.time() + 3, usegmt=True)})
    sink = Sink(answer)
    agree(run(sink.url), sink)
    assert 1.9 < gaps(sink)[0] < 3.5, gaps(sink)


def backoff_grows():
    sink = Sink(traces_only([Answer(503), Answer(502), Answer(504)]))
    stats = run(sink.url, seconds=6)
    agree(stats, sink)
    for gap, middle in zip(gaps(sink), (1, 1.5, 2.25)):
        assert middle * 0.8 - 0.02 < gap < middle * 1.2 + 0.3, gaps(sink)
    assert len(gaps(sink)) == 3 and stats["traces"]["retries"] == 3
    assert "answers 503; trying again" in stats["said"] and "takes them again" in stats["said"], stats["said"]


def what_is_refused_is_not_tried_again():
    codes = (500, 400, 404, 408, 301, 501)
    answers = [Answer(c, {"Location": "http://127.0.0.1:1/"} if c == 301 else {}, b"\x12\x07because") for c in codes]
    sink = Sink(traces_only(answers))
    stats = run(sink.url, seconds=2)
    agree(stats, sink, only="refused")
    assert not gaps(sink) and stats["traces"]["retries"] == 0
    assert stats["traces"]["refused"] == sum(sink.items("traces", code) for code in codes) > 0
    assert "answers 500: because; items are lost" in stats["said"], stats["said"]


def too_large():
    sink = Sink(traces_only([Answer(413)]))
    stats = run(sink.url)
    agree(stats, sink, only="too_large")
    assert stats["traces"]["too_large"] == sink.items("traces", 413) > 0


def partial_success():
    partial = b"\x08\x03\x12\x03old"
    sink = Sink(traces_only([Answer(200, {}, b"\x0a" + struct.pack("B", len(partial)) + partial),
                             Answer(200, {}, b"\x0a\x03\x08\xe8\x07")]))  # 1000 of fewer: all of them
    stats = run(sink.url)
    agree(stats, sink, only="rejected")
    assert stats["traces"]["rejected"] == 3 + sink.of("traces")[1].items, stats
    assert not gaps(sink) and "old" in stats["said"]


def partial_success_in_json():
    body = json.dumps({"partialSuccess": {"rejectedSpans": "2", "errorMessage": "old"}}).encode()
    sink = Sink(traces_only([Answer(200, {}, body)]))
    stats = run(sink.url, OTEL_EXPORTER_OTLP_PROTOCOL="http/json")
    agree(stats, sink, only="rejected")
    assert stats["traces"]["rejected"] == 2, stats


def strange_answers():
    answers = [Answer(200, {}, bytes(range(256))), Answer(204), Answer(202, {}, b"\xff" * 60000),
               Answer(200, {"Retry-After": "9"}, b"<html>")]
    sink = Sink(traces_only(answers))
    stats = run(sink.url)
    for signal in ("traces", "metrics", "logs"):
        assert stats[signal]["lost"] == 0 and stats[signal]["retries"] == 0, stats


def endless_answer():
    sink = Sink(traces_only([Answer(200, {}, b"x" * 1000000)]))
    stats = run(sink.url)
    assert stats["traces"]["refused"] == sink.of("traces")[0].items, stats
    assert stats["traces"]["accepted"] == sink.items("traces") - stats["traces"]["refused"], stats


def hangs_up():
    """Without a word. (On a connection that was good before, libcurl tries once more by itself.)"""
    sink = Sink(traces_only([Answer(0), Answer(0)]))
    stats = run(sink.url)
    for signal in ("traces", "metrics", "logs"):
        assert stats[signal]["lost"] == 0 and stats[signal]["accepted"] == sink.items(signal), stats
    assert stats["traces"]["retries"] in (1, 2) and len(gaps(sink)) == 2, stats


def slow(timeout_ms=400, delay=1.2):
    """Late answers are not waited for; the attempts after them are answered in time."""
    sink = Sink(traces_only([Answer(599, delay=delay), Answer(599, delay=delay)]))
    environment = {} if timeout_ms == 10000 else {"OTEL_EXPORTER_OTLP_TIMEOUT": str(timeout_ms)}
    stats = run(sink.url, seconds=2 * timeout_ms / 1000 + 4, **environment)
    for signal in ("traces", "metrics", "logs"):
        assert stats[signal]["lost"] == 0 and stats[signal]["accepted"] == sink.items(signal), stats
    assert len(gaps(sink)) == 2 and all(timeout_ms / 1000 + 0.8 < g < timeout_ms / 1000 + 2.2 for g in gaps(sink)), gaps(sink)
    assert stats["lag_p99_ms"] < LAG_MS, stats


def away(away_s=3.0):
    """At full load nobody listens for a while: nothing is lost, and the loop does not notice."""
    port, late = free_port(), {}

    def begin():
        time.sleep(away_s)
        late["sink"] = Sink(port=port)
    thread = threading.Thread(target=begin)
    thread.start()
    stats = run(f"http://127.0.0.1:{port}", rate=FULL_RATE, seconds=away_s + 2, flush_ms=15000)
    thread.join()
    sink = late["sink"]
    for signal in ("traces", "metrics", "logs"):
        assert stats[signal]["lost"] == 0 and stats[signal]["accepted"] == sink.items(signal), stats
    assert stats["traces"]["produced"] == (away_s + 2) * FULL_RATE and stats["traces"]["retries"] > 0, stats
    assert stats["lag_p99_ms"] < LAG_MS, stats
    late["stats"] = stats
    return f"{stats['queued_bytes_max'] / 1e6:.0f} MB queued, lag p99 {stats['lag_p99_ms']:.2f} ms"


def full_queue():
    """Nobody listens at all: the bound holds, the oldest stay, and every item is accounted for."""
    bound = 1 << 20
    stats = run(f"http://127.0.0.1:{free_port()}", rate=20000, seconds=1, flush_ms=300, queue=bound)
    traces = stats["traces"]
    assert traces["accepted"] == 0 and traces["queue_full"] > 0 and traces["shutdown"] > 0, stats
    assert traces["queue_full"] + traces["shutdown"] == traces["produced"] == 20000, stats
    assert bound * 0.9 < stats["queued_bytes_max"] < bound + 65536, stats
    assert 0.25 < stats["flush_s"] < 0.6, stats


def full_queue_of_spans():
    sink = Sink(lambda request: Answer(503 if request.signal == "traces" else 200))
    stats = run(sink.url, rate=2000, flush_ms=300, OTEL_BSP_MAX_QUEUE_SIZE="700")
    assert stats["traces"]["shutdown"] == 700 and stats["traces"]["queue_full"] == 1300, stats
    assert stats["logs"]["lost"] == 0, stats  # its queue is its own


def gives_up_when_told():
    sink = Sink(lambda request: Answer(503 if request.signal == "traces" else 200))
    stats = run(sink.url, seconds=3, flush_ms=100, OTEL_BSP_EXPORT_TIMEOUT="1500")
    assert stats["traces"]["timeout"] > 0 and stats["traces"]["accepted"] == 0, stats


def samples():
    sink = Sink()
    stats = run(sink.url, OTEL_TRACES_SAMPLER="always_off")
    assert stats["traces"]["produced"] == 0 and stats["traces"]["unsampled"] == 400 and not sink.of("traces"), stats


def signals_are_apart():
    """A signal that waits holds up no other; each can have its own endpoint, which is used as it is."""
    sink, other = Sink(lambda request: Answer(503)), Sink()
    stats = run("-", flush_ms=200, OTEL_EXPORTER_OTLP_ENDPOINT=sink.url, OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=f"{other.url}/v1/logs",
                OTEL_METRICS_EXPORTER="none")
    assert stats["traces"]["shutdown"] == stats["traces"]["produced"] == 400, stats
    assert stats["logs"]["accepted"] == stats["logs"]["produced"] == other.items("logs") == 8, stats
    assert stats["metrics"]["produced"] == 0 and not sink.of("metrics") and not sink.of("logs"), stats


def certificates(folder, *names):
    """A key and a certificate for each, which is its own authority."""
    for name in names:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                        f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem"], check=True, capture_output=True)


def https_with_own_certificates():
    """The server's authority and the client's certificate are those of the variables; without them, nothing goes."""
    with tempfile.TemporaryDirectory() as folder:
        certificates(folder, "server", "client")
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(f"{folder}/server.pem", f"{folder}/server.key")
        tls.load_verify_locations(f"{folder}/client.pem")
        tls.verify_mode = ssl.CERT_REQUIRED
        sink = Sink(tls=tls)
        stranger = run(sink.url, flush_ms=300)
        assert stranger["traces"]["shutdown"] == 400 and not sink.requests, stranger
        stats = run(sink.url, OTEL_EXPORTER_OTLP_CERTIFICATE=f"{folder}/server.pem",
                    OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=f"{folder}/client.pem",
                    OTEL_EXPORTER_OTLP_CLIENT_KEY=f"{folder}/client.key")
        agree(stats, sink)
        assert stats["traces"]["accepted"] == 400, stats


SIDE_BY_SIDE = [https_with_own_certificates, retry_after_in_seconds, retry_after_as_a_date, backoff_grows, what_is_refused_is_not_tried_again,
                too_large, partial_success, partial_success_in_json, strange_answers, endless_answer, hangs_up,
                json_gzip_and_headers, full_queue_of_spans, gives_up_when_told, samples, signals_are_apart]
ALONE = [accepts_everything, protobuf_gzip_of_large_requests, full_queue, slow, away]  # they look at the loop's lag


def long_away():
    return away(60.0)


def long_slow():
    return slow(10000, 10.5)


def judge(case):
    begun = time.time()
    try:
        told, good = case() or "", True
    except AssertionError as wrong:
        told, good = f"FAILED: {wrong}", False
    print(f"{case.__name__}: {told} ({time.time() - begun:.1f} s)", flush=True)
    return good


def main():
    with concurrent.futures.ThreadPoolExecutor(max_workers=6) as pool:
        good = list(pool.map(judge, SIDE_BY_SIDE))
    good += [judge(case) for case in ALONE + ([long_away, long_slow] if LONG else [])]
    print(f"{good.count(False)} of {len(good)} cases failed")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
