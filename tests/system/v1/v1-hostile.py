#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clients of the TLS port that nobody should write: renegotiation, certificates without end, bodies in pieces.

v1-hostile.py CASE [ARGUMENTS]; exit status 1 and a line on what was expected if one goes wrong.
"""

import hashlib
import http.client
import json
import os
import random
import socket
import ssl
import struct
import subprocess
import sys
import time

ADDRESS = ("127.0.0.1", 5080)


def check(truth, *what):
    if not truth:
        print("FAILED:", *what)
        sys.exit(1)


def tls_context():
    c = ssl.create_default_context()
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    return c


def connect():
    s = tls_context().wrap_socket(socket.create_connection(ADDRESS, 60))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def request(method, path, key, body=None):
    c = http.client.HTTPSConnection(*ADDRESS, context=tls_context(), timeout=120)
    c.request(method, "/api/v1" + path, body=body, headers={"X-API-Key": key})
    r = c.getresponse()
    return r.status, json.loads(r.read() or b"{}")


def case_pieces(key, size, piece, seconds="1000"):
    """A chunk in pieces of so many bytes, each in a TLS record of its own, is right in the end. After so many
    seconds, the rest comes at once."""
    size, piece = int(size), int(piece)
    data = random.randbytes(size)
    status, upload = request("POST", "/upload/init", key, json.dumps({
        "filename": "pieces.raw", "size": size, "chunk_size": max(size, 1 << 20),
        "sha256": hashlib.sha256(data).hexdigest()}))
    check(status == 201, upload)
    s = connect()
    s.sendall((f"POST /api/v1/upload/chunk?upload_id={upload['upload_id']}&chunk_index=0 HTTP/1.1\r\n"
               f"Host: localhost\r\nX-API-Key: {key}\r\nContent-Length: {size}\r\n\r\n").encode())
    began = time.monotonic()
    at = 0
    while at < size and time.monotonic() < began + int(seconds):
        s.send(data[at:at + piece])
        at += piece
    print(f"{min(at, size)} of {size} bytes in pieces of {piece}: {time.monotonic() - began:.1f} s")
    s.sendall(data[at:])
    answer = s.recv(65536)
    check(answer.startswith(b"HTTP/1.1 200"), answer[:500])
    status, upload = request("POST", "/upload/complete", key, json.dumps({"upload_id": upload["upload_id"]}))
    check(status in (200, 202), status, upload)
    while status == 202:
        status, upload = request("GET", "/upload/status/" + upload["upload_id"], key)
        check(status == 200 and upload["status"] != "failed", upload)
        status = 200 if upload["complete"] else 202
        time.sleep(0.2)
    with open(upload["path"], "rb") as f:
        check(f.read() == data, "the file differs")
    os.unlink(upload["path"])


def case_torn(key):
    """A chunk whose client goes away is not counted, however much of it came."""
    data = random.randbytes(2 << 20)
    status, upload = request("POST", "/upload/init", key, json.dumps({
        "filename": "torn.raw", "size": len(data), "chunk_size": 1 << 20}))
    check(status == 201, upload)
    for sent in (0, 1, 4096, 500000, (1 << 20) - 1):
        s = connect()
        s.sendall((f"POST /api/v1/upload/chunk?upload_id={upload['upload_id']}&chunk_index=0 HTTP/1.1\r\n"
                   f"Host: localhost\r\nX-API-Key: {key}\r\nContent-Length: {1 << 20}\r\n\r\n").encode() + data[:sent])
        s.close()
        # the next one is refused until the server has noticed
        for _ in range(200):
            status, answer = request("GET", "/upload/status/" + upload["upload_id"], key)
            check(status == 200 and answer["received_chunks"] == [], sent, answer)
            status, answer = request(
                "POST", f"/upload/chunk?upload_id={upload['upload_id']}&chunk_index=1", key, data[1 << 20:])
            if status == 200:
                break
            check(status == 409, status, answer)
            time.sleep(0.05)
        check(status == 200, sent, status, answer)
        upload = request("DELETE", "/upload/" + upload["upload_id"], key) and request(
            "POST", "/upload/init", key,
            json.dumps({"filename": "torn.raw", "size": len(data), "chunk_size": 1 << 20}))[1]
    request("DELETE", "/upload/" + upload["upload_id"], key)


def case_renegotiation():
    """A client that renegotiates (TLS 1.2) gets nothing that way, and the server goes on."""
    p = subprocess.run(
        ["openssl", "s_client", "-connect", "127.0.0.1:5080", "-tls1_2", "-legacy_renegotiation"],
        input=b"R\n" * 20, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
    text = p.stdout.decode(errors="replace")
    check("RENEGOTIATING" in text, text[-600:])
    check(text.count("RENEGOTIATING") == 1 and ("no renegotiation" in text or "alert" in text or "error" in text),
          text[-600:])
    # of TLS 1.3: key updates in a row
    p = subprocess.run(["openssl", "s_client", "-connect", "127.0.0.1:5080", "-tls1_3"],
                       input=b"K\n" * 2000, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
    check(b"KEYUPDATE" in p.stdout, p.stdout[-600:])


def record(kind, body):
    return bytes([kind]) + b"\x03\x03" + struct.pack(">H", len(body)) + body


def case_certificates():
    """Certificates, and other handshake messages, that are said to be 16 MiB long: the server does not wait for
    them, and keeps nothing of them."""
    hello = None
    # a real ClientHello
    c = tls_context()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    o = c.wrap_bio(incoming, outgoing)
    try:
        o.do_handshake()
    except ssl.SSLWantReadError:
        hello = outgoing.read()
    message = b"\x0b\xff\xff\xff\xff\xff\xfc" + b"\x00\xff\xff\xff" * 4000  # Certificate
    sockets = []
    for first in (b"", hello):
        for kind in (22, 20, 23, 21, 24, 99):
            s = socket.create_connection(ADDRESS, 20)
            sockets.append(s)
            try:
                s.sendall(first)
                for _ in range(200):
                    s.sendall(record(kind, message[:16384]))
            except OSError:
                continue  # it has gone away, as it should
    # a ClientHello of 16 MiB, in records of 16 KiB
    s = socket.create_connection(ADDRESS, 20)
    try:
        s.sendall(record(22, b"\x01\xff\xff\xff\x03\x03" + bytes(16000)))
        for _ in range(1100):
            s.sendall(record(22, bytes(16384)))
    except OSError:
        pass
    for s in sockets:
        s.close()


globals()["case_" + sys.argv[1]](*sys.argv[2:])
