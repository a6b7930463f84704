#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clients of a TLS port that begin and then wait.

v1-slow-clients.py PORT KIND COUNT FILE [KEY]: KIND is "handshake" (a part of a ClientHello), "silent" (nothing
at all) or "body" (TLS, the header of a request with a body, and a byte of it). Writes "ready N" to FILE when all
are there, then "closed N" each second until all have been closed by the server, and "end".
"""

import os
import selectors
import socket
import ssl
import sys
import time

port, kind, count, path = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
key = sys.argv[5] if len(sys.argv) > 5 else ""
# The first 40 bytes of a ClientHello of 512.
HELLO = bytes.fromhex("16030102000100 01fc0303".replace(" ", "")) + bytes(range(29))
selector = selectors.DefaultSelector()
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE


def say(text):
    with open(path, "a", encoding="ascii") as f:
        f.write(text + "\n")


def body_client(s):
    t = context.wrap_socket(s, do_handshake_on_connect=True)
    t.sendall((f"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\nContent-Length: 1000\r\n\r\n"
               "{").encode())
    t.setblocking(False)
    return t


closed = 0
for i in range(count):
    # a source port for each, also with more than 28,000
    s = socket.socket()
    s.bind((f"127.0.0.{2 + i % 200}", 0))
    s.connect(("127.0.0.1", port))
    try:
        if kind == "body":
            s = body_client(s)
        else:
            if kind == "handshake":
                s.sendall(HELLO)
            s.setblocking(False)
    except (ssl.SSLError, OSError):
        closed += 1
        s.close()
        continue
    selector.register(s, selectors.EVENT_READ)
say(f"ready {count - closed}")
told = time.monotonic()
while len(selector.get_map()) > 0:
    for event, _ in selector.select(1):
        s = event.fileobj
        try:
            data = s.recv(65536)
        except (ssl.SSLWantReadError, BlockingIOError):
            continue
        except (ssl.SSLError, OSError):
            data = b""
        if not data:
            selector.unregister(s)
            s.close()
            closed += 1
    if time.monotonic() > told + 1:
        told = time.monotonic()
        say(f"closed {closed}")
say(f"closed {closed}")
say("end")
