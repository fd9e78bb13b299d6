"""Fills a broker for scripts/api-tests.sh: seed.py URL FOLDER makes messages in every state over the API, and writes the
names and numbers of what is there to lists in FOLDER, as schemathesis reads them: most requests are to ask for what exists.
"""

import base64
import json
import os
import sys
import time
import urllib.request

TOPIC, TYPE = "trade", "paid"
# Who consumes, and who is fuzzed with; both are bound.
GROUPS = {"s-stays": "stays", "s-member": "member"}


def ask(url, path, body=None, group=None):
    """As an operator, or as a group."""
    who = (
        f"Bearer {os.environ['KITEQ_TOKEN']}"
        if group is None
        else "Basic " + base64.b64encode(f"{group}:{GROUPS[group]}".encode()).decode()
    )
    request = urllib.request.Request(
        f"{url}/api/v1/{path}",
        None if body is None else json.dumps(body).encode(),
        {"Authorization": who, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def until(condition, what):
    deadline = time.monotonic() + 60
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within a minute: {what}"
        time.sleep(0.1)
    return value


def publish(url, count, **more):
    messages = [{"topic": TOPIC, "messageType": TYPE, "text": f"order {n}", **more} for n in range(count)]
    outcomes = ask(url, "publish", {"messages": messages}, "s-member")["items"]
    assert all(each["outcome"] == "accepted" for each in outcomes), outcomes


def bind(url):
    for group in GROUPS:
        ask(url, "subscribe", {"bindings": [{"topic": TOPIC, "messageType": TYPE}]}, group)
    until(lambda: len(ask(url, "bindings")["items"]) == len(GROUPS), "the bindings are known")


def let_die(url, count):
    """Dead letters of both groups."""
    publish(url, count, deliverLimit=1)
    for group in GROUPS:
        left = count
        while left:
            items = ask(url, "pull", {"max": min(left, 100)}, group)["items"]
            ask(url, "refuse", {"receipts": [each["receipt"] for each in items], "reason": "poison"}, group)
            left -= len(items)
    until(
        lambda: ask(url, "dead-letters/count", {})["count"] == count * len(GROUPS), "what was refused is a dead letter"
    )


def main(url, folder):
    bind(url)
    let_die(url, 60)
    publish(url, 500)
    # Receipts to hand back: each is for the one who asks.
    receipts = ask(url, "pull", {"max": 100, "visibility": 600}, "s-member")["items"]
    halves = until(lambda: ask(url, "transactions?limit=500")["items"], "undecided messages")
    letters = ask(url, "dead-letters?limit=500")["items"]
    messages = ask(url, "messages?limit=500")["items"]
    lists = {
        "groups": GROUPS,
        "topics": [TOPIC],
        "types": [TYPE],
        "ids": [each["id"] for each in halves + letters + messages],
        "halves": [each["id"] for each in halves],
        "letters": [each["letter"] for each in letters],
        "receipts": [each["receipt"] for each in receipts],
    }
    for name, items in lists.items():
        assert items, name
        with open(os.path.join(folder, name), "w") as file:
            file.writelines(f"{json.dumps(each)}\n" for each in items)
    print(", ".join(f"{len(items)} {name}" for name, items in lists.items()), file=sys.stderr)


main(*sys.argv[1:])
