"""/metrics of every service, judged by promtool, and scraped by a real Prometheus."""
# ctest: label=live build=debug

import json
import os
import socket
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

from http_toy import Checks, Toy


def make_traffic(toy):
    toy.curl("frontend", "/api/browse", "-X", "POST")
    toy.curl("frontend", "/api/checkout", "-X", "POST")
    toy.post("cart-service", "/cart/add", {"cart_id": "c", "product_id": 1, "quantity": 1})
    toy.curl("product-catalog", "/products/0")
    toy.post("checkout", "/checkout", {"user_id": "u", "product_id": 3, "quantity": 1})


def check_text(toy, checks):
    names = set()
    for service in toy.ports:
        page = toy.curl(service, "/metrics").body
        judged = subprocess.run(["promtool", "check", "metrics"], input=page, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, check=False)
        checks.equal((judged.returncode, judged.stdout.decode()), (0, ""), f"promtool on {service}")
        names |= {line.split()[2] for line in page.decode().splitlines() if line.startswith("# TYPE")}
    for name in ("http_server_request_duration_seconds", "db_client_connections", "shop_orders_total",
                 "db_client_operation_duration_seconds", "actor_mailbox_depth", "load_requests_started_total"):
        checks.that(name in names, f"nobody has {name}")
    print(f"{len(names)} metrics")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def query(port, expression):
    url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)["data"]["result"]
    except OSError:
        return []


def check_scrape(toy, checks):
    targets = [f"127.0.0.1:{port}" for port in toy.ports.values()]
    config = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
              "scrape_configs": [{"job_name": "doorbuster", "static_configs": [{"targets": targets}]}]}
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "prometheus.yml"), "w", encoding="ascii") as file:
            json.dump(config, file)
        with subprocess.Popen(["prometheus", "--config.file", f"{folder}/prometheus.yml", "--storage.tsdb.path",
                               f"{folder}/data", "--web.listen-address", f"127.0.0.1:{port}"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as prometheus:
            deadline = time.monotonic() + 60
            while len(query(port, "up == 1")) < len(targets) and time.monotonic() < deadline:
                time.sleep(0.2)
            checks.equal(len(query(port, "up == 1")), len(targets), "targets that are up")
            info = query(port, "target_info")
            checks.equal({i["metric"]["service_name"] for i in info}, set(toy.ports), "who they are")
            browses = query(port, 'http_server_request_duration_seconds_count{http_route="/api/browse"}')
            checks.equal([b["value"][1] for b in browses], ["1"], "browses")
            prometheus.terminate()


def main():
    checks, toy = Checks(), Toy()
    make_traffic(toy)
    check_text(toy, checks)
    check_scrape(toy, checks)
    toy.end()
    checks.end()


main()
