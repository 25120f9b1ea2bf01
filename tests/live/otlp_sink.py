"""An OTLP/HTTP backend that misbehaves as it is told, and remembers what it got. For tests.

Sink(plan) listens on 127.0.0.1. `plan` is a list of Answer, or a function of the request that gives one; the
first request gets the first answer, and when the list is at its end everything is accepted. `sink.requests`
holds what came: signal, when, headers, body (decompressed), items, and the answer's code.
"""

import gzip
import http.server
import json
import socket
import sys
import threading
import time

SIGNALS = {"/v1/traces": "traces", "/v1/metrics": "metrics", "/v1/logs": "logs"}
KEYS = {"traces": ("resourceSpans", "scopeSpans", "spans"),
        "metrics": ("resourceMetrics", "scopeMetrics", "metrics"),
        "logs": ("resourceLogs", "scopeLogs", "logRecords")}


class Answer:
    """`code` 0: the connection is closed without a word."""

    def __init__(self, code=200, headers=None, body=b"", delay=0.0):
        self.code, self.headers, self.body, self.delay = code, headers or {}, body, delay


class Request:
    """What came."""

    def __init__(self, signal, headers, raw, body):
        self.signal, self.headers, self.raw, self.body = signal, headers, raw, body
        self.at = time.time()
        self.json = headers.get("Content-Type") == "application/json"
        self.items = count_json(signal, body) if self.json else count_proto(signal, body)
        self.code = None


# ---- How many items a request has ----


def fields(body, start, end):
    """(number, start, end) of each field's content; varints are passed over."""
    at = start
    while at < end:
        tag, at = varint(body, at)
        kind = tag & 7
        if kind == 0:
            _, at = varint(body, at)
            continue
        length = {1: 8, 5: 4}.get(kind)
        if length is None:
            length, at = varint(body, at)
        yield tag >> 3, at, at + length
        at += length
    assert at == end, "a length that goes beyond its message"


def varint(body, at):
    value = shift = 0
    while True:
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def inside(body, spans, *numbers):
    return [(s, e) for start, end in spans for number, s, e in fields(body, start, end) if number in numbers]


def count_proto(signal, body):
    items = inside(body, inside(body, inside(body, [(0, len(body))], 1), 2), 2)
    if signal != "metrics":
        return len(items)
    return len(inside(body, inside(body, items, 5, 7, 9, 10), 1))


def count_json(signal, body):
    resources, scopes, items = KEYS[signal]
    found = [item for resource in json.loads(body)[resources] for scope in resource[scopes] for item in scope[items]]
    if signal != "metrics":
        return len(found)
    return sum(len(value["dataPoints"]) for metric in found for value in metric.values()
               if isinstance(value, dict) and "dataPoints" in value)


# ---- The server ----


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        self.server.sink.connections += 1

    def do_POST(self):
        sink = self.server.sink
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        body = gzip.decompress(raw) if self.headers.get("Content-Encoding") == "gzip" else raw
        request = Request(SIGNALS[self.path], self.headers, raw, body)
        answer = sink.take(request)
        time.sleep(answer.delay)
        if answer.code == 0:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            try:
                self.send_response(answer.code)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)
            except OSError:
                pass  # the client has given up
        sink.answered(request)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 16

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # a client that hangs up is no fault


class Sink:
    def __init__(self, plan=(), port=0, tls=None):
        self.plan = plan if callable(plan) else list(plan)
        self.requests, self.connections, self.overlaps = [], 0, 0
        self.open = set()
        self.lock = threading.Lock()
        self.server = Server(("127.0.0.1", port), Handler)
        self.server.sink = self
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server.server_port}"
        if tls:  # an ssl.SSLContext
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def take(self, request):
        with self.lock:
            self.overlaps += request.signal in self.open
            self.open.add(request.signal)
            self.requests.append(request)
            if callable(self.plan):
                answer = self.plan(request)
            else:
                answer = self.plan.pop(0) if self.plan else Answer()
            request.code = answer.code
            return answer

    def answered(self, request):
        with self.lock:
            self.open.discard(request.signal)

    def of(self, signal):
        return [r for r in self.requests if r.signal == signal]

    def items(self, signal, code=200):
        return sum(r.items for r in self.of(signal) if r.code == code)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def free_port():
    """A port on which nobody listens, for the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
