#!/usr/bin/env python3
"""What somebody gets from the administration's address who should get nothing, and what is left of it in the log.

    admin.py KITEQ

A broker on loopback without tokens and groups: a page whose name was made to lead there pulls another group's message; a proxy on this
machine, as its defaults have it, hands on a stranger's act. One with both: refused acts, 2,000 wrong tokens and 2,000 wrong secrets; 500
connections, each with a packet that nobody understands, and a group whose name moves the cursor.
"""

import base64
import http.client
import json
import socket
import sys
import tempfile
import time
from collections import Counter
from hashlib import sha256
from pathlib import Path

from broker import running
from wire import Client

REGISTRY = 'bindings: [{groupIds: ["s-member"], topic: "trade", messageType: "paid", bindType: "direct"}]\n'
HOSTILE = "p-\u009b2J\u202e\u2028"


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def basic(group, secret=""):
    return {"Authorization": "Basic " + base64.b64encode(f"{group}:{secret}".encode()).decode()}


class Admin:
    """One connection, opened again where the broker closes it."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(self, method, path, headers=None, body=None):
        """(status, body)"""
        headers = dict(headers or {})
        if body is not None:
            headers["Content-Type"] = "application/json"
        self.connection.request(method, path, body and json.dumps(body), headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read().decode()

    def figure(self, series):
        for line in self.ask("GET", "/metrics")[1].splitlines():
            if line.startswith(series + " "):
                return line.split()[-1]
        return "not counted"


def raw(port, request):
    """The status of what is sent as it is."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(request.encode())
        return connection.recv(1 << 16).split(b" ")[1].decode()


def open_broker(kiteq):
    port = free_port()
    with running(kiteq, REGISTRY, options=["--admin", f"127.0.0.1:{port}"]):
        admin = Admin(port)
        message = {"topic": "trade", "messageType": "paid", "text": "for s-member alone"}
        admin.ask("POST", "/api/v1/publish", basic("p-pay"), {"messages": [message]})
        for path in ["/api/v1/pull", "/metrics"]:
            method, body = ("POST", {"wait": 5}) if path.endswith("pull") else ("GET", None)
            shown = basic("s-member") if body else {}
            status, text = admin.ask(method, path, {"Host": "evil.example"} | shown, body)
            print(f"{path} by a foreign name: {status}{', with the message' if 's-member alone' in text else ''}")
        body = '{"reason": "x"}'
        head = f"Host: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        for proxy, version, more in [
            ("nginx with nothing but proxy_pass", "1.0", "Connection: close\r\n"),
            ("X-Forwarded-For", "1.1", "X-Forwarded-For: 203.0.113.5\r\n"),
        ]:
            act = f"POST /api/v1/groups/s-member/pause HTTP/{version}\r\n{head}{more}\r\n{body}"
            print(f"an act without a token, by {proxy}: {raw(port, act)}")


def guarded_broker(kiteq, folder):
    port, log = free_port(), Path(folder) / "log"
    token = '[tokens.night]\nrole = "operate"\nhash = "sha256:' + sha256(b"right").hexdigest() + '"\n'
    groups = '[groups.s-member]\nsecret = "plain:right"\n'
    options = ["--admin", f"127.0.0.1:{port}", "--set", "admin.tokens_file={folder}/tokens.toml"]
    options += ["--set", "groups.file={folder}/groups.toml"]
    files = [("tokens.toml", token), ("groups.toml", groups)]
    with running(kiteq, REGISTRY, files, options, ("s-member", "right"), log) as at:
        admin, right = Admin(port), {"Authorization": "Bearer right"}
        admin.ask("GET", "/api/v1/session", right)
        for _ in range(200):
            admin.ask("POST", "/api/v1/broker/drain", {}, {"reason": "x"})
        rows = json.loads(admin.ask("GET", "/api/v1/audit", right)[1])["items"]
        print(f"200 acts without a token: {len(rows)} rows in the audit log")
        for what, path, shown in [
            ("tokens", "/api/v1/session", lambda n: {"Authorization": f"Bearer wrong {n}"}),
            ("secrets", "/api/v1/pull", lambda n: basic("s-member", f"wrong {n}")),
        ]:
            begin, statuses = time.monotonic(), Counter()
            for number in range(2_000):
                body = {"wait": 0} if what == "secrets" else None
                statuses[admin.ask("POST" if body else "GET", path, shown(number), body)[0]] += 1
            took = time.monotonic() - begin
            print(f"2,000 wrong {what}: {dict(statuses)} in {took:.1f} s: {statuses[401] / took:.0f} a second were looked at")
        print(f"the right token meanwhile: {admin.ask('GET', '/api/v1/session', right)[0]}")
        for kind in ["missing", "token", "secret", "paused"]:
            series = f'kiteq_http_refusals_total{{reason="{kind}"}}'
            print(f"counted as {kind}: {admin.figure(series)}")
        try:
            Client(at, HOSTILE)
        except ConnectionRefusedError as refusal:
            hears = any(sign in str(refusal) for sign in "\u009b\u202e\u2028")
            print(f"what it hears of a name of its own moves the cursor: {hears}")
        for _ in range(500):
            client = Client(at, "s-member", "right")
            client.send(0x7F, b"")
            try:
                client.next()
            except OSError:
                pass
            client.close()
        time.sleep(0.5)
        text = log.read_bytes().decode()
        understood = sum("cannot be understood" in line for line in text.splitlines())
        print(f"500 packets that nobody understands: {understood} lines; the log moves the cursor: {chr(0x9B) in text or chr(0x202E) in text}")


def main():
    open_broker(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        guarded_broker(sys.argv[1], folder)


main()
