"""A client of the KiteQ protocol, as far as an attacker needs one: it greets, sends publishes, and takes what is answered."""

import os
import socket
import struct

HEAD = struct.Struct(">IBhqi")  # opaque, command, version, extension, body length
CONN_META, CONN_AUTH, STORE_ACK, DELIVER_ACK, TX_ACK, STRING_MESSAGE = 0x02, 0x03, 0x04, 0x05, 0x06, 0x12


def varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(data):
    """{number: value}, the last of each."""
    out, at = {}, 0

    def number():
        nonlocal at
        shift = value = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    while at < len(data):
        tag = number()
        if tag & 7 == 0:
            out[tag >> 3] = number()
        else:
            size = number()
            out[tag >> 3] = data[at : at + size]
            at += size
    return out


class Client:
    """One connection that is let in as a group."""

    def __init__(self, address, group, secret="", timeout=60, source=None, waits=True):
        """`source` is the address to come from. Without `waits` it sends its greeting and does not ask what came of it."""
        self.group = group
        self.socket = socket.create_connection(address, timeout, (source, 0) if source else None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.send(CONN_META, field(1, group) + field(2, secret))
        if not waits:
            return
        command, _, body = self.next()
        if command != CONN_AUTH or not fields(body).get(1, 1):
            raise ConnectionRefusedError(fields(body).get(2, b"").decode())

    def send(self, command, body, opaque=1):
        self.socket.sendall(HEAD.pack(opaque, command, 0, 0, len(body)) + body)

    def next(self):
        """(command, opaque, body)"""
        while True:
            if len(self.buffer) >= HEAD.size:
                opaque, command, _, _, length = HEAD.unpack_from(self.buffer)
                if len(self.buffer) >= HEAD.size + length:
                    body = self.buffer[HEAD.size : HEAD.size + length]
                    self.buffer = self.buffer[HEAD.size + length :]
                    return command, opaque, body
            more = self.socket.recv(1 << 16)
            if not more:
                raise ConnectionResetError("closed by the broker")
            self.buffer += more

    def publish(self, topic, message_type, body="x", opaque=1, message_id=None, group=None, commit=1):
        """Sends, and does not wait. `group` is what the header says; `commit` 0 makes a half message."""
        header = (
            field(1, message_id or os.urandom(16).hex()) + field(2, topic) + field(3, message_type) + field(4, -1)
            + field(5, 100) + field(6, group or self.group) + field(7, commit) + field(8, 0)
        )  # fmt: skip
        self.send(STRING_MESSAGE, field(1, header) + field(2, body), opaque)

    def acknowledged(self, topic, message_type, **publish):
        """Publishes, and waits for the store ack: (status, feedback)."""
        self.publish(topic, message_type, **publish)
        while True:
            command, _, body = self.next()
            if command == STORE_ACK:
                ack = fields(body)
                return bool(ack.get(2, 1)), ack.get(3, b"").decode()

    def close(self):
        self.socket.close()
