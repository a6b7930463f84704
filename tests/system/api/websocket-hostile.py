#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""WebSocket clients that nobody should write, on raw sockets.

websocket-hostile.py CASE…: runs these cases against 127.0.0.1:8080, all of them at first. Exit status 1 and a line
on what was expected if one goes wrong. The cases are the functions below whose name begins with "case_".
"""

import os
import random
import resource
import select
import socket
import struct
import subprocess
import sys
import time

ADDRESS = ("127.0.0.1", 8080)
HANDSHAKE = (b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
FIN, TEXT, BINARY, CLOSE, PING, PONG = 0x80, 1, 2, 8, 9, 10


def check(truth, what):
    if not truth:
        print("FAILED: " + what)
        sys.exit(1)


def frame(first, payload=b"", masked=True, length=None, length_bytes=None):
    """One frame as a client writes it; length and length_bytes are for those that lie."""
    n = len(payload) if length is None else length
    if length_bytes is None:
        length_bytes = 0 if n < 126 else 2 if n < 65536 else 8
    out = bytes([first, (n if length_bytes == 0 else 126 if length_bytes == 2 else 127) | (0x80 if masked else 0)])
    if length_bytes:
        out += n.to_bytes(length_bytes, "big")
    if masked:
        key = os.urandom(4)
        out += key
        payload = bytes(b ^ key[i % 4] for i, b in enumerate(payload))
    return out + payload


class Client:
    """Connected, and through the handshake."""

    def __init__(self, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(60)
        self.socket.connect(ADDRESS)
        self.socket.sendall(HANDSHAKE)
        self.data = b""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            c = self.socket.recv(1)
            check(c, "an answer to the handshake")
            head += c
        check(head.startswith(b"HTTP/1.1 101 "), "101, not " + repr(head))

    def send(self, data):
        """Sends; False if the other end has closed already."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def take(self):
        """The first frame of what was read: (first byte, payload), or None if it is not whole."""
        if len(self.data) < 2:
            return None
        n, at = self.data[1], 2
        check(n < 128, "frames that are not masked")
        if n >= 126:
            size = 2 if n == 126 else 8
            if len(self.data) < 2 + size:
                return None
            n, at = int.from_bytes(self.data[2:2 + size], "big"), 2 + size
        if len(self.data) < at + n:
            return None
        result = self.data[0], self.data[at:at + n]
        self.data = self.data[at + n:]
        return result

    def read(self):
        """The next frame, or None at the end."""
        while True:
            f = self.take()
            if f:
                return f
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                return None
            if not more:
                return None
            self.data += more

    def read_to_end(self):
        """All frames until the end; the code of the close frame among them, or None."""
        code, others = None, []
        while True:
            f = self.read()
            if f is None:
                return code, others
            if f[0] == FIN | CLOSE:
                code = int.from_bytes(f[1][:2], "big") if len(f[1]) >= 2 else 1005
            else:
                check(code is None, "nothing behind the close frame")
                others.append(f)

    def close(self):
        self.socket.close()


def expect(what, data, code, pieces=False):
    """The client sends this and is closed with that code."""
    c = Client()
    if pieces:
        c.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(len(data)):
            if not c.send(data[i:i + 1]):
                break
    else:
        c.send(data)
    got, _ = c.read_to_end()
    check(got == code, f"{what}: closed with {code}, not {got}")
    c.close()


def close_frame(code, reason=b""):
    return frame(FIN | CLOSE, struct.pack(">H", code) + reason)


def case_mistakes():
    """Each ends with its code, in one piece and byte by byte."""
    text = FIN | TEXT
    mistakes = [
        ("a text that is too long", frame(text, b"x" * 4097), 1009),
        ("fragments that are too long", frame(TEXT, b"x" * 4000) + frame(FIN, b"x" * 97), 1009),
        ("a length without end", frame(text, b"x", length=2 ** 62, length_bytes=8), 1009),
        ("a length with its highest bit", frame(text, b"x", length=2 ** 63, length_bytes=8), 1002),
        ("a length that is not the shortest", frame(text, b"x", length_bytes=2), 1002),
        ("a binary message", frame(FIN | BINARY, b"\0"), 1003),
        ("no mask", frame(text, b"x", masked=False), 1002),
        ("a continuation of nothing", frame(FIN, b"x"), 1002),
        ("a text within a text", frame(TEXT, b"x") + frame(text, b"x"), 1002),
        ("a fragmented ping", frame(PING, b"x"), 1002),
        ("a long ping", frame(FIN | PING, b"x" * 126), 1002),
        ("a text that is no UTF-8", frame(text, b"\xff"), 1007),
        ("a character cut off", frame(text, "€".encode()[:2]), 1007),
        ("a character split, and wrong", frame(TEXT, b"\xe2") + frame(FIN, b"\x28\xa1"), 1007),
        ("a surrogate", frame(text, b"\xed\xa0\x80"), 1007),
        ("half a close code", frame(FIN | CLOSE, b"\x03"), 1002),
        ("a close code that is never sent", close_frame(1005), 1002),
        ("a close code of nobody", close_frame(2999), 1002),
        ("a close reason that is no UTF-8", close_frame(1000, b"ab\xff"), 1007),
        ("a close", close_frame(1000, b"bye"), 1000),
        ("a close without a code", frame(FIN | CLOSE), 1005),
        ("a close, and more behind it", close_frame(4000) + frame(text, b"x") * 100, 4000),
    ]
    mistakes += [(f"opcode {o}", frame(FIN | o), 1002) for o in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)]
    mistakes += [(f"reserved bits {b}", frame(text | b << 4, b"x"), 1002) for b in range(1, 8)]
    for what, data, code in mistakes:
        expect(what, data, code)
        if len(data) < 300:
            expect(what + ", byte by byte", data, code, pieces=True)


def case_what_is_right():
    """Fragments with pings between them, empty ones, characters split, and the longest text: all heard in silence."""
    euro = "€".encode()
    c = Client()
    c.send(frame(TEXT, b"a" + euro[:1]) + frame(FIN | PING, b"one") + frame(0, b"") + frame(FIN | PONG, b"unasked")
           + frame(0, euro[1:2]) + frame(FIN | PING, b"two") + frame(FIN, euro[2:]))
    c.send(frame(FIN | TEXT, b"x" * 4096) + frame(FIN | PING, b"y" * 125) + frame(FIN | TEXT))
    pongs = []
    while len(pongs) < 3:
        f = c.read()
        check(f is not None and f[0] != FIN | CLOSE, f"a connection that stays, not {f}")
        if f[0] == FIN | PONG:
            pongs.append(f[1])
    check(pongs == [b"one", b"two", b"y" * 125], f"the pongs in order, not {pongs}")
    c.send(close_frame(1000))
    check(c.read_to_end()[0] == 1000, "a proper end")


def case_garbage():
    """Random bytes in place of frames, and in place of the handshake."""
    source = random.Random(20260131)
    for _ in range(200):
        c = Client()
        c.send(source.randbytes(source.randrange(1, 3000)))
        c.socket.shutdown(socket.SHUT_WR)
        c.read_to_end()
        c.close()
    for _ in range(100):
        s = socket.create_connection(ADDRESS)
        s.settimeout(60)
        n = source.randrange(len(HANDSHAKE))
        try:
            s.sendall(HANDSHAKE[:n] + source.randbytes(100) + HANDSHAKE[n:])
            s.recv(65536)  # an error, or the end
        except OSError:
            pass
        s.close()


def case_leaving_in_the_middle():
    """Clients that go at any moment: in the handshake, in a frame, with a reset."""
    whole = HANDSHAKE + frame(TEXT, b"hello") + frame(FIN | PING)
    for n in range(0, len(whole), 7):
        s = socket.create_connection(ADDRESS)
        s.sendall(whole[:n])
        if n % 2:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()


def case_half_open():
    """As if its cable had been pulled: after a ping in vain it is closed with 1011, and the socket soon after."""
    c = Client()
    c.socket.settimeout(100)
    begun = time.monotonic()
    code, others = c.read_to_end()
    check(code == 1011, f"1011, not {code}")
    check(sum(f[0] == FIN | PING for f in others) == 1, "one ping")
    check(time.monotonic() - begun > 50, "the ping after 54 s, not sooner")


def dropped():
    """How many clients the daemon says it has dropped."""
    log = subprocess.run(["journalctl", "-q", "-o", "cat", "-u", "hyper.service", "--grep=^Dropped [0-9]+ WebSocket"],
                         capture_output=True, text=True, check=False).stdout
    return sum(int(line.split()[1]) for line in log.splitlines())


def memory(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))


def case_stop_reading():
    """A thousand clients that read nothing: all are dropped with 1013, and their memory is bounded."""
    number = 1000
    pid = int(subprocess.check_output(["systemctl", "show", "-P", "MainPID", "hyper.service"]))
    before = memory(pid)
    clients = [Client(receive_buffer=2048) for _ in range(number)]
    deadline, peak = time.monotonic() + 90, 0
    while dropped() < number:
        check(time.monotonic() < deadline, f"{number} clients dropped, not {dropped()}")
        peak = max(peak, memory(pid))
        time.sleep(0.2)
    print(f"Resident before {before} KiB, with {number} clients that read nothing {peak} KiB at most")
    check(peak - before < 64 * number, f"at most 64 KiB for each: {before} KiB before, {peak} KiB at the worst")

    # They find what had been on its way, and why there is no more.
    codes = {}
    waiting = {c.socket.fileno(): c for c in clients}
    poll = select.poll()
    for fd in waiting:
        poll.register(fd, select.POLLIN)
    while waiting:
        events = poll.poll(60000)
        check(events, f"an end for {len(waiting)} more")
        for fd, _ in events:
            c = waiting[fd]
            try:
                more = c.socket.recv(1 << 20)
            except ConnectionResetError:
                more = b""
            c.data += more
            code = None
            while (f := c.take()) and code is None:
                code = int.from_bytes(f[1][:2], "big") if f[0] == FIN | CLOSE else None
            if more and code is None:
                continue
            codes[code] = codes.get(code, 0) + 1
            poll.unregister(fd)
            del waiting[fd]
    check(codes == {1013: number}, f"1013 for all, not {codes}")
    for c in clients:
        c.close()


def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 8192), hard), hard))
    names = sys.argv[1:] or [n[5:] for n in globals() if n.startswith("case_")]
    for name in names:
        begun = time.monotonic()
        globals()["case_" + name]()
        print(f"{name}: {time.monotonic() - begun:.1f} s")


main()
