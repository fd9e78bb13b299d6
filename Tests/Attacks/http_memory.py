#!/usr/bin/env python3
"""Requests of one group that are meant to fill the broker's memory, and connections that keep its probe from an answer.

    http_memory.py KITEQ

60 connections with bodies of 16 MiB that never end; 60 with 2.9 MiB, as many as there may be; JSON of many small values; pulls whose answers are not
read; then 400 connections that ask nothing. Resident memory is what the broker's own /metrics says.
"""

import base64
import json
import socket
import sys
import time

from broker import running

REGISTRY = "bindings:\n  - {groupIds: [s-member], topic: trade, messageType: paid, bindType: direct}\n"
CONNECTIONS = 60


def connect(at):
    return socket.create_connection(at, timeout=10)


def head(path, length, group="p-one"):
    basic = base64.b64encode(f"{group}:x".encode()).decode()
    return (
        f"POST /api/v1/{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {basic}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def answer(connection):
    """The status, or what went wrong."""
    try:
        return connection.recv(64).split(b" ")[1].decode()
    except (OSError, IndexError) as error:
        return type(error).__name__


def get(at, path):
    with connect(at) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        pieces = []
        while piece := connection.recv(1 << 16):
            pieces.append(piece)
    return b"".join(pieces).decode()


def memory(at):
    for line in get(at, "/metrics").splitlines():
        if line.startswith("process_resident_memory_bytes "):
            return f"{int(float(line.split()[1])) >> 20} MiB"
    return "?"


def hold(at, body, length):
    """As many connections as there are, each with a body that lacks its end."""
    held = []
    for _ in range(CONNECTIONS):
        connection = connect(at)
        held.append(connection)
        try:
            connection.sendall(head("publish", length) + body)
        except OSError:
            # It was refused, and is read no more.
            pass
    return held


def close(held):
    for connection in held:
        connection.close()


def message(text):
    return json.dumps({"messages": [{"topic": "trade", "messageType": "paid", "text": text}]}).encode()


def publish(at, body):
    with connect(at) as connection:
        connection.settimeout(60)
        try:
            connection.sendall(head("publish", len(body)) + body)
        except OSError:
            # The answer may be there all the same.
            pass
        return answer(connection)


def main():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        at = free.getsockname()
    with running(sys.argv[1], REGISTRY, options=["--admin", f"127.0.0.1:{at[1]}"]):
        print(f"at rest: {memory(at)}")
        for size in (16 << 20, 2_900_000):
            body = message("x" * (size - 1000))
            held = hold(at, body[:-1], len(body))
            time.sleep(1)
            during = memory(at)
            close(held)
            time.sleep(2)
            print(f"{CONNECTIONS} bodies of {size / 2**20:.1f} MiB that lack their end: {during}, two seconds after they were closed {memory(at)}")
        zeros = b"[" + b"0," * 1_400_000 + b"0]"
        status = [publish(at, zeros) for _ in range(10)]
        print(f"ten bodies of 1.4 million values, one after the other: {memory(at)} ({', '.join(sorted(set(status)))})")

        one = message("x" * 1_000_000)
        print(f"40 messages of 1 MB: {', '.join(sorted({publish(at, one) for _ in range(40)}))}; {memory(at)}")
        ask = b'{"max": 100, "wait": 2, "visibility": 1}'
        deaf = []
        for _ in range(150):
            connection = connect(at)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(head("pull", len(ask), "s-member") + ask)
            deaf.append(connection)
            time.sleep(0.1)
        print(f"150 pulls whose answers are not read: {memory(at)}")
        close(deaf)
        time.sleep(2)

        idle = []
        for _ in range(400):
            try:
                idle.append(connect(at))
            except OSError:
                break
        begin = time.monotonic()
        try:
            print(f"beside {len(idle)} connections that ask nothing: {get(at, '/healthz').split()[1]} in {time.monotonic() - begin:.2f} s")
        except (OSError, IndexError) as error:
            print(f"beside {len(idle)} connections that ask nothing: {type(error).__name__}")
        close(idle)
        print(f"at the end: {memory(at)}")


main()
