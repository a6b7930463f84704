#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Clients of the v1 API that misbehave. v1-hostile.py WHAT ARGUMENTS…
#
#   stall NUMBER KEY FILE      so many that say half of a handshake, and a tenth of it that send one byte of a
#                              body; writes "ready" into FILE, then "closed N" when the server has closed all
#   bytes TARGET KEY NUMBER    a chunk of 256 MiB in TLS records of one byte, of which NUMBER are sent
#   certificate                a handshake with a certificate of 16 MiB; ends when the server closes
#   renegotiate NUMBER         asks for a renegotiation so often; ends when the server closes or refuses

import resource
import selectors
import socket
import ssl
import subprocess
import sys

PORT = 5080


def context() -> ssl.SSLContext:
    c = ssl.create_default_context()
    c.check_hostname = False
    c.verify_mode = ssl.CERT_NONE
    return c


def post(target: str, key: str, length: int) -> bytes:
    return (f"POST {target} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\n"
            f"Content-Length: {length}\r\n\r\n").encode()


# There is a limit for each address.
def connect(i: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", PORT), source_address=(f"127.0.{1 + i // 900}.1", 0))


def note(file: str, text: str) -> None:
    with open(file, "a", encoding="ascii") as f:
        f.write(text + "\n")


def stall(number: int, key: str, file: str) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (number + 100, number + 100))
    selector = selectors.DefaultSelector()
    for i in range(number):
        connection = connect(i)
        if i % 10 == 0:
            connection = context().wrap_socket(connection)
            connection.sendall(post("/api/v1/jobs", key, 100000) + b"{")
        else:
            connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        connection.setblocking(False)
        selector.register(connection, selectors.EVENT_READ)
    note(file, "ready")
    closed = 0
    while closed < number:
        for event, _ in selector.select():
            try:
                more = event.fileobj.recv(65536)
            except (ssl.SSLWantReadError, BlockingIOError):
                continue
            except (ConnectionError, ssl.SSLError):
                more = b""
            if not more:
                selector.unregister(event.fileobj)
                event.fileobj.close()
                closed += 1
    note(file, f"closed {closed}")


def send_bytes(target: str, key: str, number: int) -> None:
    with context().wrap_socket(socket.create_connection(("127.0.0.1", PORT))) as c:
        c.sendall(post(target, key, 256 << 20))
        for _ in range(number):
            c.sendall(b"x")


def certificate() -> None:
    with socket.create_connection(("127.0.0.1", PORT)) as c:
        c.settimeout(60)
        message = b"\x0b\xff\xff\xff" + bytes(16380)
        try:
            for _ in range(1024):
                c.sendall(b"\x16\x03\x03" + len(message).to_bytes(2, "big") + message)
            while c.recv(65536):
                pass
        except ConnectionError:
            pass


def renegotiate(number: int) -> None:
    client = subprocess.Popen(["openssl", "s_client", "-tls1_2", "-connect", f"127.0.0.1:{PORT}"],
                              stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(number):
            client.stdin.write(b"R\n")
            client.stdin.flush()
        client.wait(timeout=60)
    except BrokenPipeError:
        client.wait(timeout=60)


if sys.argv[1] == "stall":
    stall(int(sys.argv[2]), sys.argv[3], sys.argv[4])
elif sys.argv[1] == "bytes":
    send_bytes(sys.argv[2], sys.argv[3], int(sys.argv[4]))
elif sys.argv[1] == "certificate":
    certificate()
else:
    renegotiate(int(sys.argv[2]))
