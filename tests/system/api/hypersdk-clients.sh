#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 180
#
# The HyperSDK API as its published clients use it: YAML job files, the status that the Go tool expects, zero
# values, an OVF by default, manifests, and the retry of a failed job.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

raw_image "$dir/disk.raw" 4
go() { curl -sS -m 30 -o "$dir/answer" -w '%{http_code}' -A Go-http-client/1.1 "$@"; }

# The Go tool: a file with jobs in YAML, and 200.
cat >"$dir/jobs.yaml" <<EOF
defaults: &defaults {output_dir: $dir/, format: QCOW2}
jobs:
  - <<: *defaults
    id: from-yaml
    vm_path: $dir/disk.raw
EOF
code=$(go "$api/jobs/submit" -H 'Content-Type: application/x-yaml' --data-binary "@$dir/jobs.yaml")
equal "$code" 200 "the status for the Go tool; $(cat "$dir/answer")"
wait_state from-yaml COMPLETED
same "$dir/disk.raw" "$dir/disk.qcow2" qcow2

# The same tool with zero values for what nobody set; others get 201.
body=$(jq -cn --arg p "$dir/disk.raw" --arg o "$dir/zero.qcow2" '{id: "", name: "", vm_path: $p, output_path: $o,
        format: "", timeout_seconds: 0, created_at: "0001-01-01T00:00:00Z"}')
answer=$(http POST "$api/jobs/submit" "$body")
equal "$(status)" 201 "the status for others; $answer"
wait_state "$(jq -r .job_id <<<"$answer")" COMPLETED

# The SDKs: an OVF, with the keys that they read.
body=$(jq -cn --arg p "$dir/disk.raw" --arg o "$dir/vm.ovf" \
        '{id: "ovf", vm_path: $p, output_path: $o, format: "ovf", compress: false, thin: false, insecure: false}')
http POST "$api/jobs/submit" "$body" >/dev/null
wait_state ovf COMPLETED
result=$(http GET "$api/jobs/ovf")
equal "$(jq -r .result.ovf_path <<<"$result")" "$dir/vm.ovf" "the path of the OVF; $result"
equal "$(jq -r '.progress.estimated_remaining | type' <<<"$result")" string "the type of the remaining time"
exists "$dir/vm.ovf"

# Several VMs in one request.
body=$(jq -cn --arg d "$dir" '{version: "1.0", workflow_id: "move", vms: [range(2) | {name: "vm\(.)", pipeline:
        {load: {source_type: "raw", source_path: "\($d)/disk.raw"}, convert: {output_format: "raw",
        output_path: "\($d)/vm\(.).raw"}}}]}')
answer=$(http POST "$api/api/workflow/manifest/submit" "$body")
equal "$(jq -c .job_ids <<<"$answer")" '["move-1","move-2"]' "the jobs of a manifest; $answer"
wait_state move-1 COMPLETED
wait_state move-2 COMPLETED
answer=$(http GET "$api/api/workflow/jobs?workflow_id=move")
equal "$(jq -r '[.jobs[].status] | join(" ")' <<<"$answer")" "completed completed" "the list of a workflow"

# A failed job: the cause is removed, and the job retried under its ID, also after its stream has ended.
body=$(jq -cn --arg d "$dir" '{id: "again", execution_policy: {retry_count: 0}, source: {type: "file",
        path: "\($d)/wrong.qcow2", format: "qcow2"}, destination: {type: "file", path: "\($d)/again.qcow2"}}')
echo nothing >"$dir/wrong.qcow2"
http POST "$api/jobs/submit" "$body" >/dev/null
wait_state again FAILED
curl -sSN -m 30 "$worker/jobs/again/events/stream" >"$dir/stream" || fail "the stream does not end"
last=$(sed -n 's/^id: *//p' "$dir/stream" | tail -n 1)
code=$(go -H "Last-Event-ID: $last" "$worker/jobs/again/events/stream")
equal "$code" 204 "the status of a stream that is opened again after the end"
qemu-img convert -q -f raw -O qcow2 "$dir/disk.raw" "$dir/wrong.qcow2"
answer=$(http POST "$api/jobs/submit" "$body")
equal "$(status)" 409 "the status of the same ID; $answer"
contains "$answer" /jobs/again/retry "the error"
answer=$(http POST "$api/jobs/again/retry" '')
equal "$(status)" 200 "the status of a retry; $answer"
wait_state again COMPLETED
same "$dir/disk.raw" "$dir/again.qcow2" qcow2
