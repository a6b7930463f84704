#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# idle-connections.py PORT NUMBER FILE: opens so many connections, of which every second one asks for
# something, once. Writes "ready" into FILE, then "closed N" when all have been closed by the other end.

import resource
import selectors
import socket
import sys

port, number, file = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
resource.setrlimit(resource.RLIMIT_NOFILE, (number + 100, number + 100))
selector = selectors.DefaultSelector()


def note(text: str) -> None:
    with open(file, "a", encoding="ascii") as f:
        f.write(text + "\n")


for i in range(number):
    connection = socket.create_connection(("127.0.0.1", port))
    if i % 2 == 0:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        if not connection.recv(65536).startswith(b"HTTP/1.1 200 "):
            sys.exit(f"connection {i} was not answered")
    selector.register(connection, selectors.EVENT_READ)
note("ready")
closed = 0
while closed < number:
    for key, _ in selector.select():
        try:
            more = key.fileobj.recv(65536)
        except ConnectionError:
            more = b""
        if more:
            sys.exit("one that has asked nothing was answered")
        selector.unregister(key.fileobj)
        key.fileobj.close()
        closed += 1
note(f"closed {closed}")
