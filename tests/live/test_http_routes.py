"""Every route of the shop over real sockets, asked with curl: status, body, headers.

Bodies are compared key by key with their type: a shape is a type, a list of one shape, a dict of shapes, or a value.
"""
# ctest: label=live build=debug

from http_toy import Checks, Toy

PRICES = "expected 0 <= price_min <= price_max <= 1000000000, and a user_id of at most 64 bytes"
PRODUCT = {"id": int, "name": str, "category": str, "price": float, "stock_quantity": int}
PRODUCTS = {"products": [PRODUCT], "count": int}
RECOMMENDED = [{"id": int, "name": str, "price": float, "popularity": int}]
ORDER = {"order_id": int, "status": "created", "total": float}
CART = {"cart_id": "c-1", "items": [{"product_id": int, "quantity": int}]}
DEMO = {"status": "success", "flow": "demo_checkout", "user_id": str, "demo_minute": int}

# service, method, path, body, status, shape of the answer; in this order
ROUTES = [
    ("frontend", "POST", "/api/browse", {"user_id": "user-1234", "cart_id": "c-9"}, 200,
     {"status": "success", "flow": "baseline_browse", "user_id": "user-1234"}),
    ("frontend", "POST", "/api/browse", None, 200, {"status": "success", "flow": "baseline_browse", "user_id": str}),
    ("frontend", "POST", "/api/browse", {"user_id": None}, 200,
     {"status": "success", "flow": "baseline_browse", "user_id": str}),
    ("frontend", "POST", "/api/checkout", {"user_id": "user-1", "cart_id": "c-9"}, 200, DEMO),
    ("frontend", "POST", "/api/checkout", None, 200, DEMO),
    ("cart-service", "POST", "/cart/add", {"cart_id": "c-1", "product_id": "random", "quantity": 1}, 200,
     {"cart_id": "c-1", "items": 1}),
    ("cart-service", "POST", "/cart/add", {"cart_id": "c-1", "product_id": 7, "quantity": 2}, 200,
     {"cart_id": "c-1", "items": int}),
    ("cart-service", "GET", "/cart/c-1", None, 200, CART),
    ("cart-service", "GET", "/cart?cart_id=c-1", None, 200, CART),
    ("cart-service", "GET", "/cart/c%2D1", None, 200, CART),
    ("cart-service", "DELETE", "/cart/c-1", None, 200, {"cart_id": "c-1", "items": 0}),
    ("cart-service", "GET", "/cart/c-1", None, 200, {"cart_id": "c-1", "items": []}),
    ("product-catalog", "GET", "/products?category=electronics", None, 200, PRODUCTS),
    ("product-catalog", "GET", "/products?category=electronics&price_min=0&price_max=1000", None, 200, PRODUCTS),
    ("product-catalog", "GET", "/products/7", None, 200, PRODUCT),
    ("product-catalog", "GET", "/products/search?category=electronics&q=watch", None, 200, PRODUCTS),
    ("product-catalog", "GET", "/products/popular-with-history?category=furniture", None, 200, PRODUCTS),
    ("product-catalog", "GET", "/products/recommendations?category=electronics&user_id=user-1", None, 200,
     {"recommendations": RECOMMENDED, "count": int, "demo_minute": int}),
    ("recommendation-service", "POST", "/recommend", {"user_id": "user-1", "category": "electronics"}, 200,
     {"user_id": "user-1", "recommendations": RECOMMENDED}),
    ("currency-service", "GET", "/convert?amount=100&from=USD&to=EUR", None, 200,
     {"amount": float, "from": "USD", "to": "EUR", "rate": float, "converted": float}),
    ("ad-service", "GET", "/ads?category=electronics", None, 200,
     {"ads": [{"id": int, "text": str, "category": str}]}),
    ("shipping-service", "POST", "/calculate", {"items": [{"weight": 1}], "zip": "10001"}, 200,
     {"cost": float, "currency": "USD", "days": int}),
    ("payment-service", "POST", "/api/payment/process", {"amount": 99.99, "user_id": "user-1"}, 200,
     {"status": "approved", "transaction_id": str}),
    ("checkout", "POST", "/orders/create", {"user_id": "u", "product_id": 3, "quantity": 1}, 201, ORDER),
    ("checkout", "POST", "/checkout", {"user_id": "u", "product_id": 3, "quantity": 1}, 201, ORDER),
    ("checkout", "GET", "/orders/popular-products", None, 200,
     {"products": [{"id": int, "name": str, "orders": int}]}),
    ("inventory-service", "GET", "/inventory/3", None, 200, {"product_id": 3, "stock_quantity": int}),
]

# service, method, path, body, status, text of the error or None
NO_ROUTE = "no such route; the frontend's GET / lists them, on port 8018"
REFUSED = [
    ("product-catalog", "GET", "/products", None, 400, "category is missing: text"),
    ("product-catalog", "GET", "/products/seven", None, 400, "id must be a whole number"),
    ("product-catalog", "GET", "/products/7.0", None, 400, "id must be a whole number"),
    ("product-catalog", "GET", "/products/999999999", None, 404, "No such product"),
    ("product-catalog", "GET", "/products?category=%ff", None, 400, None),
    ("product-catalog", "GET", "/products?category=x&traffic_type=both", None, 400,
     "traffic_type must be baseline or demo"),
    ("product-catalog", "GET", "/products?category=x&price_min=2&price_max=1", None, 400, PRICES),
    ("product-catalog", "GET", "/products?category=x&price_min=-1", None, 400, PRICES),
    ("product-catalog", "GET", "/products?category=x&price_max=1e300", None, 400, PRICES),
    ("product-catalog", "GET", "/products?category=x&price_max=nan", None, 400, "price_max must be a number"),
    ("product-catalog", "GET", "/products/recommendations?category=x&price_min=2&price_max=1", None, 400, PRICES),
    ("inventory-service", "POST", "/inventory/reserve", {"product_id": 999999999, "quantity": 1, "order_id": 1}, 404,
     "No such product"),
    ("product-catalog", "POST", "/products", {}, 405, None),
    ("currency-service", "GET", "/convert?amount=a&from=USD&to=EUR", None, 400, "amount must be a number"),
    ("shipping-service", "POST", "/calculate", {"items": [{}], "zip": "1"}, 400, "items[0].weight is missing: a number"),
    ("shipping-service", "POST", "/calculate", {"items": 1, "zip": "1"}, 400, "items must be a list of objects"),
    ("cart-service", "POST", "/cart/add", {"cart_id": "c", "product_id": 1, "quantity": 101}, 400, None),
    ("cart-service", "POST", "/cart/add", {"cart_id": 7, "product_id": 1, "quantity": 1}, 400, "cart_id must be text"),
    ("cart-service", "GET", "/cart/" + "x" * 300, None, 400, "the path is malformed or too long"),
    ("cart-service", "GET", "/cart/a%00b", None, 400, "the path is malformed or too long"),
    ("frontend", "POST", "/api/browse", "[]", 400, "the body is not a JSON object"),
    ("frontend", "POST", "/api/browse", "{", 400, None),
    ("frontend", "POST", "/api/browse", {"user_id": 7}, 400, "user_id must be text"),
    ("frontend", "GET", "/nowhere", None, 404, NO_ROUTE),
    ("frontend", "GET", "/products", None, 404, NO_ROUTE),
    ("frontend", "GET", "/api/browse", None, 405, "the route does not take this method"),
    ("load-generator", "POST", "/browse", None, 404, NO_ROUTE),
]


def fits(value, shape):
    if isinstance(shape, dict):
        return isinstance(value, dict) and list(value) == list(shape) and all(fits(value[k], shape[k]) for k in shape)
    if isinstance(shape, list):
        return isinstance(value, list) and (value != [] or shape == []) and all(fits(v, shape[0]) for v in value)
    if shape is float:
        return type(value) in (int, float)
    return type(value) is shape if isinstance(shape, type) else value == shape and type(value) is type(shape)


def ask(toy, service, method, path, body):
    if body is None:
        return toy.curl(service, path, "-X", method)
    return toy.post(service, path, body, "-X", method)


def check_routes(toy, checks):
    for service, method, path, body, status, shape in ROUTES:
        answer = ask(toy, service, method, path, body)
        what = f"{service} {method} {path}"
        checks.equal(answer.status, status, what)
        checks.equal(answer.header("content-type"), "application/json", what)
        checks.equal(answer.header("content-length"), str(len(answer.body)), what)
        checks.equal(answer.header("server"), "doorbuster", what)
        checks.that(fits(answer.json, shape), f"{what}: {answer.body[:300]} is not {shape}")
        head = method == "GET" and toy.curl(service, path, "-I")
        checks.that(not head or (head.status == status and head.body == b""), f"{what}: HEAD")


def check_refusals(toy, checks):
    for service, method, path, body, status, error in REFUSED:
        answer = ask(toy, service, method, path, body)
        what = f"{service} {method} {path[:60]}"
        checks.equal(answer.status, status, what)
        checks.equal(answer.header("content-type"), "application/json", what)
        checks.equal(list(answer.json), ["error"], what)
        checks.that(error in (None, answer.json["error"]), f"{what}: {answer.json}")
    checks.equal(toy.curl("cart-service", "/cart/c", "-X", "PUT").header("allow"), "GET, HEAD, DELETE", "Allow")
    checks.equal(toy.curl("cart-service", "/cart/add", "-X", "PUT").header("allow"), "POST, GET, HEAD, DELETE",
                 "Allow where two templates fit")


def check_pages(toy, checks):
    for service in toy.ports:
        answer = toy.curl(service, "/health")
        if service != "product-catalog":
            checks.equal(answer.json, {"status": "healthy", "service": service}, service)
        checks.equal(toy.curl(service, "/livez").json, {"status": "alive"}, service)
        checks.equal(toy.curl(service, "/readyz").json, {"status": "ready"}, service)
        answer = toy.curl(service, "/metrics")
        checks.equal(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8", service)
        checks.that(f'target_info{{service_name="{service}"}} 1\n'.encode() in answer.body, f"{service}: target_info")
    health = toy.curl("product-catalog", "/health").json
    checks.that(fits(health, {"status": "healthy", "service": "product-catalog", "demo_mode": "blackfriday",
                              "demo_minute": int, "requests": {"baseline": int, "demo": int}}), health)
    index = toy.curl("frontend", "/")
    checks.equal(index.header("content-type"), "text/plain; charset=utf-8", "index")
    for text in ("cart-service, port", "POST   /api/checkout", "GET    /cart/{cart_id}", "GET    /health"):
        checks.that(text.encode() in index.body, f"the index has no {text}")
    checks.equal(toy.curl("cart-service", "/").status, 404, "only the frontend has an index")


def check_traffic(toy, checks):
    """What counts as demo: /api/checkout and recommendations, and what says so."""
    def requests():
        return toy.curl("product-catalog", "/health").json["requests"]

    before = requests()
    toy.curl("product-catalog", "/products?category=x")
    toy.curl("product-catalog", "/products?category=x&traffic_type=demo")
    toy.curl("product-catalog", "/products/recommendations?category=electronics")
    toy.curl("product-catalog", "/products/recommendations?category=electronics&traffic_type=baseline")
    after = requests()
    checks.equal([after[t] - before[t] for t in ("baseline", "demo")], [2, 2], "requests by traffic.type")


def check_order_key(toy, checks):
    """The same Idempotency-Key is the same order, by header or body; the header goes before."""
    order = {"user_id": "u", "product_id": 3, "quantity": 1}
    first = toy.post("checkout", "/orders/create", order, "-H", "Idempotency-Key: k-1").json
    again = toy.post("checkout", "/orders/create", order, "-H", "Idempotency-Key: k-1").json
    in_body = toy.post("checkout", "/orders/create", dict(order, idempotency_key="k-1")).json
    header_first = toy.post("checkout", "/orders/create", dict(order, idempotency_key="k-2"),
                            "-H", "Idempotency-Key: k-1").json
    other = toy.post("checkout", "/orders/create", order, "-H", "Idempotency-Key: k-2").json
    checks.equal(first["order_id"], again["order_id"], "the same key")
    checks.equal(first["order_id"], in_body["order_id"], "the same key in the body")
    checks.equal(first["order_id"], header_first["order_id"], "the header goes before the body")
    checks.that(first["order_id"] != other["order_id"], "another key is another order")
    checks.equal(toy.post("checkout", "/orders/create", order, "-H", "Idempotency-Key: " + "x" * 300).status, 400,
                 "a key without end")


def check_traces(toy, checks):
    """A valid traceparent makes a child; any other begins a trace."""
    ids = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"
    children = [f"00-{ids}-01", f" 00-{ids}-00 ", f"cc-{ids}-03-what"]
    roots = [f"ff-{ids}-01", f"00-{ids}-01-x", ids.upper(), f"00-{'0' * 32}-b7ad6b7169203331-01"]

    def last_span(*options):
        toy.curl("ad-service", "/ads?category=x", *options)
        return toy.spans()[-1]

    for header in children:
        span = last_span("-H", "TraceParent:" + header)
        checks.equal(f"{span['trace']}-{span['parent']}", ids, header)
        checks.equal(span["flags"], int(header.strip()[53:55], 16) & 3, header)
    seen = set()
    for header in roots:
        span = last_span("-H", "traceparent: " + header)
        checks.that(span["trace"] != ids[:32] and span["parent"] == "0" * 16, header)
        seen.add(span["trace"])
    span = last_span("-H", f"traceparent: {children[0]}", "-H", f"traceparent: {children[0]}")
    checks.that(span["trace"] != ids[:32], "two traceparent headers")
    span = last_span("-H", f"trace-parent: {children[0]}")
    checks.that(span["trace"] != ids[:32], "another header")
    seen.add(span["trace"])
    checks.equal(len(seen), len(roots) + 1, "each its own trace")
    twins = [last_span("-H", f"traceparent: 00-{ids}-01")["span"] for _ in range(2)]
    checks.that(twins[0] != twins[1], "two children of one parent have ids of their own")


def check_handlers(toy, checks):
    """Pages that others bring: answered later, below their path, with their own type."""
    answer = toy.post("load-generator", "/echo/below?x=1", "hello")
    checks.equal((answer.status, answer.body, answer.header("x-toy")), (202, b"hello", "echo"), "echo")
    checks.equal(answer.header("content-type"), "text/x-echo", "echo")
    checks.equal(toy.curl("load-generator", "/echo").header("allow"), "POST", "echo")
    checks.equal(toy.curl("load-generator", "/echoes").status, 404, "echo")
    checks.equal(toy.curl("load-generator", "/pending").json, {"pending": 1, "connections": 1, "loopback": True},
                 "what is under way")
    checks.equal(len(toy.curl("load-generator", "/large?3000000").body), 3000000, "a large answer")


def check_drain(toy, checks):
    checks.equal(toy.curl("load-generator", "/drain", "-X", "POST").status, 204, "drain")
    answer = toy.curl("cart-service", "/readyz")
    checks.equal((answer.status, answer.json), (503, {"error": "draining"}), "readyz")
    checks.equal(toy.curl("cart-service", "/livez").status, 200, "livez")
    answer = toy.curl("cart-service", "/cart/c")
    checks.equal((answer.status, answer.header("connection")), (200, "close"), "still served")


def main():
    checks, toy = Checks(), Toy()
    check_routes(toy, checks)
    for check in (check_refusals, check_pages, check_traffic, check_order_key, check_traces, check_handlers,
                  check_drain):
        check(toy, checks)
    toy.end()
    checks.end()


main()
