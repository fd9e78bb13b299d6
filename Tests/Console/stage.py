"""A real broker with real traffic, for the tests and for the screenshots. All on loopback, all ended by id."""

import base64
import json
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

TOPICS = ["orders", "payments", "mail"]
HOSTILE = '<img src=x onerror="window.hurt=1">'


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Stage:
    """`with Stage(kiteq, folder) as stage`. Groups: billing and ledger consume, search-index stopped, mailer refuses all."""

    def __init__(self, kiteq, folder):
        self.kiteq, self.folder = kiteq, Path(folder)
        self.address, self.admin = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        self.url = f"http://{self.admin}/console/"
        self.processes = []
        self.broker = None
        self.tokens = {}
        self.is_over = threading.Event()

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.is_over.set()
        for process in reversed(self.processes):
            self.end(process)

    # ---- processes

    def start(self):
        """`kiteq dev` has the database, the tables and a first broker; the one that is looked at is a `kiteq serve` with tokens."""
        entries = [self.make_token("oncall", "operate"), self.make_token("nightwatch", "read")]
        tokens = self.folder / "tokens.toml"
        tokens.write_text("\n\n".join(entries) + "\n")
        tokens.chmod(0o600)
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        first, first_admin, database = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}", free_port()
        (data / "registry.yaml").write_text(self.registry(first))
        topics = ",".join(TOPICS)
        dev = self.run(
            "dev",
            "--data",
            str(data),
            "--bind",
            first,
            "--admin",
            first_admin,
            "--mysql-port",
            str(database),
            "--topics",
            topics,
        )
        self.wait_until(lambda: self.is_ready(dev, first_admin), "the first broker is ready", 120)
        self.broker = self.run(
            "serve",
            "--bind",
            self.address,
            "--admin",
            self.admin,
            "--name",
            "kite-1",
            "--topics",
            topics,
            "--store",
            f"mysql://root@127.0.0.1:{database}/kite?shards=4",
            "--registry",
            f"file://{data}/registry.yaml",
            "--set",
            f"admin.tokens_file={tokens}",
            "--set",
            "transactions.first_check=2s",
            "--log-level",
            "warning",
        )
        self.wait_until(lambda: self.is_ready(self.broker, self.admin), "the broker is ready", 60)

    def make_token(self, name, role):
        lines = subprocess.run(
            [self.kiteq, "token", "make", "--name", name, "--role", role], check=True, capture_output=True, text=True
        ).stdout.splitlines()
        self.tokens[role] = lines[0]
        return "\n".join(lines[1:])

    def registry(self, other):
        def binding(group, topic, kind, message_type=""):
            typed = f"\n    messageType: {json.dumps(message_type)}" if message_type else ""
            return f"  - groupIds: [{json.dumps(group)}]\n    topic: {json.dumps(topic)}\n    bindType: {json.dumps(kind)}{typed}"

        bindings = [
            binding("billing", "orders", "fanout"),
            binding("search-index", "orders", "fanout"),
            binding("ledger", "payments", "regx", "^(paid|reserve)"),
            binding("mailer", "mail", "direct", "welcome"),
        ]
        return (
            "brokers:\n"
            + "".join(
                f"  - address: {json.dumps(each)}\n    topics: [{', '.join(TOPICS)}]\n"
                for each in (self.address, other)
            )
            + "\nbindings:\n"
            + "\n".join(bindings)
            + "\n"
        )

    def run(self, *arguments, feed=False):
        log = (self.folder / f"{len(self.processes)}-{arguments[0]}.log").open("w")
        process = subprocess.Popen(
            [self.kiteq, *arguments],
            stdin=subprocess.PIPE if feed else subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.processes.append(process)
        return process

    def end(self, process):
        if process.stdin:
            try:
                process.stdin.close()
            except BrokenPipeError:
                pass
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def is_ready(self, process, admin):
        if process.poll() is not None:
            logs = "\n".join(log.read_text()[-1500:] for log in sorted(self.folder.glob("*.log")))
            raise AssertionError(f"it ended with {process.returncode}: {logs}")
        try:
            with urllib.request.urlopen(f"http://{admin}/readyz", timeout=10) as answer:
                return answer.status == 200
        except OSError:
            return False

    @staticmethod
    def wait_until(condition, what, seconds=30):
        end = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > end:
                raise AssertionError(f"not within {seconds} s: {what}")
            time.sleep(0.1)

    # ---- the API

    def api(self, method, path, body=None, role="operate", group=None):
        """(status, answer)."""
        authorization = (
            f"Bearer {self.tokens[role]}"
            if group is None
            else "Basic " + base64.b64encode(f"{group}:".encode()).decode()
        )
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://{self.admin}/api/v1/{path}",
            data,
            {"Authorization": authorization, "Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            text = error.read().decode()
            return error.code, json.loads(text) if text.startswith("{") else text

    def publish(self, *messages, group="shop"):
        status, answer = self.api("POST", "publish", {"messages": list(messages)}, group=group)
        assert status == 200 and all(each["stored"] for each in answer["items"]), (status, answer)
        return [each["id"] for each in answer["items"]]

    # ---- traffic

    def consume(self, group, topic, *how):
        return self.run("consume", "--brokers", self.address, "--group", group, "--topic", topic, *how)

    def begin_traffic(self):
        """Consumers, a publisher that goes on, one group that has stopped, one that refuses, publishers that forgot."""
        self.consume("billing", "orders", "--fanout")
        self.consume("billing", "orders", "--fanout")
        self.consume("ledger", "payments", "--regx", "^(paid|reserve)")
        self.consume("mailer", "mail", "--type", "welcome", "--fail")
        stopped = self.consume("search-index", "orders", "--fanout")
        self.wait_until(lambda: self.api("GET", "overview")[1]["queues"]["groups"] >= 4, "the groups are here")
        self.publish(*[self.order(number) for number in range(20)])
        self.wait_until(
            lambda: self.api("GET", "groups/search-index")[1]["totals"]["acknowledged"] > 0, "search-index consumed"
        )
        self.end(stopped)
        for number in range(3):
            forgotten = self.run(
                "publish",
                "--brokers",
                self.address,
                "--topic",
                "payments",
                "--type",
                "reserve",
                "--group",
                "checkout",
                "--half",
                "--forget",
                json.dumps({"order": 7000 + number, "amount": "19.90"}),
            )
            self.wait_until(lambda: forgotten.poll() is not None, "the half message was sent")
        self.publish(
            *[
                {
                    "topic": "mail",
                    "messageType": "welcome",
                    "text": json.dumps({"to": f"customer-{number}@example.org"}),
                    "deliverLimit": 2,
                    "properties": {"template": "welcome"},
                }
                for number in range(12)
            ]
        )
        self.publish(
            {
                "topic": "payments",
                "messageType": "paid",
                "text": json.dumps({"order": 1234, "amount": "19.90", "currency": "EUR"}),
                "properties": {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
            }
        )
        threading.Thread(target=self.go_on, daemon=True).start()
        self.wait_until(lambda: self.api("GET", "dead-letters")[1]["items"], "what is refused dies", 60)

    @staticmethod
    def order(number):
        return {
            "topic": "orders",
            "messageType": "created",
            "text": json.dumps({"order": number, "lines": [{"sku": "K-1", "count": 2}]}),
            "properties": {"tenant": "north"},
        }

    def go_on(self):
        """About 200 messages a second through `kiteq publish`, more and less by turns."""
        publishers = [
            self.run(
                "publish",
                "--brokers",
                self.address,
                "--topic",
                topic,
                "--type",
                kind,
                "--group",
                "shop",
                "-",
                feed=True,
            )
            for topic, kind in (("orders", "created"), ("payments", "paid"))
        ]
        number = 0
        while not self.is_over.wait(0.1):
            for index, publisher in enumerate(publishers):
                burst = 12 + (number // 120 % 3) * 8
                try:
                    publisher.stdin.write(
                        "".join(
                            f'{{"order": {number * 100 + each}}}\n'
                            for each in range(burst if index == 0 else burst // 3)
                        )
                    )
                    publisher.stdin.flush()
                except (BrokenPipeError, ValueError):
                    return
            number += 1
