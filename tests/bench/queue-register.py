# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Registers so many workers: queue-register.py PORT NUMBER

import http.client
import sys
from concurrent.futures import ThreadPoolExecutor

port, number = int(sys.argv[1]), int(sys.argv[2])
BODY = '{"worker_id":"w%d","capabilities":["qemu_img","nbd_access"],"system_info":{"memory_mb":16384,"disk_space_mb":512000}}'


def register(first: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for i in range(first, number, 16):
        connection.request("POST", "/workers/register", BODY % i, {"Content-Type": "application/json"})
        response = connection.getresponse()
        response.read()
        if response.status != 201:
            raise SystemExit(f"w{i}: {response.status}")


with ThreadPoolExecutor(16) as pool:
    list(pool.map(register, range(16)))
