"""`doorbuster run --postgres`: the orders that stand are those that were told, whatever becomes of the server or of us.

Customers from outside buy with idempotency keys and keep what they were told, while PostgreSQL is killed, stopped and
loses its sessions, while Redis is killed, and then while doorbuster is killed.
"""
# ctest: label=live build=both calm

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from live_run import ROOT, Checks, Run, alone, ask  # noqa: E402
from managed_servers import Servers, cache_folder, missing, until  # noqa: E402

SCENARIO = os.path.join(ROOT, "tests", "live", "orders.yaml")
CATALOG, CHECKOUT, FRONTEND = 8014, 8016, 8018
SOLD = (200, 201)
BUYERS, PAUSE_S, LIMIT_S, STOPPED_S, BACK_S = 16, 0.02, 10, 5, 2
EXIT_DEPENDENCY, EXIT_USAGE, ABSENT_S = 69, 2, 5
CREATED = "SELECT coalesce(string_agg(idempotency_key, ' '), '') FROM orders WHERE status = 'created'"
SUMS = ("SELECT (SELECT count(*) - count(DISTINCT idempotency_key) FROM orders), (SELECT count(*) FROM products WHERE "
        "stock_quantity < 0), (SELECT coalesce(sum(quantity), 0) FROM order_items JOIN orders ON orders.id = order_id WHERE "
        "status = 'created') - (SELECT sum(made.stock_quantity - products.stock_quantity) FROM products, "
        "LATERAL shop_products(products.id, products.id) AS made)")
TERMINATE = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name LIKE 'doorbuster-%'"


def post(port, path, body, **headers):
    """What the customer is told: (status, order), or None where nobody answered."""
    door = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)
    try:
        door.request("POST", path, json.dumps(body), {"Content-Type": "application/json"} | headers)
        answer = door.getresponse()
        return answer.status, json.loads(answer.read()).get("order_id")
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        door.close()


def buy(key, product):
    return post(CHECKOUT, "/orders/create", {"user_id": "user-" + key, "product_id": product, "quantity": 1},
                **{"Idempotency-Key": key})


def check_out(key, product):
    """By the front door, which looks into the customer's cart first: the first thing in it, or some product."""
    return post(FRONTEND, "/api/checkout", {"user_id": "user-" + key, "cart_id": f"cart-{product}", "idempotency_key": key})


class Customers:
    """They buy until the end of the `with`; .told by key."""

    def __init__(self, name, how=buy):
        self.name, self.how, self.told, self.over = name, how, {}, threading.Event()
        self.threads = [threading.Thread(target=self.shop, args=(n,)) for n in range(BUYERS)]

    def shop(self, number):
        count = 0
        while not self.over.is_set():
            key = f"{self.name}-{number}-{count}"
            self.told[key] = self.how(key, 1 + count % 50)
            count += 1
            time.sleep(PAUSE_S)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def since(self, before):
        """Orders made since there were so many answers."""
        return [t for t in list(self.told.values())[before:] if t and t[0] in SOLD]


def compare(checks, customers, servers, what):
    """What stands in the database against what was told; the keys whose answer was lost. The shop may have all of its role's connections."""
    stands = set(servers.sql(CREATED, admin=True).split())
    told = {key for key, answer in customers.told.items() if answer and answer[0] in SOLD}
    lost = {key for key, answer in customers.told.items() if not answer or answer[0] >= 500}
    checks.equal(told - stands, set(), f"{what}: told, and not there")
    checks.that(stands - told <= lost, f"{what}: there, and another answer told: {sorted(stands - told - lost)[:5]}")
    checks.equal(servers.sql(SUMS, admin=True), "0|0|0", f"{what}: keys twice, stock below 0, pieces without an order")
    print(f"{what}: {len(stands)} orders stand, {len(told)} told, {len(lost)} answers failed or lost, "
          f"{len(stands - told)} of them stand: {' '.join(sorted(stands - told)[:8])}")
    return lost


def children(pid):
    done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(word) for word in done.stdout.split()]


def back_within(checks, customers, what):
    begun, before = time.monotonic(), len(customers.told)
    checks.that(until(lambda: len(customers.since(before)) >= BUYERS, 10), f"{what}: sells again")
    took = time.monotonic() - begun
    checks.that(took < BACK_S, f"{what}: back after {took:.2f} s")
    return took


def server_suffers(checks, servers):
    run = Run("--postgres", servers.begun["postgres"], "--yes", "--quiet", scenario=SCENARIO)
    with Customers("a") as customers:
        checks.that(until(lambda: len(customers.since(0)) > 50), "customers buy")
        os.kill(servers.begun["postgres_pid"], signal.SIGKILL)
        checks.that(until(lambda: servers.tell("revive") and servers.sql("SELECT 1", admin=True) == "1", 20), "revived")
        print(f"kill -9: selling {back_within(checks, customers, 'kill -9'):.2f} s after the server was back")
        main = int(servers.sql("SELECT pg_read_file('postmaster.pid')", admin=True).split()[0])
        for number in (signal.SIGSTOP, signal.SIGCONT):
            for pid in [*children(main), main]:
                os.kill(pid, number)
            time.sleep(STOPPED_S if number == signal.SIGSTOP else 0)
        print(f"kill -STOP: selling after {back_within(checks, customers, 'kill -STOP'):.2f} s")
        checks.that(int(servers.sql(TERMINATE, admin=True)) > 0, "sessions were ended")
        print(f"pg_terminate_backend: selling after {back_within(checks, customers, 'pg_terminate_backend'):.2f} s")
    lost = compare(checks, customers, servers, "after all of it")
    for key in sorted(lost)[:20]:  # whoever tries again gets one order, and the same each time
        first, second = buy(key, 7), buy(key, 8)
        checks.that(first and first[0] == 201 and first == second, f"again {key}: {first}, {second}")
    checks.equal(servers.sql(SUMS, admin=True), "0|0|0", "after trying again")
    run.end()
    checks.that("broken" not in run.said(), run.said())


def redis_suffers(checks, servers):
    """It is asked for the cart before anything is bought: while it is away nobody buys by the front door, and no order is
    told that does not stand."""
    run = Run("--postgres", servers.begun["postgres"], "--redis", "unix://" + servers.begun["redis"], "--quiet",
              scenario=SCENARIO)
    with Customers("r", check_out) as customers:
        checks.that(until(lambda: len(customers.since(0)) > 50), "customers check out")
        os.kill(servers.begun["redis_pid"], signal.SIGKILL)
        checks.that(until(lambda: any(t and t[0] >= 500 for t in list(customers.told.values()))), "and fail without Redis")
        servers.tell("revive")
        begun, before = time.monotonic(), len(customers.told)
        checks.that(until(lambda: servers.tell("revive") and len(customers.since(before)) >= BUYERS, 10), "they buy again")
        print(f"Redis killed: selling {time.monotonic() - begun:.2f} s later")
    compare(checks, customers, servers, "Redis killed")
    run.end()


def we_are_killed(checks, servers):
    run = Run("--postgres", servers.begun["postgres"], "--quiet", scenario=SCENARIO)  # ours by now: no --yes
    with Customers("b") as customers:
        checks.that(until(lambda: len(customers.since(0)) > 50), "customers buy")
        run.send(signal.SIGKILL)
        run.wait()
        time.sleep(0.5)
    checks.that(until(lambda: servers.sql(TERMINATE.replace("count(pg_terminate_backend(pid))", "count(*)"), admin=True) == "0"),
                "our sessions end with us")
    compare(checks, customers, servers, "doorbuster killed")


def hostile(checks, servers):
    """Values, never SQL: 400 or no rows."""
    run = Run("--postgres", servers.begun["postgres"], "--quiet", scenario=SCENARIO)
    for value in ("%27%20OR%20%271%27%3D%271", "electronics%27%3BDROP%20TABLE%20orders%3B--", "%24%241", "%5C%27", "%25"):
        answer = ask(CATALOG, f"/products?category={value}")
        checks.that(answer.status == 400 or answer.json.get("count") == 0, f"category {value}: {answer.body}")
    for value in ("%00", "%ff", "a%00b"):
        answer = ask(CATALOG, f"/products/search?category=toys&q={value}")
        checks.equal(answer.status, 400, f"q {value}")
    for low in ("NaN", "1e999", "0;DROP", "%27"):
        answer = ask(CATALOG, f"/products?category=toys&price_min={low}")
        checks.that(answer.status == 400 or answer.json.get("count") == 0, f"price_min {low}: {answer.body}")
    told = buy("x'); DROP TABLE orders; --", 7)
    checks.that(told and told[0] == 201, f"a key is a text: {told}")
    checks.equal(servers.sql("SELECT idempotency_key FROM orders", admin=True), "x'); DROP TABLE orders; --", "as it was said")
    told = buy("k" * 65, 7)
    checks.that(told and told[0] == 400, f"a key that is too long: {told}")
    run.end()


def refused(checks, servers):
    def tried(*options):
        begun = time.monotonic()
        run = Run(*options, scenario=SCENARIO, ready=False)
        code = run.wait()
        checks.that(time.monotonic() - begun < ABSENT_S, f"{options}: {time.monotonic() - begun:.1f} s")
        return code, run.said()

    code, said = tried("--postgres", "postgresql://127.0.0.1:1/ecommerce", "--redis", "redis://127.0.0.1:1")
    checks.equal(code, EXIT_DEPENDENCY, said)
    checks.that("127.0.0.1" in said and "port 1" in said and "redis://127.0.0.1:1" in said, said)
    code, said = tried("--postgres", "managed", "--speed", "2")
    checks.equal(code, EXIT_USAGE, said)
    other = servers.begun["admin"].replace("dbname='ecommerce'", "dbname='postgres'")
    code, said = tried("--postgres", other)
    checks.equal(code, EXIT_DEPENDENCY, said)
    checks.that("--yes" in said, said)


def main():
    lacks = missing()
    if lacks:
        print(f"SKIPPED: no {lacks}")
        return
    alone()
    checks = Checks()
    cache = cache_folder()
    with Servers(cache, "--rows", "2000") as servers:
        for part in (server_suffers, redis_suffers, we_are_killed, hostile, refused):
            part(checks, servers)
    shutil.rmtree(cache)
    checks.end()


if __name__ == "__main__":
    main()
