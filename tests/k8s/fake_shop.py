"""A shop that answers as its routes do, on ports of its own, and misbehaves as it is told. For tests of the scripts."""

import http.server
import json
import threading

SERVICES = ["load-generator", "recommendation-service", "ad-service", "cart-service", "product-catalog", "currency-service",
            "checkout", "payment-service", "frontend", "shipping-service", "inventory-service"]
TOKEN = "abc"  # what the stub's Secret says


class Shop:
    def __init__(self):
        self.sick = set()  # services whose /health fails
        self.token = TOKEN
        self.baseline = {"rpm": 100.0, "requests": 40, "errors": 0, "error_rate": "0.0%"}
        self.checkout = (200, {"status": "success"})
        self.browse = (200, {"status": "success"})
        self.lost = 0
        self.running, self.statuses_left = False, 3  # how often the status says so before the demo ends
        self.starts = (200, {"status": "demo_started"})
        self.asked = []
        self.servers = {}
        for service in SERVICES:
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler(service))
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            self.servers[service] = server
        self.ports = {s: server.server_address[1] for s, server in self.servers.items()}

    def close(self):
        for server in self.servers.values():
            server.shutdown()
            server.server_close()

    def answer(self, service, method, path, headers):
        self.asked.append(f"{method} {service} {path}")
        if path == "/health":
            return (503, {"error": "no"}) if service in self.sick else (200, {"status": "healthy", "service": service})
        if service == "frontend":
            return {"/api/browse": self.browse, "/api/checkout": self.checkout}.get(path, (404, {}))
        if service != "load-generator":
            return 404, {}
        if path == "/metrics":
            text = "# HELP otel_sdk_exporter_span_exported_total Spans.\notel_sdk_exporter_span_exported_total{a=\"b\"} 70\n"
            return 200, text + f"otel_sdk_exporter_span_exported_total{{a=\"b\",error_type=\"timeout\"}} {self.lost}\n"
        if headers.get("authorization") != f"Bearer {self.token}":
            return 401, {"error": "Authorization: Bearer with the admin token is needed"}
        return self.admin(path)

    def admin(self, path):
        if path == "/admin/traffic-stats":
            return 200, {"baseline": self.baseline,
                         "demo": {"current_rpm": 0.0, "demo_minute": None, "requests": 0, "errors": 0, "error_rate": "0.0%"}}
        if path == "/admin/start-demo":
            self.running = self.running or self.starts[0] == 200
            return self.starts
        if path == "/admin/stop-demo":
            was, self.running = self.running, False
            return (200, {"status": "demo_stopped"}) if was else (409, {"error": "No demo currently running"})
        if path == "/admin/demo-status":
            if self.running:
                self.statuses_left -= 1
                self.running = self.statuses_left > 0
            if not self.running:
                return 200, {"running": False, "message": "No demo currently running"}
            return 200, {"running": True, "elapsed_minutes": 12.5, "current_rpm": 3383.0, "current_error_rate": 0.469,
                         "phase": "peak", "checkouts_attempted": 20000, "checkouts_failed": 5000}
        return 404, {}

    def handler(self, service):
        shop = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def reply(self):
                self.rfile.read(int(self.headers.get("content-length", 0)))
                code, body = shop.answer(service, self.command, self.path, self.headers)
                text = body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))
                self.send_response(code)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_POST = reply

            def log_message(self, *_args):
                pass

        return Handler
