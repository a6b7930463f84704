#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 240
# machine: browser
#
# The clients in the worker API's published documentation work as they are written there: curl and jq, httpx,
# a page in a browser.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

here=$(dirname "$0")
export HOME=$dir
raw_image "$dir/disk.raw" 24
mkdir -p /data
# (as Debian's installer writes it)
grep -qs localhost /etc/hosts || echo "127.0.0.1 localhost" >>/etc/hosts
qemu-img convert -q -O vmdk "$dir/disk.raw" /data/vm.vmdk
trap 'rm -rf /data "$dir"' EXIT

# converted ID: it ended well; another may write there now
converted() {
        wait_state "$1" COMPLETED
        same "$dir/disk.raw" /data/vm.qcow2 qcow2
        rm /data/vm.qcow2
}

# --- curl, jq ----------------------------------------------------------------------------------------------

JOB_ID=$(curl -s -X POST http://localhost:8000/jobs?queue=true \
        -H "Content-Type: application/json" \
        -d '{"job_id":"demo-123","operation":"convert","image":{"path":"/data/vm.vmdk","format":"vmdk"},"parameters":{"output_format":"qcow2"}}' |
        jq -r '.job_id')
equal "$JOB_ID" demo-123 "the id in the answer"
while true; do
        STATE=$(curl -s "http://localhost:8000/jobs/$JOB_ID" | jq -r '.state')
        [[ "$STATE" == "COMPLETED" || "$STATE" == "FAILED" ]] && break
        sleep 2
done
converted demo-123

# --- Python ------------------------------------------------------------------------------------------------

printed=$(python3 "$here/published-worker-poll.py" polled)
equal "$(tail -n 1 <<<"$printed")" "State: COMPLETED" "the last line of: $printed"
printed=$(python3 "$here/published-worker-stream.py" polled)
equal "$(tail -n 1 <<<"$printed")" "Progress: 100%" "the last line of: $printed"
converted polled
# A job that fails has one line more, and the same form
jq -n '{job_id: "lost", operation: "convert", image: {path: "/data/vm.vmdk", checksum: ("sha256:" + "0" * 64)}}' >"$dir/job_spec.json"
curl -sS -X POST http://localhost:8000/jobs -H "Content-Type: application/json" -d "@$dir/job_spec.json" -o \
        "$dir/answer"
wait_state lost FAILED
printed=$(python3 "$here/published-worker-stream.py" lost)
grep -qvE '^Progress: [0-9]+%$' <<<"$printed" && fail "what was printed of a job that failed: $printed"

# --- a page ------------------------------------------------------------------------------------------------

settings 'api: {cors_origins: ["http://127.0.0.1:3000"]}'
systemctl stop hyper.service
python3 "$here/browser-server.py" "$dir/reports" published-worker-page.html &
server=$!
# (a browser that is killed may still write)
trap 'kill $server; rm -rf /data "$dir" || :' EXIT
# (its own sandbox wants user namespaces that the machine has not)
setsid chromium --headless --no-sandbox --disable-gpu --no-first-run --user-data-dir="$dir/browser" \
        http://127.0.0.1:3000/ >"$dir/browser.log" 2>&1 &
browser=$!
reported() { grep -qF "$1" "$dir/reports" 2>/dev/null; }
eventually 60 "the page has seen its job end" reported 'Job complete!'
kill -- "-$browser" 2>/dev/null || :
wait "$browser" || :
grep -qE '"[0-9]+%: .+"' "$dir/reports" || fail "the page saw no progress: $(cat "$dir/reports")"
converted page
