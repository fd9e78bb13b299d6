#!/usr/bin/env python3
"""Ids that somebody took first, and headers that name another sender: what becomes of the other's messages.

    squat.py KITEQ

s-feed may publish to feed and trade, s-pay to trade. The one publishes under ids that the other is about to use, and in its name.
"""

import os
import socket
import sys
import time

from broker import running
from wire import DELIVER_ACK, STRING_MESSAGE, TX_ACK, Client, field, fields

GROUPS = {"s-feed": ("feed", "trade"), "s-pay": ("trade",), "s-reader": ()}
MESSAGES = 100


def groups_file():
    entries = []
    for group, topics in GROUPS.items():
        listed = ", ".join(f'"{topic}"' for topic in topics)
        subscribe = '["trade", "feed"]' if group == "s-reader" else "[]"
        entries.append(f'[groups.{group}]\nsecret = "plain:{group}"\npublish = [{listed}]\nsubscribe = {subscribe}\n')
    return "".join(entries)


def header_of(body):
    header = fields(fields(body)[1])
    return header[1].decode(), header[6].decode()


def decide(client, message_id, topic, status):
    header = field(1, message_id) + field(2, topic) + field(3, "paid") + field(4, -1) + field(5, 100)
    header += field(6, client.group) + field(7, 0) + field(8, 0)
    client.send(TX_ACK, field(1, header) + field(2, status) + field(3, ""))


def received(reader, seconds=2):
    """{id: (sender, body)} of what comes, each acknowledged."""
    got, end = {}, time.monotonic() + seconds
    while time.monotonic() < end:
        reader.socket.settimeout(max(0.01, end - time.monotonic()))
        try:
            command, opaque, body = reader.next()
        except socket.timeout:
            break
        if command != STRING_MESSAGE:
            continue
        message_id, sender = header_of(body)
        got[message_id] = (sender, fields(body)[2].decode())
        ack = field(1, message_id) + field(2, "trade") + field(3, "paid") + field(4, sender) + field(5, 1)
        reader.send(DELIVER_ACK, ack, opaque)
    return got


def questions(client, message_id, seconds):
    """How often it is asked about a half message."""
    count, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        client.socket.settimeout(max(0.01, end - time.monotonic()))
        try:
            command, _, body = client.next()
        except socket.timeout:
            break
        if command == TX_ACK and header_of(body)[0] == message_id:
            count += 1
    client.socket.settimeout(60)
    return count


def main():
    bindings = "bindings:\n" + "".join(
        f"  - {{groupIds: [s-reader], topic: {topic}, messageType: paid, bindType: direct}}\n" for topic in ("trade", "feed")
    )
    options = ["--set", "groups.file={folder}/groups.toml", "--set", "transactions.first_check=1s"]
    files, probe = [("groups.toml", groups_file())], ("s-reader", "s-reader")
    with running(sys.argv[1], bindings, files, options, probe) as at:
        attacker, victim = (Client(at, group, group) for group in ("s-feed", "s-pay"))
        ids = [os.urandom(16).hex() for _ in range(MESSAGES)]
        for message_id in ids:
            attacker.acknowledged("trade", "paid", message_id=message_id, body="squat")
        acks = [victim.acknowledged("trade", "paid", message_id=message_id, body="mine")[0] for message_id in ids]
        reader = Client(at, "s-reader", "s-reader")
        bodies = [body for _, body in received(reader).values()]
        print(f"{MESSAGES} messages under ids that another took: {sum(acks)} acknowledged, {bodies.count('mine')} delivered")

        ids = [os.urandom(16).hex() for _ in range(MESSAGES)]
        for message_id in ids:
            attacker.acknowledged("feed", "paid", message_id=message_id, body="squat", commit=0)
            decide(attacker, message_id, "feed", 1)
        received(reader)
        acks = [victim.acknowledged("trade", "paid", message_id=message_id, body="mine", commit=0)[0] for message_id in ids]
        for message_id in ids:
            decide(victim, message_id, "trade", 1)
        bodies = [body for _, body in received(reader).values()]
        print(
            f"{MESSAGES} half messages under ids that another took, committed and done: {sum(acks)} acknowledged, "
            f"{bodies.count('mine')} delivered"
        )

        forged = [os.urandom(16).hex() for _ in range(MESSAGES)]
        for message_id in forged:
            attacker.acknowledged("trade", "paid", message_id=message_id, body="forged", commit=0, group="s-pay")
        acks = [victim.acknowledged("trade", "paid", message_id=message_id, body="mine", commit=0)[0] for message_id in forged]
        for message_id in forged:
            decide(victim, message_id, "trade", 1)
        bodies = [body for _, body in received(reader).values()]
        print(
            f"{MESSAGES} of its half messages under ids that another took in its name: {sum(acks)} acknowledged, "
            f"{bodies.count('mine')} of its own delivered, {bodies.count('forged')} of the other's"
        )

        status, feedback = attacker.acknowledged("trade", "paid", body="forged", group="s-pay")
        senders = [sender for sender, _ in received(reader).values()]
        print(f"a message in another's name: {'acknowledged' if status else f'refused ({feedback})'}, seen as from {senders}")

        asked = os.urandom(16).hex()
        attacker.acknowledged("trade", "paid", message_id=asked, body="forged", commit=0, group="s-pay")
        attacker.close()
        print(f"a half message in its name that it never sent: asked about {questions(victim, asked, 6)} times")


main()
