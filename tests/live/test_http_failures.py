"""What a client is told when the shop fails: 503 with Retry-After and the reason, 504 where nobody answers.

Sixty times as fast as real: a second is a minute of the demo, so that the demo has started.
"""
# ctest: label=live build=debug

import time

from http_toy import Checks, Toy


def main():
    checks, toy = Checks(), Toy("--speed", "60", scenario="tests/live/http_down.yaml")
    while toy.curl("product-catalog", "/health").json["demo_minute"] < 1:
        time.sleep(0.05)

    answer = toy.curl("ad-service", "/ads?category=x")
    checks.equal((answer.status, answer.json), (504, {"error": "no peer"}), "a service that is down")
    checks.equal(answer.header("retry-after"), None, "504")
    checks.equal(toy.curl("ad-service", "/livez").status, 200, "its pages are the program's")

    answer = toy.post("recommendation-service", "/recommend", {"user_id": "u", "category": "x"})
    checks.equal((answer.status, answer.json),
                 (503, {"error": "SQLSTATE[08006]: Connection timeout after 2000ms"}), "no connection")
    checks.equal(answer.header("retry-after"), "1", "503")

    answer = toy.post("frontend", "/api/checkout", {"user_id": "u"})
    checks.equal(answer.status, 503, "checkout")
    checks.equal(list(answer.json), ["error", "reason", "demo_minute"], "checkout")
    checks.equal((answer.json["error"], answer.json["reason"]),
                 ("Checkout failed", "Product recommendations unavailable"), "checkout")
    checks.that(1 <= answer.json["demo_minute"] < 60, "checkout")
    checks.equal(answer.header("retry-after"), "1", "checkout")

    answer = toy.curl("frontend", "/api/browse", "-X", "POST")
    checks.equal(answer.status, 200, "decoration may fail")

    toy.curl("load-generator", "/drain", "-X", "POST")
    answer = toy.curl("frontend", "/readyz")
    checks.equal((answer.status, answer.header("retry-after")), (503, "1"), "draining")
    toy.end()
    checks.end()


main()
