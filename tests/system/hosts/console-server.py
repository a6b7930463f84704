#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""console-server.py FILE: serve this directory, and noVNC at /novnc/, on 127.0.0.1:3000, and append the
reports of pages to FILE."""

import http.server
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
NOVNC = HERE.parent.parent / "node_modules/@novnc/novnc"


class Handler(http.server.SimpleHTTPRequestHandler):
    def translate_path(self, path):
        path = path.split("?")[0].split("#")[0].lstrip("/")
        root, path = (NOVNC, path[len("novnc/") :]) if path.startswith("novnc/") else (HERE, path)
        return str(root / path)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(sys.argv[1], "ab") as file:
            file.write(body + b"\n")
        self.send_response(204)
        self.end_headers()

    def log_message(self, format, *args):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", 3000), Handler).serve_forever()
