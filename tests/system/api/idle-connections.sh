#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
# slow: idle connections are closed when their time is over
#
# Ten thousand connections that say nothing: others are answered, they are closed in time, and the daemon ends
# all the same.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

MANY=10000
[ "$(ulimit -Hn)" -gt $((MANY + 200)) ] ||
        skip "a process here may have $(ulimit -Hn) files open, which is too few"

connect() {
        rm -f "$dir/clients"
        touch "$dir/clients"
        python3 "$(dirname "$0")/idle-connections.py" 8000 "$MANY" "$dir/clients" &
        clients=$!
        eventually 90 "$MANY connections are there" grep -q ready "$dir/clients"
}
pid() { systemctl show -P MainPID hyper.service; }
memory() { awk '/^Pss:/ {print $2}' "/proc/$(pid)/smaps_rollup"; }

# --- others are answered; those that are silent for a minute are closed ------------------------------------

settings 'daemon: {idle_timeout: 300}'
systemctl stop hyper.service
http GET "$worker/health" >/dev/null
equal "$(status)" 200 "a request before"
before=$(memory)
connect
opened=$(find "/proc/$(pid)/fd" -mindepth 1 | wc -l)
[ "$opened" -gt "$MANY" ] || fail "hyper-apid has $opened files open, not one for each connection"
now=$(memory)
echo "memory of hyper-apid: $before KiB before, $now KiB with $MANY connections," \
        "$(((now - before) * 1024 / MANY)) bytes each"
raw_image "$dir/disk.raw" 1
http POST "$worker/workers/register" '{"worker_id":"w1","capabilities":["qemu_img","nbd_access"]}' >/dev/null
equal "$(status)" 201 "a registration beside them"
for i in $(seq 1 50); do
        http POST "$worker/workers/w1/heartbeat" >/dev/null
        equal "$(status)" 200 "heartbeat $i beside them"
done
answer=$(http POST "$worker/jobs" "$(jq -cn --arg d "$dir" \
        '{job_id: "beside", operation: "convert", image: {path: "\($d)/disk.raw", format: "raw"},
        parameters: {output_path: "\($d)/disk.qcow2", output_format: "qcow2"}}')")
equal "$(status)" 201 "a job beside them: $answer"
wait_state beside COMPLETED
http GET "$api/health" >/dev/null
equal "$(status)" 200 "a request of the other API"
eventually 120 "connections that are silent for a minute are closed" grep -q "closed $MANY" "$dir/clients"
wait "$clients" || fail "the clients failed"
http GET "$worker/health" >/dev/null
equal "$(status)" 200 "a request after"

# --- they do not keep the daemon ---------------------------------------------------------------------------

settings 'daemon: {idle_timeout: 5}'
systemctl stop hyper.service
connect
ended() { [ "$(systemctl show -P ActiveState hyper.service)" = inactive ]; }
eventually 50 "hyper-apid ends while they are there" ended
eventually 10 "its end closes them" grep -q "closed $MANY" "$dir/clients"
wait "$clients" || fail "the clients failed"
http GET "$worker/health" >/dev/null
equal "$(status)" 200 "a request that starts it again"
