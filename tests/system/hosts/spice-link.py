#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""spice-link.py PORT PATH: connect to a WebSocket on this machine, request the main channel of SPICE, and
print the first four bytes of the answer."""

import os
import socket
import struct
import sys

port, path = int(sys.argv[1]), sys.argv[2]
s = socket.create_connection(("127.0.0.1", port), timeout=20)
s.sendall(
    f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: binary\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
)
head = b""
while not head.endswith(b"\r\n\r\n"):
    byte = s.recv(1)
    assert byte, head
    head += byte
assert head.startswith(b"HTTP/1.1 101"), head

# Magic, version 2.2, size; connection 0, main channel 1, number 0, one word of common capabilities at the end
link = struct.pack("<IBBIIII", 0, 1, 0, 1, 0, 18, 1 << 3)
message = b"REDQ" + struct.pack("<III", 2, 2, len(link)) + link
mask = os.urandom(4)
s.sendall(bytes([0x82, 0x80 | len(message)]) + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(message)))


def exactly(n):
    data = b""
    while len(data) < n:
        piece = s.recv(n - len(data))
        assert piece, data
        data += piece
    return data


first, length = exactly(2)
assert first == 0x82, first
if length == 126:
    (length,) = struct.unpack(">H", exactly(2))
print(exactly(length)[:4].decode())
