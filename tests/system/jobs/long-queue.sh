#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 240
# slow: a hundred thousand jobs are written into the database
#
# With a hundred thousand jobs waiting, jobs are accepted, placed, taken, reported and cancelled as with ten.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

MANY=100000
settings 'worker: {local: false}'
raw_image "$dir/disk.raw" 1

job_body() {
        jq -cn --arg i "$1" --arg p "$dir/disk.raw" --arg o "$dir/$1.qcow2" --argjson n "${2:-50}" \
                '{job_id: $i, operation: "convert",
                image: {path: $p, format: "raw"}, parameters: {output_format: "qcow2", output_path: $o}, execution_policy: {priority: $n}}'
}
position() { http POST "$worker/jobs?queue=true" "$(job_body "$@")" | jq .queue_position; }
sql() { sqlite3 /var/lib/hyper/hyper.db "$1"; }

equal "$(position model)" 1 "the place of the first"
systemctl stop hyper.service hyper-managerd.service
sql "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < $MANY)
        INSERT INTO jobs (id, operation, spec, dialect, request, state, reason, priority, retry_count, idempotent, any_worker, created_at,
                updated_at, timeout_seconds, demand)
        SELECT 'fill-' || i, operation, json_set(spec, '\$.job_id', 'fill-' || i, '\$.destination.path', '$dir/fill-' || i || '.qcow2'),
                dialect, request, state, reason, priority, retry_count, idempotent, any_worker, created_at, updated_at, timeout_seconds, demand
        FROM n, jobs WHERE id = 'model'"
busctl -q call "${manager[@]:0:2}" org.freedesktop.DBus.Peer Ping # it has the database as its readers need it
http POST "$worker/workers/register" '{"worker_id":"w1","capabilities":["qemu_img","nbd_access"]}' >/dev/null
equal "$(status)" 201 "a registration"
equal "$(http GET "$worker/queue" | jq -c .)" "{\"total_jobs\":$MANY,\"by_priority\":{\"50\":$MANY}}" \
        "the queue"

# (This many also need more of SQLite's memory in one statement than it keeps without temporary files.)
for i in $(seq 1 300); do equal "$(position "last-$i")" $((MANY + i)) "the place of last-$i"; done
equal "$(position urgent 90)" 1 "the place of an urgent one"
equal "$(position later 10)" $((MANY + 302)) "the place of one that can wait"
answer=$(http POST "$worker/jobs?queue=true" "$(job_body again |
        jq -c --arg o "$dir/fill-77777.qcow2" '.parameters.output_path = $o')")
equal "$(status)" 400 "one that would write to what another one writes"
contains "$answer" "fill-77777" "which one that is"

dequeue() { http POST "$worker/queue/dequeue" '{"worker_id":"w1"}' | jq -r .job_id; }
equal "$(dequeue)" urgent "the first that is taken"
for i in model fill-2 fill-3 fill-4; do equal "$(dequeue)" "$i" "the next that is taken"; done
http POST "$worker/jobs/urgent/result" '{"worker_id":"w1","status":"completed"}' >/dev/null
equal "$(status)" 200 "its result"
http DELETE "$worker/jobs/fill-50000" >/dev/null
equal "$(status)" 200 "a cancel in the middle"
equal "$(http GET "$worker/queue" | jq .total_jobs)" $((MANY + 301 - 4 - 1)) "what waits at last"
# A manager that is killed takes all of them up again.
systemctl kill --signal=KILL hyper-managerd.service
# (A call that was under way when it died is answered 503.)
holds() { [ "$(http POST "$worker/workers/w1/heartbeat" | jq '.jobs | length')" = "$1" ]; }
eventually 30 "w1 still holds four" holds 4
equal "$(dequeue)" fill-5 "the next that is taken from the next manager"
systemctl reset-failed
# So many jobs are not cancelled one by one.
systemctl stop hyper.service hyper-managerd.service
rm -f /var/lib/hyper/hyper.db*
