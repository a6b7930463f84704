#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 180
#
# A failed job is retried under its own ID and resumes from what its last attempt left.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

retry() { busctl --json=short call "${manager[@]}" RetryJob 'sa{sv}' "$1" 0 | jq -r '.data[0]'; }

raw_image "$dir/disk.raw" 128
serve "$dir/s.sock" --filter=rate file "$dir/disk.raw" rate=80M
spec=$(spec "$(nbd_uri "$dir/s.sock")" "$dir/disk.qcow2" '.job_id = "again" | .execution_policy = {retry_count: 0}')
id=$(submit "$spec")
wait_bytes "$id" 1
stop_serving "$dir/s.sock"
wait_state "$id" FAILED 60
eventually 30 "the unit is gone" unit_gone "$id"
exists "$dir/.disk.qcow2.hyper-part"

# The same ID cannot be submitted again; the error says what to do.
submit "$spec" 2>"$dir/error" && fail "a failed job was submitted again"
contains "$(<"$dir/error")" "hyperctl retry again" "the error"

serve "$dir/s.sock" file "$dir/disk.raw"
equal "$(retry "$id")" "$(job_path "$id")" "the object of the job"
wait_state "$id" COMPLETED 60
same "$dir/disk.raw" "$dir/disk.qcow2" qcow2
contains "$(states "$id")" "FAILED QUEUED ASSIGNED RUNNING COMPLETED" "the states"
no_part_left "$dir"
retry "$id" 2>"$dir/error" && fail "a completed job was retried"
contains "$(<"$dir/error")" "only a job that is FAILED can be retried" "the error"
stop_serving "$dir/s.sock"

# The secrets of a job are removed when it fails: the error names them, and how to give them again.
secret=$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')
(umask 077 && echo "alice:$secret" >"$dir/keys.psk")
raw_image "$dir/small.raw" 8
spec=$(spec "nbds+unix://alice@/?socket=$dir/t.sock" "$dir/small.qcow2" \
        ".job_id = \"secret\" | .source.tls_psk = \"alice:$secret\" | .execution_policy = {retry_count: 0}")
id=$(submit "$spec")
wait_state "$id" FAILED 60
eventually 30 "the unit is gone" unit_gone "$id"
error=$(hyperctl retry "$id" 2>&1) && fail "a job was retried without its secret"
contains "$error" "hyperctl retry secret --secret=source.tls_psk:FILE" "the error"
serve "$dir/t.sock" --tls=require --tls-psk="$dir/keys.psk" -r file "$dir/small.raw"
hyperctl retry "$id" --secret=source.tls_psk:"$dir/keys.psk"
wait_state "$id" COMPLETED 60
same "$dir/small.raw" "$dir/small.qcow2" qcow2
stop_serving "$dir/t.sock"
