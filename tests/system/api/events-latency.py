# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures how long events of a job are on their way to an event stream, and to journalctl -f.

events-latency.py JOB COUNT: waits for COUNT entries and prints the medians as JSON, in milliseconds.
"""

import json
import socket
import statistics
import subprocess
import sys
import threading
import time

job, count = sys.argv[1], int(sys.argv[2])
seen, followed, written = {}, {}, {}


def stream():
    connection = socket.create_connection(("127.0.0.1", 8000))
    request = f"GET /jobs/{job}/events/stream HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n"
    connection.sendall(request.encode())
    for line in connection.makefile("rb"):
        if line.startswith(b"id:"):
            seen.setdefault(line[3:].strip().decode(), time.time())


def follow(pipe):
    for line in pipe:
        entry = json.loads(line)
        followed.setdefault(entry["__CURSOR"], time.time())
        written[entry["__CURSOR"]] = int(entry["__REALTIME_TIMESTAMP"]) / 1e6


threading.Thread(target=stream, daemon=True).start()
journalctl = subprocess.Popen(
    ["journalctl", "-f", "-n", "0", "-o", "json", f"HYPER_JOB_ID={job}"], stdout=subprocess.PIPE
)
threading.Thread(target=follow, args=(journalctl.stdout,), daemon=True).start()
end = time.monotonic() + 60
while len(seen.keys() & written.keys()) < count:
    if time.monotonic() > end:
        sys.exit(f"only {len(seen)} events came to the stream, {len(written)} to journalctl")
    time.sleep(0.1)
journalctl.terminate()
both = list(seen.keys() & written.keys())
print(
    json.dumps(
        {
            "stream": statistics.median((seen[c] - written[c]) * 1000 for c in both),
            "journalctl": statistics.median((followed[c] - written[c]) * 1000 for c in both),
        }
    )
)
