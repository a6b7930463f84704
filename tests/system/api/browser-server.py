#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""browser-server.py FILE [PAGE]: serves the page (browser-page.html) on 127.0.0.1:3000, and appends what it reports to FILE."""

import http.server
import pathlib
import sys

PAGE = pathlib.Path(__file__).with_name(sys.argv[2] if len(sys.argv) > 2 else "browser-page.html").read_bytes()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/" else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        if self.path == "/":
            self.wfile.write(PAGE)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(sys.argv[1], "ab") as file:
            file.write(body + b"\n")
        self.send_response(204)
        self.end_headers()

    def log_message(self, format, *args):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", 3000), Handler).serve_forever()
