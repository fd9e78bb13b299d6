#!/usr/bin/env python3
"""Serves the console with an API out of fixtures, for the tests and for looking at states that are hard to make.

    Tests/Console/fixture.py [--port N] [--scenario calm|trouble|hostile] [--no-token]

Listens on 127.0.0.1. The tokens are "reader", "operator", "counter" (the role counts) and "team" (for
the topic orders and the group billing). Needs python3-yaml and python3-jsonschema: each request
and answer is held to openapi.yaml. Ends with Ctrl-C.
"""

import argparse
import json
import threading
import time
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from contract import Contract
from world import World, ago, counted

CONSOLE = Path(__file__).resolve().parents[2] / "Sources/KiteQAdmin/Console"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class Refusal(Exception):
    def __init__(self, status, detail, **more):
        super().__init__(detail)
        self.problem = {"title": detail.split(".")[0], "status": status, "detail": detail, **more}


def named(query, name):
    return query.get("search", "").lower() in name.lower()


class FixtureServer:
    """In a thread; `with FixtureServer() as server`. Tests reach in: world, tokens, failing, delay, requests."""

    def __init__(self, scenario="calm", port=0):
        self.contract = Contract()
        self.lock = threading.RLock()
        self.tokens = {
            "reader": ("nightwatch", "read"),
            "operator": ("oncall", "operate"),
            "counter": ("wall", "counts"),
            "team": ("team", "operate"),
        }
        # Tokens for some topics and groups alone, by name.
        self.scopes = {"team": {"topics": ["orders"], "groups": ["billing"]}}
        self.anonymous = None
        self.failing = {}
        self.delay = {}
        self.requests = []
        self.under_way = {}
        self.most_under_way = {}
        self.counted = None
        self.world = World(scenario)
        handler = type("Handler", (Handler,), {"fixture": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/console/"

    def reset(self, scenario="calm"):
        with self.lock:
            self.world = World(scenario)
            self.anonymous = None
            self.failing, self.delay, self.requests, self.counted = {}, {}, [], None
            self.under_way, self.most_under_way = {}, {}

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    # ---- the API

    def session(self, authorization):
        if authorization is None and self.anonymous:
            return "anonymous", self.anonymous
        known = self.tokens.get((authorization or "").removeprefix("Bearer "))
        if known is None:
            raise Refusal(401, "No valid token. Send one of admin.tokens_file as Authorization: Bearer.")
        return known

    def answer(self, method, path, query, body, authorization, remote):
        name, role = self.session(authorization)
        parts = [unquote(part) for part in path.removeprefix("/api/v1/").split("/")]
        if parts[0] in self.failing:
            raise Refusal(*self.failing[parts[0]])
        if role == "counts" and parts[0] in ("audit", "configuration", "connections"):
            raise Refusal(403, f"{name} has the role counts; this needs read")
        self.refuse_beyond_scope(parts, query, name)
        if method == "GET":
            return 200, self.read(parts, query, name, role)
        if parts == ["dead-letters", "count"]:
            return 200, self.counted or counted(len(self.acted_on(body)))
        if role != "operate":
            raise Refusal(403, "This needs the role operate.")
        return self.act(parts, body, name, remote)

    def refuse_beyond_scope(self, parts, query, name):
        scope = self.scopes.get(name)
        if scope is None:
            return
        if parts[0] in ("shards", "configuration", "broker"):
            raise Refusal(
                403,
                f"{name} is for some topics or groups alone; this is about the whole broker, "
                "and needs a token for all of them",
            )
        group = parts[1] if parts[0] == "groups" and len(parts) > 1 else query.get("group")
        if group is not None and group not in scope["groups"]:
            raise Refusal(403, f"{name} is not for group {group}")
        if "topic" in query and query["topic"] not in scope["topics"]:
            raise Refusal(403, f"{name} is not for topic {query['topic']}")
        if parts == ["messages"] and group is None and query.get("state") != "half":
            raise Refusal(403, f"{name} is for some groups alone: ask for messages owed to one of them (group)")

    def read(self, parts, query, name, role):
        answer = self.read_all(parts, query, name, role)
        if role == "counts" and "content" in answer:
            answer = {**answer, "content": None}
        scope = self.scopes.get(name)
        if scope is None:
            return answer
        if parts == ["overview"]:
            sums = ("rates", "totals", "queues", "memory")
            subjects = [f"group {each}" for each in scope["groups"]]
            health = [each for each in answer["health"] if each["subject"] in subjects]
            return {**{key: value for key, value in answer.items() if key not in sums}, "health": health}
        if "items" in answer and parts[0] in ("topics", "groups"):
            key = parts[0][:-1]
            return {**answer, "items": [each for each in answer["items"] if each[key] in scope[parts[0]]]}
        return answer

    def read_all(self, parts, query, name, role):
        world = self.world
        match parts:
            case ["session"]:
                scope = self.scopes.get(name, {"topics": None, "groups": None})
                return {"name": name, "role": role, "broker": "broker-1", **scope}
            case ["overview"]:
                return world.overview()
            case ["brokers"]:
                return world.brokers()
            case ["shards"]:
                return world.shards()
            case ["topics"]:
                listed = world.topic_list()
                return {**listed, "items": [each for each in listed["items"] if named(query, each["topic"])]}
            case ["configuration"]:
                return world.configuration()
            case ["history"]:
                start, end = (
                    datetime.fromisoformat(query[key].replace("Z", "+00:00")).timestamp() for key in ("from", "until")
                )
                return world.history(start, end, int(query.get("step", 3600)))
            case ["groups"]:
                found = [each for each in world.groups.values() if named(query, each["group"])]
                return self.page(found, query, unreachable=world.unreachable)
            case ["groups", group]:
                if group not in world.groups:
                    raise Refusal(404, "No such group.")
                return world.groups[group]
            case ["bindings"]:
                found = [
                    each
                    for each in world.bindings()
                    if all(query.get(key) in (None, each[key]) for key in ("topic", "group"))
                ]
                return self.page(found, query)
            case ["connections"]:
                return self.page(
                    [each for each in world.connections() if query.get("group") in (None, each["group"])], query
                )
            case ["messages"]:
                return self.search(query)
            case ["messages", wanted]:
                story = world.story(wanted)
                if story is None:
                    raise Refusal(
                        404,
                        "No message with this id is in the store: it may be done and gone, or never have been here.",
                    )
                return story
            case ["transactions"]:
                return self.page(world.transactions, query, unreachable=world.unreachable)
            case ["dead-letters"]:
                return self.page(self.matching(query), query, unreachable=world.unreachable)
            case ["dead-letters", wanted]:
                letter = next((each for each in world.letters if each["letter"] == wanted), None)
                if letter is None:
                    raise Refusal(404, "No such dead letter: it was requeued, deleted, or past its retention.")
                return {"deadLetter": letter, "content": world.content(int(letter["id"], 16))}
            case ["audit"]:
                return self.page(world.audit, query)
        raise Refusal(404, "No such thing.")

    def page(self, items, query, **more):
        start, limit = int(query.get("cursor", "0")), int(query.get("limit", "100"))
        end = start + limit
        return {"items": items[start:end], "next": str(end) if end < len(items) else None, **more}

    def search(self, query):
        wanted = {"topic": "topic", "type": "messageType", "state": "state"}
        if query.get("topic") == "rare" and "cursor" not in query:
            return {"items": [], "next": "100", "unreachable": self.world.unreachable}
        found = [
            each
            for each in self.world.messages
            if all(query[key] == each[field] for key, field in wanted.items() if key in query)
        ]
        found = [each for each in found if query.get("from", "") <= each["acceptedAt"] < query.get("before", "9")]
        if query.get("order") == "newest":
            found.reverse()
        return self.page(found, query, unreachable=self.world.unreachable)

    def matching(self, wanted):
        return [
            each
            for each in self.world.letters
            if all(wanted[key] == each[key] for key in ("topic", "group", "reason") if key in wanted)
            and wanted.get("from", "") <= each["diedAt"] < wanted.get("before", "9")
        ]

    def acted_on(self, wanted):
        """As the broker has it: undecided half messages only where they are asked for."""
        return [each for each in self.matching(wanted) if "reason" in wanted or each["reason"] != "undecided"]

    def act(self, parts, body, name, remote):
        world = self.world
        match parts:
            case ["groups", group, "pause"]:
                world.groups[group].update(isPaused=True, pause={"at": ago(0), "by": name, "reason": body["reason"]})
                result = {"done": f"Group {group} is paused."}
            case ["groups", group, "resume"]:
                world.groups[group].update(isPaused=False, pause=None)
                result = {"done": f"Group {group} goes on."}
            case ["transactions", wanted, ("commit" | "rollback") as decision]:
                if not any(each["id"] == wanted for each in world.transactions):
                    raise Refusal(409, "It is decided already.")
                world.transactions = [each for each in world.transactions if each["id"] != wanted]
                result = {"done": f"Message {wanted} is {'committed' if decision == 'commit' else 'rolled back'}."}
            case ["dead-letters", ("requeue" | "delete")]:
                result = self.settle(body)
            case ["broker", "drain"]:
                world.state = "draining"
                result = {"done": "This broker drains."}
            case ["broker", "reload"]:
                result = {"applied": ["log.level: info -> debug"], "needsRestart": ["broker.bind"]}
            case _:
                raise Refusal(404, "No such act.")
        world.audit.insert(
            0,
            {
                "id": str(len(world.audit)),
                "at": ago(0),
                "actor": name,
                "role": "operate",
                "remote": remote,
                "action": "/".join(parts[-1:]),
                "target": "/".join(parts[:-1]),
                "detail": (body or {}).get("reason", ""),
                "outcome": "done",
            },
        )
        return 202 if parts[-1] == "drain" else 200, result

    def settle(self, body):
        world = self.world
        if "letters" in body:
            there = {each["letter"] for each in world.letters}
            wanted = set(body["letters"])
            skipped = [
                {"letter": each, "reason": "It is there no more."} for each in body["letters"] if each not in there
            ]
        else:
            wanted = {each["letter"] for each in self.acted_on(body["filter"])}
            if self.counted is None and len(wanted) != body["count"]:
                raise Refusal(
                    409, f"{len(wanted)} match now, not {body['count']}. Nothing was done.", count=len(wanted)
                )
            skipped = []
        kept = [each for each in world.letters if each["letter"] not in wanted]
        done = len(world.letters) - len(kept)
        world.letters = kept
        return {"done": done, "skipped": skipped}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fixture: FixtureServer

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.respond("GET")

    def do_POST(self):
        self.respond("POST")

    def respond(self, method):
        path = urlsplit(self.path).path
        if path.startswith("/api/v1/"):
            self.api(method, path)
        elif path == "/console":
            self.reply(308, b"", "text/plain", {"Location": "/console/"})
        else:
            self.static(path)

    def static(self, path):
        name = path.removeprefix("/console/") or "index.html"
        file = CONSOLE / name
        if "/" in name or name.startswith(".") or not file.is_file():
            self.reply(404, b"not found", "text/plain")
            return
        self.reply(
            200,
            file.read_bytes(),
            TYPES[file.suffix],
            {
                "Content-Security-Policy": POLICY,
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "no-referrer",
                # The broker says no-cache. Tests open many pages.
                "Cache-Control": "max-age=3600",
            },
        )

    def api(self, method, path):
        fixture = self.fixture
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        kind = path.removeprefix("/api/v1/").split("/")[0]
        with fixture.lock:
            fixture.requests.append((method, self.path, raw.decode(), dict(self.headers)))
            # A reset meanwhile puts another in its place.
            under_way = fixture.under_way
            under_way[path] = under_way.get(path, 0) + 1
            fixture.most_under_way[path] = max(fixture.most_under_way.get(path, 0), under_way[path])
            pause = fixture.delay.get(kind, 0)
        time.sleep(pause)
        query = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
        content_type = "application/json"
        with fixture.lock:
            try:
                status, answer = fixture.answer(
                    method,
                    path,
                    query,
                    json.loads(raw) if raw else {},
                    self.headers.get("Authorization"),
                    self.client_address[0],
                )
            except Refusal as refusal:
                status, answer, content_type = refusal.problem["status"], refusal.problem, "application/problem+json"
            data = json.dumps(answer).encode()
            fixture.contract.check(method, self.path, raw, status, content_type, data)
            under_way[path] -= 1
        self.reply(status, data, content_type, {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})

    def reply(self, status, data, content_type, headers=None):
        try:
            self.send_response(status)
            for key, value in {
                "Content-Type": content_type,
                "Content-Length": str(len(data)),
                **(headers or {}),
            }.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # The page was left before its answer came.


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8089)
    parser.add_argument("--scenario", choices=["calm", "trouble", "hostile"], default="trouble")
    parser.add_argument("--no-token", action="store_true", help="let anonymous readers in")
    arguments = parser.parse_args()
    with FixtureServer(arguments.scenario, arguments.port) as server:
        server.anonymous = "read" if arguments.no_token else None
        print(f"{server.url} (tokens: reader, operator, counter, team)", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
