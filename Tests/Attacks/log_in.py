#!/usr/bin/env python3
"""Greetings that are meant to keep others out: how long the log-ins of others take meanwhile.

    log_in.py KITEQ

One group's secret has 600,000 rounds. From one address come 300 greetings with wrong secrets, closed at once; then the same in names that
nobody knows, kept open. From another address a group of 10,000 rounds logs in, with a connection of its own each time.
"""

import hashlib
import os
import sys
import time

from broker import running
from wire import Client

GREETINGS = 300


def hashed(secret, rounds):
    salt = os.urandom(16)
    return f"pbkdf2-sha256:{rounds}:{salt.hex()}:{hashlib.pbkdf2_hmac('sha256', secret.encode(), salt, rounds).hex()}"


def log_in(at, number):
    """Seconds until a client that was never let in before is let in."""
    begin = time.monotonic()
    while time.monotonic() - begin < 120:
        try:
            Client(at, f"s-good-{number}", "right", timeout=120, source="127.0.0.3").close()
            return f"{time.monotonic() - begin:.2f} s"
        except OSError:
            # It was told to come again.
            time.sleep(0.1)
    return "not within 120 s"


def main():
    groups = f"""[groups.dear]\nsecret = "{hashed('dear', 600_000)}"\n"""
    for number in range(10):
        groups += f"""[groups.s-good-{number}]\nsecret = "{hashed('right', 10_000)}"\n"""
    options = ["--set", "groups.file={folder}/groups.toml"]
    with running(sys.argv[1], "bindings: []\n", [("groups.toml", groups)], options, ("s-good-0", "right")) as at:
        print(f"with nobody else: {log_in(at, 1)}")
        for number in range(GREETINGS):
            Client(at, "dear", f"wrong {number}", source="127.0.0.2", waits=False).close()
        print(f"after {GREETINGS} greetings that were closed at once: {log_in(at, 2)}")
        time.sleep(1)
        kept = [Client(at, f"nobody-{number}", "wrong", source="127.0.0.2", waits=False) for number in range(GREETINGS)]
        print(f"beside {GREETINGS} greetings of unknown groups: {log_in(at, 3)}, the next {log_in(at, 4)}")
        for client in kept:
            client.close()


main()
