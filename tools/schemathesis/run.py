"""Starts the account service on a database of its own, with prices and cards and without a chain, and runs schemathesis against the document that it serves.

usage: run.py SERVICE SCHEMATHESIS [OPTION...]; further options go to schemathesis.
"""

import http.server
import json
import os
import pathlib
import secrets
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
NOWHERE = "http://127.0.0.1:9"
PRICE = "3018.26"


class Outside(http.server.BaseHTTPRequestHandler):
    """Coinbase Exchange, Kraken and Bitstamp, which agree; and a Stripe whose Checkout Sessions nobody pays."""

    def do_GET(self):
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
        level = [PRICE, "1", "1.000"]
        tickers = {
            "coinbase": {"price": PRICE, "bid": PRICE, "ask": PRICE, "time": stamp, "trade_id": 1, "size": "1", "volume": "1"},
            "kraken": {"error": [], "result": {"XETHZUSD": {"a": level, "b": level, "c": level[:2]}}},
            "bitstamp": {"last": PRICE, "bid": PRICE, "ask": PRICE, "timestamp": str(int(now))},
        }
        nothing = {"object": "list", "data": [], "has_more": False, "url": self.path}
        self.answer(tickers.get(self.path.split("/")[1], nothing))

    def do_POST(self):
        asked = urllib.parse.parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        cents = int(asked["line_items[0][price_data][unit_amount]"][0])
        name = f"cs_test_{secrets.token_hex(12)}"
        session = {"id": name, "object": "checkout.session", "amount_total": cents, "currency": "usd", "livemode": False, "status": "open"}
        session |= {"client_reference_id": asked["client_reference_id"][0], "payment_status": "unpaid", "payment_intent": None, "metadata": {}}
        expires = int(asked["expires_at"][0]) if "expires_at" in asked else int(time.time()) + 3600
        self.answer(session | {"expires_at": expires, "url": f"https://checkout.stripe.com/c/pay/{name}"})

    def answer(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Service:
    """A running service; it ends with the `with`."""

    def __init__(self, binary, outside, *more):
        self.token = secrets.token_hex(16)
        self.folder = tempfile.TemporaryDirectory(prefix="aispace-schemathesis-")
        arguments = [binary, "serve", "--database", f"{self.folder.name}/service.db", "--node", NOWHERE, "--no-chainlink"]
        # In this profile no limit holds: wrong credentials are what is sent.
        arguments += ["--profile", "sandbox", *more]
        for venue in ("coinbase", "kraken", "bitstamp"):
            arguments += [f"--price-{venue}", f"{outside}/{venue}"]
        arguments += ["--stripe-url", outside, "--card-return-url", "https://example.org/paid"]
        self.log = open(f"{self.folder.name}/log", "w+", encoding="utf-8")
        environment = {**os.environ, "AISPACE_OPERATOR_TOKEN": self.token, "RUST_LOG": "warn"}
        environment |= {"AISPACE_STRIPE_SECRET_KEY": "sk_test_4711", "AISPACE_STRIPE_WEBHOOK_SECRET": "whsec_4711"}
        self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, env=environment, text=True)
        line = self.process.stdout.readline().strip()
        if not line.startswith("listening on "):
            self.log.seek(0)
            sys.exit(f"the service did not start: {self.log.read()}")
        self.url = line.removeprefix("listening on ")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.log.close()
        self.folder.cleanup()

    def operate(self, path, body):
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json", "idempotency-key": secrets.token_hex(8)}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def errors(self):
        """What it logged as its own fault."""
        self.log.seek(0)
        return [line for line in self.log if " ERROR " in line or "panicked" in line]


def run(schemathesis, service, phases, *options):
    """Runs schemathesis as two accounts see the service."""
    mine, other = service.operate("/v1/accounts", {"label": "schemathesis"}), service.operate("/v1/accounts", {})
    for opened in (mine, other):
        service.operate("/v1/grants", {"account_id": opened["account_id"], "credits": "1000000"})
    environment = {
        **os.environ,
        "SECURE_KEY": mine["secure_key"],
        "OPERATOR_TOKEN": service.token,
        "ACCOUNT_ID": mine["account_id"],
        "OTHER_ACCOUNT_ID": other["account_id"],
        # Found by its name in the configuration.
        "PYTHONPATH": str(HERE),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HYPOTHESIS_STORAGE_DIRECTORY": f"{service.folder.name}/hypothesis",
    }
    # Set to anything, it makes a screen of a file.
    environment.pop("FORCE_COLOR", None)
    command = [schemathesis, "--config-file", str(HERE / "schemathesis.toml"), "run", f"{service.url}/v1/openapi.json", "--checks", "all"]
    command += ["--phases", phases, "--workers", "1", "--no-color", *options]
    return subprocess.run(command, env=environment, cwd=HERE, stdin=subprocess.DEVNULL, check=False).returncode


def main():
    binary, schemathesis, *options = sys.argv[1:]
    outside = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Outside)
    threading.Thread(target=outside.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{outside.server_port}"
    failed = False
    with Service(binary, address) as service:
        failed |= run(schemathesis, service, "examples,coverage,fuzzing,stateful", *options) != 0
        faults = service.errors()
    # The clock moves everything else, so it is asked on its own.
    with Service(binary, address, "--test-clock") as service:
        failed |= run(schemathesis, service, "examples,coverage,fuzzing", "--include-operation-id", "setClock", *options) != 0
        faults += service.errors()
    for line in faults:
        print(f"the service's own fault: {line}", end="")
    sys.exit(1 if failed or faults else 0)


if __name__ == "__main__":
    main()
