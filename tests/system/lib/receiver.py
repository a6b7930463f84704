#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A receiver of webhooks: receiver.py PORT FILE [HABIT…]

Each request becomes a line of JSON in FILE, before it is answered. Habits:
    status=N        answers with that status
    fail=N          the first N requests are answered with 503
    wait=SECONDS    waits before it answers
    redirect=URL    answers with a redirect
    reset           cuts the connection off in place of an answer
    endless         its answer has no end
    hang            does not even read
    tls=CERT,KEY    speaks TLS
"""

import json
import socket
import ssl
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

port, file = int(sys.argv[1]), sys.argv[2]
habits = dict(a.partition("=")[::2] for a in sys.argv[3:])
lock = threading.Lock()
failures = int(habits.get("fail", 0))


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def record(self):
        global failures
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with lock:
            with open(file, "a") as out:
                out.write(json.dumps({"path": self.path, "headers": dict(self.headers), "body": body.decode()}) + "\n")
            failures -= 1
            return failures >= 0

    def answer(self, status, body=b"thank you", **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        if "hang" in habits:
            time.sleep(3600)
        fails = self.record()
        time.sleep(float(habits.get("wait", 0)))
        if "reset" in habits:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
        elif "endless" in habits:
            self.send_response(200)
            self.end_headers()
            self.close_connection = True
            while True:
                self.wfile.write(b"and so on " * 1000)
        elif "redirect" in habits:
            self.answer(302, Location=habits["redirect"])
        else:
            self.answer(503 if fails else int(habits.get("status", 200)))


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass


server = Server(("127.0.0.1", port), Receiver)
if "tls" in habits:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*habits["tls"].split(","))
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
