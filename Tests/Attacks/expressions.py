#!/usr/bin/env python3
"""Expressions that are meant to stop a broker: how long the publishes of others take meanwhile.

    expressions.py KITEQ

A group declares 700 patterns like (.?){990}Z7 for one topic, sends new message types, and connects and leaves in a loop. Another
publishes a type of its own to that topic and to another one, for 15 s. Starts KITEQ with a store in memory, on loopback.
"""

import sys
import threading
import time

from broker import running
from wire import Client

PATTERNS = 700
SECONDS = 15


def registry():
    lines = ["bindings:"]
    for topic in ("trade", "feed"):
        lines.append(f'  - {{ groupIds: ["s-good"], topic: "{topic}", messageType: "paid" }}')
    for number in range(PATTERNS):
        lines.append(
            f'  - {{ groupIds: ["s-greedy"], topic: "trade", messageType: "(.?){{990}}Z{number}", bindType: "regx" }}'
        )
    return "\n".join(lines) + "\n"


def attack(at, stop, counts):
    client = Client(at, "p-greedy", timeout=120)
    while not stop.is_set():
        client.publish("trade", "x" * 240 + str(counts["published"]))
        client.next()
        counts["published"] += 1


def flap(at, stop, counts):
    while not stop.is_set():
        Client(at, "s-greedy", timeout=120).close()
        counts["connected"] += 1


def measure(at, topic, stop, times):
    client = Client(at, "p-good", timeout=120)
    while not stop.is_set():
        begin = time.monotonic()
        client.acknowledged(topic, "paid")
        times.append(time.monotonic() - begin)
        time.sleep(0.005)


def until_the_end(work, stop, *arguments):
    """What the broker's end breaks off says nothing."""
    try:
        work(*arguments)
    except OSError:
        if not stop.is_set():
            raise


def main():
    with running(sys.argv[1], registry()) as at:
        stop, counts = threading.Event(), {"published": 0, "connected": 0}
        times = {"trade": [], "feed": []}
        works = [(attack, stop, at, stop, counts)] * 4 + [(flap, stop, at, stop, counts)]
        works += [(measure, stop, at, topic, stop, times[topic]) for topic in times]
        for work in works:
            threading.Thread(target=until_the_end, args=work, daemon=True).start()
        time.sleep(SECONDS)
        stop.set()
        for topic, taken in times.items():
            taken.sort()
            if taken:
                print(f"{topic}: {len(taken)} acks, median {taken[len(taken) // 2] * 1e3:.1f} ms, longest {taken[-1] * 1e3:.0f} ms")
            else:
                print(f"{topic}: no ack in {SECONDS} s")
        print(f"the attacker: {counts['published']} publishes answered, {counts['connected']} times connected and left")


main()
