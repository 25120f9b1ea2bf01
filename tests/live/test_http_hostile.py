"""Malformed requests and slow clients: nothing breaks, all comes back, and others are served meanwhile.

20,000 mutated requests and 100 slow clients; with DOORBUSTER_LONG=1 100,000 and 500. Each run prints its seed.
"""
# ctest: label=live build=both

import os
import random
import resource
import socket
import threading
import time

from http_toy import LONG, Checks, Toy

MUTANTS = 100000 if LONG else 20000
SLOW = 500 if LONG else 100
TIMEOUT_S = 2
MEMORY_KIB = 8192
SANITIZED = os.environ.get("DOORBUSTER_BUILD", "debug") == "debug"

SAMPLES = [
    ("frontend", b'POST /api/browse HTTP/1.1\r\nHost: localhost:8018\r\nContent-Type: application/json\r\n'
                 b'Content-Length: 42\r\n\r\n{"user_id":"user-1234","cart_id":"c-1234"}'),
    ("frontend", b'POST /api/checkout?traffic_type=demo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
                 b'10\r\n{"user_id":"u-1"\r\n1\r\n}\r\n0\r\n\r\n'),
    ("cart-service", b'GET /cart/cart%2D1234?x=%20y&cart_id=+ HTTP/1.1\r\nHost: localhost\r\n'
                     b'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n'
                     b'tracestate: a=1,b=2\r\nConnection: keep-alive\r\n\r\n'),
    ("cart-service", b'POST /cart/add HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 48\r\n\r\n'
                     b'{"cart_id":"c","product_id":"random","quantity":1}'),
    ("shipping-service", b'POST /calculate HTTP/1.1\r\nHost: x\r\nContent-Length: 58\r\n\r\n'
                         b'{"items":[{"weight":1},{"weight":2.5e1}],"zip":"10001\\u00e9"}'),
    ("checkout", b'POST /orders/create HTTP/1.1\r\nHost: x\r\nIdempotency-Key: k-1\r\nContent-Length: 45\r\n\r\n'
                 b'{"user_id":"u","product_id":3,"quantity":100}'),
    ("product-catalog", b'GET /products/search?category=electronics&q=tv HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\n'
                        b'Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n'),
    ("frontend", b'OPTIONS /api/browse HTTP/1.1\r\nHost: x\r\nOrigin: http://localhost:3000\r\n'
                 b'Access-Control-Request-Method: POST\r\n\r\nGET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'),
]
TOKENS = [b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b"%", b"%00", b"%ff", b"//", b"..", b"?", b"&", b"=", b"{",
          b"[", b'"', b"\\u0000", b"-1", b"18446744073709551616", b"Content-Length: 5\r\n", b"Host: y\r\n", b"HTTP/1.1",
          b"Transfer-Encoding: chunked\r\n", b"ffffffffffffffff\r\n", b"\xff\xfe", b"a" * 3000, b"PRI * HTTP/2.0\r\n"]


def mutate(chance, data):
    data = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(6)
        if kind == 0 and at < len(data):
            data[at] = chance.randrange(256)
        elif kind == 1:
            data[at:at] = chance.choice(TOKENS)
        elif kind == 2:
            del data[at:at + chance.randint(1, 20)]
        elif kind == 3:
            del data[at:]
        elif kind == 4:
            data[at:at] = data[at:at + chance.randint(1, 200)]
        else:
            data[at:at + chance.randint(0, 8)] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 8)))
    return bytes(data)


def send(toy, service, data, wait):
    """True: there was an answer. Half of the clients do not wait for one."""
    with socket.create_connection(("127.0.0.1", toy.ports[service])) as connection:
        connection.settimeout(0.02)
        try:
            connection.sendall(data)
            return wait and connection.recv(4096) != b""
        except (ConnectionError, socket.timeout):
            return False


def attack(toy, seed, count, tally):
    chance = random.Random(seed)
    for _ in range(count):
        service, data = chance.choice(SAMPLES)
        tally[0] += send(toy, service, mutate(chance, data), chance.random() < 0.5)


def check_mutants(toy, checks):
    seed = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 32)))
    print("SEED", seed)
    threads, tally = [], [0]
    for i in range(4):
        threads.append(threading.Thread(target=attack, args=(toy, seed + i, MUTANTS // 4, tally)))
        threads[-1].start()
    served = 0
    while any(thread.is_alive() for thread in threads):
        answer = toy.curl("currency-service", "/convert?amount=1&from=USD&to=EUR")
        checks.that(answer.status == 200, f"meanwhile: {answer.status} {answer.body}")
        served += 1
        time.sleep(0.1)
    print(f"{MUTANTS} mutants, {tally[0]} of them answered; {served} others served meanwhile")
    checks.that(tally[0] > MUTANTS // 100 and served > 3, "mutants were answered, and others meanwhile")


def check_slow(toy, checks):
    """A byte now and then, never a whole request; and readers who do not read."""
    slow = []
    for i in range(SLOW):
        connection = socket.create_connection(("127.0.0.1", toy.ports["frontend"]))
        if i % 10 == 0:
            connection.close()
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", toy.ports["load-generator"]))
            connection.sendall(b"GET /large?6000000 HTTP/1.1\r\nHost: x\r\n\r\n")
        slow.append(connection)
    begun, slowest, open_ones = time.monotonic(), 0, len(slow)
    while open_ones and time.monotonic() - begun < 8 * TIMEOUT_S:
        open_ones = 0
        for i, connection in enumerate(slow):
            if i % 10 == 0:
                continue
            try:
                connection.send(b"G")
                open_ones += 1
            except OSError:
                pass
        asked = time.monotonic()
        checks.equal(toy.curl("frontend", "/api/browse", "-X", "POST").status, 200, "beside slow clients")
        slowest = max(slowest, time.monotonic() - asked)
        time.sleep(0.05)
    cut_after = time.monotonic() - begun
    deadline = time.monotonic() + 4 * TIMEOUT_S
    while toy.connections() > 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    print(f"{SLOW} slow clients cut after {cut_after:.1f} s; others waited {slowest:.2f} s at most")
    checks.that(cut_after < 5 * TIMEOUT_S, "slow clients are cut")
    checks.equal(toy.connections(), 0, "connections left")
    for connection in slow:
        connection.close()


def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    checks, toy = Checks(), Toy("--connections", "900", "--timeout-ms", str(1000 * TIMEOUT_S))
    attack(toy, 1, 500, [0])  # what is allocated once
    toy.until_quiet(0, 3 * TIMEOUT_S)
    descriptors, before = toy.descriptors(), toy.resident_kib()
    check_mutants(toy, checks)
    checks.equal(toy.until_quiet(descriptors), descriptors, "descriptors after the mutants")
    between = toy.resident_kib()
    check_slow(toy, checks)
    once = toy.resident_kib()
    check_slow(toy, checks)
    checks.equal(toy.until_quiet(descriptors), descriptors, "descriptors after the slow ones")
    twice = toy.resident_kib()
    print(f"resident: {before} KiB, {between} KiB after the mutants, {once} and {twice} KiB after slow clients")
    if not SANITIZED:  # sanitizers keep what is freed
        checks.that(between < before + MEMORY_KIB, "mutants leave no memory behind")
        checks.that(twice < once + MEMORY_KIB, "slow clients leave no memory behind")
    toy.end()
    checks.end()


main()
