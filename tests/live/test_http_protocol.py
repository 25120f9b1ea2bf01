"""The HTTP under the routes: caps, refusals, framing, connections, CORS. Sends raw bytes where curl is too polite."""
# ctest: label=live build=debug

import json
import socket
import time

from http_toy import Answer, Checks, Toy

HOST = b"Host: x\r\nConnection: close\r\n"
ORIGIN = "http://localhost:3000"
TEXT = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n" \
       b"Connection: close\r\nContent-Length: 11\r\n\r\nBad Request"


def post(headers, body=b"", path=b"/api/browse"):
    return b"POST " + path + b" HTTP/1.1\r\n" + HOST + headers + b"\r\n" + body


def get(path, headers=b"", version=b"1.1", host=HOST):
    return b"GET " + path + b" HTTP/" + version + b"\r\n" + host + headers + b"\r\n"


CHUNKED = b"Transfer-Encoding: chunked\r\n"
# name, bytes, statuses of the answers in order; [] closed without a word
CASES = [
    ("no Host", get(b"/health", host=b"Connection: close\r\n"), [400]),
    ("empty Host", get(b"/health", host=b"Host:\r\nConnection: close\r\n"), [400]),
    ("HTTP/1.0 needs none", get(b"/health", version=b"1.0", host=b""), [200]),
    ("target of 2048 bytes", get(b"/health?" + b"a" * 2040), [200]),
    ("target of 2049 bytes", get(b"/health?" + b"a" * 2041), [414]),
    ("target of 60 KB", get(b"/" + b"a" * 60000), [414]),
    ("headers of 16,000 bytes", get(b"/health", b"X: " + b"a" * 16000 + b"\r\n"), [200]),
    ("headers of 16.5 KiB", get(b"/health", b"X: " + b"a" * 16900 + b"\r\n"), [431]),
    ("headers of 100 KB", get(b"/health", b"X: " + b"a" * 100000 + b"\r\n"), [431]),
    ("a body of 65,536 bytes", post(b"Content-Length: 65536\r\n", b"{}" + b" " * 65534), [200]),
    ("a body announced as 65,537", post(b"Content-Length: 65537\r\n"), [413]),
    ("a body announced as 1 EB", post(b"Content-Length: 1000000000000000000\r\n"), [413]),
    ("chunks of 80 KB", post(CHUNKED, (b"2000\r\n" + b" " * 8192 + b"\r\n") * 10 + b"0\r\n\r\n"), [413]),
    ("chunks", post(CHUNKED, b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"), [200]),
    ("broken chunks", post(CHUNKED, b"zz\r\n{}\r\n0\r\n\r\n"), [400]),
    ("length no number", post(b"Content-Length: x\r\n"), [400]),
    ("length negative", post(b"Content-Length: -1\r\n"), [400]),
    ("unknown coding", post(b"Transfer-Encoding: gzip\r\n"), [400]),
    ("100-continue", post(b"Expect: 100-continue\r\nContent-Length: 2\r\n", b"{}"), [100, 200]),
    ("unknown expectation", post(b"Expect: tea\r\nContent-Length: 2\r\n", b"{}"), [417]),
    ("not HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", [400]),
    ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", [400]),
    ("upgrade to HTTP/2", get(b"/livez", b"HTTP2-Settings: AAMAAABkAAQAAP__\r\nUpgrade: h2c\r\n",
                              host=b"Host: x\r\nConnection: Upgrade, HTTP2-Settings, close\r\n"), [200]),
    ("200 headers", get(b"/livez", b"X: a\r\n" * 200), [400]),
    ("with scheme and host", get(b"http://elsewhere:80/livez?x"), [200]),
    ("with scheme and host alone", get(b"http://elsewhere"), [200]),
    ("*", b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", [404]),
    ("odd method", b"G@T /livez HTTP/1.1\r\n" + HOST + b"\r\n", [405]),
    ("CONNECT", b"CONNECT x:80 HTTP/1.1\r\n" + HOST + b"\r\n", [404]),
    ("TRACE", b"TRACE /livez HTTP/1.1\r\n" + HOST + b"\r\n", [405]),
    ("pipeline", b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" * 3 + get(b"/readyz"), [200] * 4),
    ("..", get(b"/a/../livez"), [404]),
    ("nothing", b"", []),
    ("half a request", b"GET /livez HTTP/1.1\r\nHost", []),
    ("half a body", post(b"Content-Length: 10\r\n", b"{}"), []),
]


def exchange(toy, data, service="frontend"):
    """All that comes back until the server closes."""
    got = b""
    with socket.create_connection(("127.0.0.1", toy.ports[service])) as connection:
        connection.settimeout(15)
        try:
            connection.sendall(data)
            while True:
                more = connection.recv(65536)
                if not more:
                    break
                got += more
        except ConnectionError:
            pass
    return got


def answers(raw):
    """The answers in a row of bytes, by their Content-Length."""
    found = []
    while raw:
        head, _, rest = raw.partition(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 100"):
            found.append(100)
            raw = rest
            continue
        answer = Answer(head + b"\r\n\r\n")
        length = int(answer.header("content-length") or 0)
        found.append(Answer(head + b"\r\n\r\n" + rest[:length]))
        raw = rest[length:]
    return found


def check_cases(toy, checks):
    plain = []
    for name, data, statuses in CASES:
        raw = exchange(toy, data)
        plain += [name] * (raw == TEXT)
        found = answers(raw)
        checks.equal([a if a == 100 else a.status for a in found], statuses, name)
        for answer in found:
            if answer == 100 or answer.status < 400 or raw == TEXT:
                continue  # what cannot be parsed is answered in text, by libh2o
            checks.equal(answer.header("content-type"), "application/json", name)
            checks.that(answer.json and list(answer.json) == ["error"], f"{name}: {answer.body}")
            checks.that(answer.status in (404, 405) or answer.header("connection") == "close", name)
    # libh2o writes these straight to the socket, past every filter; all others are JSON.
    checks.equal(plain, ["not HTTP", "HTTP/2", "200 headers"], "what cannot be parsed at all")


def check_cors(toy, checks):
    ask = ["-X", "OPTIONS", "-H", "Access-Control-Request-Method: POST"]
    answer = toy.curl("frontend", "/api/browse", *ask, "-H", f"Origin: {ORIGIN}")
    checks.equal((answer.status, answer.body), (204, b""), "preflight")
    checks.equal(answer.header("access-control-allow-origin"), ORIGIN, "preflight")
    checks.equal(answer.header("access-control-allow-methods"), "POST", "preflight")
    checks.that("traceparent" in answer.header("access-control-allow-headers"), "preflight")
    checks.equal(answer.header("vary"), "Origin", "preflight")
    checks.equal(answer.header("content-length"), None, "204 has no length")
    for origin in ("http://localhost:3001", "https://localhost:3000", "null", ORIGIN + "/"):
        answer = toy.curl("frontend", "/api/browse", *ask, "-H", f"Origin: {origin}")
        checks.equal((answer.status, answer.header("allow")), (405, "POST"), origin)
        checks.equal(answer.header("access-control-allow-origin"), None, origin)
        answer = toy.curl("frontend", "/livez", "-H", f"Origin: {origin}")
        checks.equal((answer.status, answer.header("access-control-allow-origin")), (200, None), origin)
        checks.equal(answer.header("vary"), "Origin", origin)
    for path, status in (("/livez", 200), ("/nowhere", 404)):
        answer = toy.curl("frontend", path, "-H", f"Origin: {ORIGIN}")
        checks.equal((answer.status, answer.header("access-control-allow-origin")), (status, ORIGIN), path)
    checks.equal(toy.curl("frontend", "/livez", "-X", "OPTIONS").status, 405, "OPTIONS")


def check_keep_alive(toy, checks):
    """One connection, 200 requests, of which half wait for the world."""
    with socket.create_connection(("127.0.0.1", toy.ports["currency-service"])) as connection:
        connection.settimeout(15)
        stream = connection.makefile("rb")
        for i in range(200):
            path = b"/livez" if i % 2 else b"/convert?amount=%d&from=USD&to=EUR" % i
            connection.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            length = 0
            status = stream.readline()
            while (line := stream.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length"):
                    length = int(line.split(b":")[1])
            body = json.loads(stream.read(length))
            checks.that(status.startswith(b"HTTP/1.1 200") and (i % 2 or body["amount"] == i), f"request {i}: {body}")


def check_gone_clients(toy, checks):
    """Clients that go away before their answer is there leave nothing."""
    for _ in range(30):
        connection = socket.create_connection(("127.0.0.1", toy.ports["frontend"]))
        connection.sendall(b"POST /api/browse HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.close()
    deadline = time.monotonic() + 15
    while toy.connections() > 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    checks.equal(toy.curl("load-generator", "/pending").json["pending"], 1, "requests under way")


def check_connection_cap(toy, checks, cap):
    """At the cap new ones wait; they are served when others have gone."""
    idle = [socket.create_connection(("127.0.0.1", toy.ports["frontend"])) for _ in range(cap)]
    time.sleep(0.2)  # these are accepted
    late = socket.create_connection(("127.0.0.1", toy.ports["frontend"]))
    late.sendall(get(b"/livez"))
    late.settimeout(0.3)
    try:
        checks.that(False, f"served beyond the cap: {late.recv(100)}")
    except socket.timeout:
        checks.that(True, "it waits")
    idle.pop().close()
    late.settimeout(5)
    checks.that(late.recv(100).startswith(b"HTTP/1.1 200"), "served when one has gone")
    for connection in idle + [late]:
        connection.close()


def main():
    cap, checks = 40, Checks()
    toy = Toy("--connections", str(cap), "--timeout-ms", "1500", "--origin", ORIGIN)
    toy.curl("frontend", "/livez")
    descriptors = toy.descriptors()
    check_cases(toy, checks)
    check_cors(toy, checks)
    check_keep_alive(toy, checks)
    check_gone_clients(toy, checks)
    check_connection_cap(toy, checks, cap)
    checks.equal(toy.until_quiet(descriptors), descriptors, "descriptors")
    toy.end()
    checks.end()


main()
