#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 240
#
# Lists of the v1 API: 142 jobs come once each in pages of 20, in each order; filters, alone and in pairs,
# agree with a search of all jobs; what is wrong is refused with the field.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=tests/system/lib/lib-v1.sh
. "$(dirname "$0")/../lib/lib-v1.sh"

v1_up
settings 'jobs: {max_running: 1}
v1: {user_rate_limit: 100000}'
systemctl restart hyper.service
mkdir -p /var/lib/libvirt/images
truncate -s 64K /var/lib/libvirt/images/small.raw
printf '\x55\xaa' | dd of=/var/lib/libvirt/images/small.raw bs=1 seek=510 conv=notrunc status=none
# for one that runs and stays; the others wait behind it
raw_image "$dir/slow.raw" 16
serve "$dir/slow.sock" --filter=rate file "$dir/slow.raw" rate=64K
cat >"$dir/lists.py" <<'END'
import datetime, http.client, itertools, json, ssl, sys, time, urllib.parse

context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
connection = http.client.HTTPSConnection("127.0.0.1", 5080, context=context, timeout=60)


def api(method, path, body=None):
    try:
        connection.request(method, "/api/v1" + path, body=json.dumps(body) if body else None,
                           headers={"Authorization": "Bearer " + sys.argv[1]})
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())
    except (OSError, http.client.HTTPException):  # a new certificate restarts the service, once
        connection.close()
        return api(method, path, body)


def check(truth, *what):
    if not truth:
        print("FAILED:", *what)
        sys.exit(1)


def submit(i):
    body = {"id": f"j-{i:03}", "type": "convert", "source_path": "/var/lib/libvirt/images/small.raw",
            "vm_name": f"{'Web' if i % 3 else 'db'} {i % 7}", "priority": i % 5 * 10,
            "options": {"destination": f"/var/lib/hypersdk/exports/j-{i:03}.qcow2"}}
    if i % 4 == 3:
        body["carbon"] = None
    status, answer = api("POST", "/jobs", body)
    check(status in (200, 201), i, status, answer)


def unfinished():
    status, page = api("GET", "/jobs?status=queued,running&limit=1")
    check(status == 200, page)
    return page["pagination"]["total"]


for i in range(12):
    submit(i)
while unfinished() > 0:
    time.sleep(0.1)
status, answer = api("POST", "/jobs", {"id": "slow-1", "type": "convert", "provider": "nbd", "source": {"uri": sys.argv[2]},
                                       "vm_name": "Slow", "timeout_seconds": 3600})
check(status == 201, answer)
while api("GET", "/jobs/slow-1")[1]["status"] != "running":
    time.sleep(0.1)
for i in range(12, 141):
    submit(i)
    if i % 20 == 10:
        status, answer = api("DELETE", f"/jobs/j-{i:03}")
        check(status == 200, answer)


def pages(query, limit):
    offset, rows = 0, []
    while True:
        status, page = api("GET", f"/jobs?offset={offset}&limit={limit}&{query}")
        check(status == 200, query, page)
        rows += page["data"]
        p = page["pagination"]
        check(p["offset"] == offset and p["limit"] == limit, p)
        check(p["has_more"] == (offset + len(page["data"]) < p["total"]), p)
        offset += limit
        if not p["has_more"]:
            check(len(rows) == p["total"], query, len(rows), p)
            return rows


everything = pages("", 200)
check(len(everything) == 142, len(everything))
keys = "created_at updated_at started_at completed_at status type provider vm_name progress priority id".split()
for key, order in itertools.product(keys, ("asc", "desc")):
    rows = pages(f"sort={key}&order={order}", 20)
    check(sorted(r["id"] for r in rows) == sorted(r["id"] for r in everything), key, order)
    # of the job that runs, these change
    values = [r[key] for r in rows if r["id"] != "slow-1" or key not in ("updated_at", "progress")]
    known = [v for v in values if v is not None]
    check(values[:len(known)] == known, "null is last", key, order)
    check(known == sorted(known, reverse=order == "desc"), key, order, known[:10])

stamp = lambda r: datetime.datetime.fromisoformat(r["created_at"].replace("Z", "+00:00"))
middle = sorted(everything, key=stamp)[70]["created_at"]
later = lambda t: lambda r: stamp(r) > datetime.datetime.fromisoformat(t.replace("Z", "+00:00"))
earlier = lambda t: lambda r: stamp(r) < datetime.datetime.fromisoformat(t.replace("Z", "+00:00"))
has = lambda text: lambda r: any(text.lower() in (r.get(k) or "").lower() for k in ("id", "vm_name")) or \
    text.lower() in json.dumps([r.get("result"), r.get("source"), r.get("output"), "small.raw" if r["id"] != "slow-1" else ""]).lower()
filters = {
    "status": [("completed", lambda r: r["status"] == "completed"), ("queued", lambda r: r["status"] == "queued"),
               ("cancelled,running", lambda r: r["status"] in ("cancelled", "running"))],
    "provider": [("local", lambda r: r["provider"] == "local"), ("nbd", lambda r: r["provider"] == "nbd"),
                 ("vsphere,nbd", lambda r: r["provider"] in ("vsphere", "nbd"))],
    "type": [("convert", lambda r: r["type"] == "convert"), ("export", lambda r: r["type"] == "export")],
    "created_after": [(middle, later(middle))],
    "created_before": [(middle, earlier(middle))],
    "search": [("WEB 3", has("web 3")), ("j-07", has("j-07")), ("100%", has("100%")), ("_", has("\0"))],
}
flat = [(k, v, f) for k, l in filters.items() for v, f in l]
for a, b in itertools.combinations_with_replacement(flat, 2):
    if a[0] == b[0] and a is not b:
        continue
    query = urllib.parse.urlencode({a[0]: a[1], b[0]: b[1]})
    got = sorted(r["id"] for r in pages(query, 50))
    want = sorted(r["id"] for r in everything if a[2](r) and b[2](r))
    check(got == want, query, "got", got[:5], len(got), "want", want[:5], len(want))

for query, field in (("limit=201", "limit"), ("limit=0", "limit"), ("offset=-1", "offset"), ("sort=size", "sort"),
                     ("order=up", "order"), ("created_after=yesterday", "created_after"), ("status=none", "status"),
                     ("search=", "search"), ("search=" + "x" * 201, "search"), ("os=linux", "os")):
    status, answer = api("GET", "/jobs?" + query)
    check(status == 400 and [e["field"] for e in answer.get("errors", [])] == [field], query, status, answer)
status, answer = api("GET", "/jobs?limit=0&sort=size")
check(status == 400 and sorted(e["field"] for e in answer["errors"]) == ["limit", "sort"], answer)
status, answer = api("GET", "/jobs?offset=1000&unknown=1")
check(status == 200 and answer["data"] == [] and answer["pagination"]["total"] == 142, answer)
for row in pages("status=queued", 200):
    api("DELETE", "/jobs/" + row["id"])
END
python3 "$dir/lists.py" "$v1_token" "$(nbd_uri "$dir/slow.sock")" || fail "see above"
v1 DELETE /jobs/slow-1 >/dev/null
eventually 40 "the unit is gone" unit_gone slow-1
stop_serving "$dir/slow.sock"
