"""What the fixture server knows: a small system that is well, or in trouble, or hostile. Acts change it."""

import base64
import math
import time
from datetime import datetime, timezone

HOSTILE = '<img src=x onerror="window.hurt=1">'
HOSTILE_SCRIPT = "</pre><script>window.hurt=1</script><svg onload='window.hurt=1'>"


def stamp(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ago(seconds):
    return stamp(time.time() - seconds)


def counted(count, is_at_least=False):
    return {"count": count, "isAtLeast": is_at_least}


def message_id(number):
    return f"{number:032x}"


class World:
    """`scenario` is calm, trouble or hostile. Tests may change any field under way; `lock` is the server's."""

    def __init__(self, scenario="calm"):
        self.scenario = scenario
        self.started = time.time() - 3 * 86400
        self.state = "serving"
        self.audit = []
        self.health = []
        self.unreachable = []
        names = {
            "calm": ["billing", "ledger", "mail/outgoing"],
            "trouble": ["billing", "ledger", "mail/outgoing", "search-index"],
            "hostile": [HOSTILE, "a‮gnillib", "x" * 255, "' OR 1=1 --", "ledger"],
        }[scenario]
        self.groups = {name: self.group(name, index) for index, name in enumerate(names)}
        self.topics = ["orders", "payments", HOSTILE if scenario == "hostile" else "mail"]
        self.messages = [self.message(number) for number in range(1, 251)]
        self.letters = [self.letter(number) for number in range(1, 1 if scenario == "calm" else 231)]
        self.transactions = [] if scenario == "calm" else [self.transaction(number) for number in range(9001, 9004)]
        if scenario == "trouble":
            self.make_trouble()

    def make_trouble(self):
        self.unreachable = [{"shard": 1, "reason": "Can't connect to server on '10.0.0.12:3306' (110)"}]
        self.health = [
            {
                "severity": "critical",
                "subject": "shard 1",
                "text": "Shard 1 has not answered for 2 min: can't connect to server on '10.0.0.12:3306' (110).",
                "action": "See whether the server at 10.0.0.12:3306 runs and can be reached from here. Publishes for this shard wait or are refused until then.",
            },
            {
                "severity": "warning",
                "subject": "group search-index",
                "text": "Group search-index has had no client for 40 min and 100,000+ messages wait for it.",
                "action": "See whether its consumers run. If it is to stay away, take its binding back, or messages gather.",
            },
            {
                "severity": "warning",
                "subject": "dead letters",
                "text": "230 dead letters, 12 in the last hour.",
                "action": "Look at their last error, mend the consumer, and requeue them.",
            },
        ]
        self.groups["search-index"].update(
            clientsHere=0,
            brokers=[],
            inFlight=0,
            waiting=counted(100000, True),
            oldestAt=ago(2400),
            delivered=0,
            acknowledged=0,
        )
        self.groups["search-index"]["unreachable"] = self.unreachable

    def group(self, name, index):
        return {
            "group": name,
            "isPaused": False,
            "pause": None,
            "isStopped": False,
            "clientsHere": index % 3 + 1,
            "brokers": ["broker-1", "broker-2"],
            "inFlight": 12 * index,
            "queued": 40 * index,
            "waiting": counted(350 * index),
            "oldestAt": ago(4.2 * index) if index else None,
            "retrying": counted(index % 2 * 3),
            "nextRetryAt": stamp(time.time() + 45) if index % 2 else None,
            "delivered": 412.4 + index,
            "acknowledged": 411.9 + index,
            "failed": 0.04 * index,
            "totals": {"delivered": 1234567, "acknowledged": 1234501, "refused": 12, "timedOut": 3, "deadLettered": 1},
            "limits": {
                "maxConnections": 20,
                "maxRate": 500,
                "maxBytes": 0,
                "maxHalfMessages": 0,
                "maxBacklog": 100000,
            },
            "deadLetters": counted(0),
            "countedAt": ago(1.2),
            "unreachable": [],
        }

    def message(self, number):
        hostile = self.scenario == "hostile"
        return {
            "id": message_id(number),
            "topic": self.topics[number % 3],
            "messageType": HOSTILE if hostile else ["created", "paid", "sent"][number % 3],
            "publisherGroup": HOSTILE if hostile else "shop",
            "state": ["fresh", "tracked"][number % 2],
            "publishedAt": ago(5000 - number),
            "acceptedAt": ago(5000 - number - 0.004),
            "expiresAt": stamp(time.time() + 86400) if number % 4 else None,
            "deliverLimit": 25,
            "shard": number % 2,
        }

    def letter(self, number):
        hostile = self.scenario == "hostile"
        reason = ["attempts", "attempts", "expired", "undecided"][number % 4]
        return {
            "letter": f"{number % 2}:{number}",
            "id": message_id(5000 + number),
            "group": "" if reason == "undecided" else list(self.groups)[number % 2],
            "reason": reason,
            "attempts": 0 if reason == "undecided" else 25,
            "lastError": HOSTILE if hostile else "timed out after 30 s" if number % 3 else None,
            "diedAt": ago(86400 - number * 60),
            "topic": self.topics[number % 3],
            "messageType": HOSTILE if hostile else "created",
            "publisherGroup": "shop",
            "publishedAt": ago(90000 - number * 60),
        }

    def transaction(self, number):
        hostile = self.scenario == "hostile"
        return {
            "id": message_id(number),
            "topic": "payments",
            "messageType": HOSTILE if hostile else "reserve",
            "publisherGroup": HOSTILE if hostile else "checkout",
            "publishedAt": ago(1500),
            "checks": 4,
            "nextCheckAt": stamp(time.time() + 75),
            "isAskable": True,
            "shard": 0,
        }

    def content(self, number):
        if self.scenario == "hostile":
            return {
                "properties": {HOSTILE: HOSTILE_SCRIPT, "plain": "javascript:window.hurt=1"},
                "body": HOSTILE_SCRIPT + "‮" + HOSTILE,
                "encoding": "text",
                "isCut": False,
                "bodyBytes": 120,
            }
        if number % 2:
            body = base64.b64encode(bytes(range(256))).decode()
            return {"properties": {}, "body": body, "encoding": "base64", "isCut": True, "bodyBytes": 70_000}
        return {
            "properties": {"trace-id": "4bf92f3577b34da6", "tenant": "north"},
            "body": '{"order": 1234, "lines": [{"sku": "K-1", "count": 2}]}',
            "encoding": "text",
            "isCut": False,
            "bodyBytes": 120,
        }

    def overview(self):
        swing = math.sin(time.time() / 40)
        waiting = sum(group["inFlight"] for group in self.groups.values())
        return {
            "broker": {"name": "broker-1", "address": "10.0.0.5:13800", "incarnation": "7f3a90c1", "state": self.state},
            "version": "1.4.0",
            "startedAt": stamp(self.started),
            "now": stamp(time.time()),
            "health": self.health,
            "rates": {
                "published": 830 + 120 * swing,
                "delivered": 1650 + 230 * swing,
                "acknowledged": 1648 + 228 * swing,
                "failed": 0.4,
            },
            "totals": {
                "published": 214983211,
                "refused": 12,
                "delivered": 429966422,
                "acknowledged": 429960000,
                "failedDeliveries": 6422,
                "deadLettered": len(self.letters),
                "committed": 4411,
                "rolledBack": 12,
            },
            "queues": {
                "awaitingStore": 3,
                "inFlight": waiting,
                "queued": 120,
                "unflushed": 17,
                "connections": 7,
                "groups": len(self.groups),
            },
            "memory": {"messages": 1311, "bytes": 4211000},
            "leases": [
                {"shard": 0, "remaining": 8.4},
                {"shard": 1, "remaining": -3 if self.scenario == "trouble" else 8.1},
            ],
        }

    def history(self, start, end, step):
        items = []
        at = math.floor(start / step) * step
        while at < end:
            day = 1 + 0.8 * math.sin(at / 86400 * 2 * math.pi)
            published = int(800 * step * day * min(1, (end - at) / step))
            items.append(
                {
                    "at": stamp(at),
                    "published": published,
                    "delivered": 2 * published,
                    "acknowledged": 2 * published,
                    "deadLettered": 3 if self.letters and int(at / step) % 9 == 0 else 0,
                }
            )
            at += step
        return {"step": step, "items": items}

    def brokers(self):
        def broker(name, state, is_this, seconds):
            leases = [] if state == "gone" else [{"shard": 0, "remaining": seconds}, {"shard": 1, "remaining": seconds}]
            return {
                "name": name,
                "address": f"{name}:13800",
                "incarnation": f"{name}-7f3a",
                "state": state,
                "joinedAt": ago(86400),
                "isThis": is_this,
                "leases": leases,
                "groups": list(self.groups) if state == "alive" else [],
            }

        items = [
            broker("broker-1", "alive", True, 8.4),
            broker("broker-2", "alive", False, 7.7),
            broker("broker-0", "gone", False, 0),
        ]
        if self.scenario == "trouble":
            items.append(broker("broker-3", "dead", False, -40))
        return {"items": items, "unreachable": self.unreachable}

    def shards(self):
        items = []
        for shard in (0, 1):
            lost = next((each for each in self.unreachable if each["shard"] == shard), None)
            if lost:
                items.append(
                    {
                        "shard": shard,
                        "isReachable": False,
                        "reason": lost["reason"],
                        "server": None,
                        "database": None,
                        "answerTime": None,
                        "counts": None,
                        "deadLetters": None,
                        "estimatedRows": None,
                        "bytes": None,
                        "historyListLength": None,
                        "oldestAt": None,
                        "pool": {"open": 4, "idle": 0, "waiting": 21, "limit": 6, "failedConnects": 37},
                        "unflushed": 412,
                    }
                )
                continue
            items.append(
                {
                    "shard": shard,
                    "isReachable": True,
                    "reason": None,
                    "server": "MariaDB 11.4.2",
                    "database": f"kiteq_{shard}",
                    "answerTime": 0.0011,
                    "counts": {
                        "half": counted(len(self.transactions)),
                        "fresh": counted(100000, True),
                        "tracked": counted(8123),
                    },
                    "deadLetters": counted(len(self.letters)),
                    "estimatedRows": 143210,
                    "bytes": 211_000_000,
                    "historyListLength": 311,
                    "oldestAt": ago(5000),
                    "pool": {"open": 8, "idle": 5, "waiting": 0, "limit": 8, "failedConnects": 0},
                    "unflushed": 17,
                }
            )
        return {"items": items, "at": ago(2)}

    def topic_list(self):
        items = [
            {
                "topic": topic,
                "isServed": topic != "mail",
                "published": 410.2 - index * 100,
                "delivered": 820.4,
                "acknowledged": 819.8,
                "total": 1_234_567 * (index + 1),
                "half": 0,
                "fresh": 1200,
                "tracked": 40 * index,
            }
            for index, topic in enumerate(self.topics)
        ]
        return {
            "items": items,
            "countedAt": ago(4),
            "counted": 40_000,
            "isExact": self.scenario == "calm",
            "unreachable": self.unreachable,
        }

    def bindings(self):
        return [
            {
                "topic": self.topics[index % 3],
                "group": group,
                "messageType": ["created", "^pay.*", ""][index % 3],
                "kind": ["direct", "regx", "fanout"][index % 3],
                "watermark": 5000,
                "persistent": index % 2 == 0,
            }
            for index, group in enumerate(self.groups)
        ]

    def connections(self):
        return [
            {
                "id": f"{index:08x}",
                "group": group,
                "peer": f"10.0.1.{index}:51{index:03}",
                "since": ago(4000 + index),
                "inFlight": index,
                "protocol": ["tcp", "tls"][index % 2],
                "published": 1000 * index,
                "isHeldBack": index == 3,
            }
            for index, group in enumerate(list(self.groups) * 3)
        ]

    def configuration(self):
        return {
            "items": [
                {"key": key, "value": value, "source": source}
                for key, value, source in [
                    ("admin.address", "127.0.0.1:8080", "kiteq.toml"),
                    ("broker.bind", "0.0.0.0:13800", "kiteq.toml"),
                    ("broker.name", "broker-1", "--name"),
                    ("store.password", "(hidden)", "KITEQ_STORE_PASSWORD"),
                    (
                        "store.url",
                        HOSTILE if self.scenario == "hostile" else "mysql://kiteq@10.0.0.11/kiteq",
                        "kiteq.toml",
                    ),
                    ("log.level", "info", "default"),
                ]
            ]
        }

    def story(self, wanted):
        message = next((each for each in self.messages if each["id"] == wanted), None)
        half = next((each for each in self.transactions if each["id"] == wanted), None)
        letters = [each for each in self.letters if each["id"] == wanted]
        if not (message or half or letters):
            return None
        number = int(wanted, 16)
        if half:
            message = {
                **self.message(number),
                "topic": half["topic"],
                "messageType": half["messageType"],
                "publisherGroup": half["publisherGroup"],
                "state": "half",
            }
        names = list(self.groups)
        hostile = self.scenario == "hostile"
        return {
            "message": message,
            "content": self.content(number) if message or letters else None,
            "groups": (
                []
                if half or not message
                else [
                    {
                        "group": names[0],
                        "state": "done",
                        "attempts": 1,
                        "broker": None,
                        "lastError": None,
                        "dueAt": None,
                    },
                    {
                        "group": names[1],
                        "state": "retrying",
                        "attempts": 3,
                        "broker": "broker-1",
                        "lastError": HOSTILE if hostile else "refused: the ledger is closed",
                        "dueAt": stamp(time.time() + 30),
                    },
                ]
            ),
            "transaction": (
                {"outcome": "undecided", "checks": 4, "nextCheckAt": stamp(time.time() + 75), "decidedAt": None}
                if half
                else None
            ),
            "deadLetters": letters,
            "events": [
                {"at": ago(900), "text": HOSTILE if hostile else "Accepted by broker-1, shard 0", "isExpected": False},
                {"at": ago(899.9), "text": f"Delivered to {names[0]}, attempt 1", "isExpected": False},
                {"at": ago(899.5), "text": f"Acknowledged by {names[0]}", "isExpected": False},
                {"at": ago(870), "text": f"Refused by {names[1]}, attempt 3", "isExpected": False},
                {"at": stamp(time.time() + 30), "text": f"Delivered to {names[1]}, attempt 4", "isExpected": True},
            ],
        }
