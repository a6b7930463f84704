#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""losing-proxy.py ADDRESS PORT SERVER LOG: hands HTTP requests on to SERVER. The first request of each kind is not handed on, but
answered with a 404 of the proxy's own, as a proxy does while its server restarts. Then the first two answers to each kind are
lost: the server has done what it was asked for, and the client does not know. What was lost is in LOG."""

import re
import sys
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

address, port, server, log = sys.argv[1:]
lost = {}
denied = set()
lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_request(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kind = self.command + " " + re.sub(r"^/(jobs|workers)/(?!register)[^/]*", r"/\1/*", self.path)
        with lock:
            deny = kind not in denied
            denied.add(kind)
        if deny:
            self.answer(404, b"<html><body>404 Not Found</body></html>")
            return
        headers = {k: v for k, v in self.headers.items() if k.lower() in ("x-api-key", "content-type")}
        request = urllib.request.Request(server + self.path, body or None, headers, method=self.command)
        try:
            with urllib.request.urlopen(request, timeout=90) as answer:
                status, content = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, content = error.code, error.read()
        # A question for a job that there is none for is asked again anyway.
        if status < 300 and content != b"null":
            with lock:
                lost[kind] = lost.get(kind, 0) + 1
                if lost[kind] <= 2:
                    with open(log, "a", encoding="utf-8") as f:
                        f.write(kind + "\n")
                    self.close_connection = True
                    return
        self.answer(status, content)

    def answer(self, status, content):
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = handle_request

    def log_message(self, *_):
        pass


ThreadingHTTPServer((address, int(port)), Handler).serve_forever()
