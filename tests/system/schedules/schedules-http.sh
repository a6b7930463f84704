#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Schedules as a client of the HyperSDK API knows them: every route, and what it answers.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

raw_image "$dir/disk.raw" 8
# asks METHOD PATH STATUS [BODY]: prints the answer
asks() {
        http "$1" "$api$2" "${4:-}" >/dev/null
        equal "$(status)" "$3" "the status of $1 $2, which said $(cat "$dir/body")"
        cat "$dir/body"
}
is() { equal "$(jq -c "$1" <<<"$answer")" "$2" "$1 of $answer"; }

answer=$(asks GET /schedules 200)
is '[.schedules, .total]' '[[],0]'
answer=$(asks GET /schedules/stats 200)
is .total_schedules 0

body=$(jq -cn --arg s "$dir/disk.raw" --arg d "$dir/{job_id}.qcow2" '{
        id: "daily-backup", name: "Daily VM Backup", description: "Back up every night", schedule: "0 2 * * *", enabled: true,
        job_template: {vm_path: "web-1", source: {type: "file", path: $s}, destination: {type: "file", path: $d}}}')
answer=$(asks POST /schedules 201 "$body")
is .message '"schedule created successfully"'
is '.schedule | [.id, .name, .schedule, .enabled, .last_run, .run_count, .overlap_policy]' \
        '["daily-backup","Daily VM Backup","0 2 * * *",true,null,0,"skip"]'
equal "$(jq -r .schedule.next_run <<<"$answer")" "$(date -u -d \
        "$([ "$(date +%H)" -lt 2 ] && echo today || echo tomorrow) 02:00" +%FT%TZ)" "the next run"
is .schedule.job_template "$(jq -c .job_template <<<"$body")"
answer=$(asks POST /schedules 409 "$body")
contains "$(jq -r .error <<<"$answer")" daily-backup "what is wrong with the second one"
answer=$(asks GET /schedules/daily-backup 200)
is .description '"Back up every night"'

# Mistakes are told by the field that the client wrote
wrong() {
        answer=$(asks POST /schedules 400 "$(jq -c "$1" <<<"$body")")
        contains "$(jq -r .error <<<"$answer")" "$2" "what is wrong with $1"
}
wrong '.id = "x" | .schedule = "61 * * * *"' 'schedule: '
wrong '.id = "x" | .schedule = "61 * * * *"' 'minute'
wrong '.id = "../x"' 'id: '
wrong '.id = "x" | del(.schedule)' 'schedule: must be given'
wrong '.id = "x" | del(.job_template)' 'job_template: must be given'
wrong '.id = "x" | .job_template.source.path = "relative"' 'job_template.source.path: '
wrong '.id = "x" | .job_template.source = {type: "vsphere", vcenter_url: "vc"}' 'job_template.source.password'
wrong '.id = "x" | .job_template.destination.path += "-{date}"' 'must not have the placeholder {date}'
wrong '.id = "x" | .job_template.policy = {}' 'policy: must be given as '
wrong '.id = "x" | .overlap_policy = "sometimes"' 'overlap_policy: '
asks POST /schedules 400 '{' >/dev/null
for path in /schedules/none /schedules/none/enable /schedules/none/trigger; do
        case $path in */none) method=GET ;; *) method=POST ;; esac
        answer=$(asks $method $path 404)
        contains "$(jq -r .error <<<"$answer")" none "the error of $path"
done
asks DELETE /schedules/none 404 >/dev/null
asks PUT /schedules/none 404 '{"name":"x"}' >/dev/null

# A change merges
answer=$(asks PUT /schedules/daily-backup 200 '{"name":"Updated Name","schedule":"0 3 * * *"}')
is .message '"schedule updated successfully"'
is '.schedule | [.name, .schedule, .description, .enabled]' \
        '["Updated Name","0 3 * * *","Back up every night",true]'
asks PUT /schedules/daily-backup 400 '{"schedule":"whenever"}' >/dev/null
answer=$(asks POST /schedules/daily-backup/disable 200)
is .message '"schedule disabled successfully"'
answer=$(asks GET /schedules/daily-backup 200)
is '[.enabled, .next_run]' '[false,null]'
answer=$(asks POST /schedules/daily-backup/enable 200)
is .message '"schedule enabled successfully"'

# Runs
answer=$(asks POST /schedules/daily-backup/trigger 200)
is .message '"schedule triggered successfully"'
id=$(jq -r .job_id <<<"$answer")
case $id in daily-backup-20*T*Z-????) ;; *) fail "the job is called $id" ;; esac
wait_state "$id" COMPLETED
same "$dir/disk.raw" "$dir/$id.qcow2" qcow2
answer=$(asks GET "/jobs/$id" 200)
is .status '"completed"'
answer=$(asks GET /schedules/daily-backup 200)
is '[.last_job_id, .last_status, .run_count, (.last_run | type)]' "[\"$id\",\"completed\",1,\"string\"]"

# An output that the client did not name is another one each time
answer=$(asks POST /schedules 201 "$(jq -c --arg d "$dir/out/" '{id: "directory", schedule: "@weekly", enabled: false, job_template: {vm_path: .job_template.source.path, output_dir: $d}}' <<<"$body")")
mkdir "$dir/out"
for _ in 1 2; do
        id=$(asks POST /schedules/directory/trigger 200 | jq -r .job_id)
        wait_state "$id" COMPLETED
        same "$dir/disk.raw" "$dir/out/$id.qcow2" qcow2
done
answer=$(asks GET /schedules/stats 200)
is '[.total_schedules, .enabled_schedules, .disabled_schedules, .total_runs, .successful_runs, .failed_runs]' '[2,1,1,3,3,0]'
answer=$(asks GET '/schedules?limit=1&offset=1' 200)
is '[.total, (.schedules | length), .schedules[0].id]' '[2,1,"directory"]'
asks GET '/schedules?limit=x' 400 >/dev/null

# Reads need no manager
systemctl stop hyper-managerd.service
asks GET /schedules/directory 200 >/dev/null
! pgrep -x hyper-managerd >/dev/null || fail "a read has started the manager"

answer=$(asks DELETE /schedules/directory 200)
is .message '"schedule deleted successfully"'
asks GET /schedules/directory 404 >/dev/null
asks DELETE /schedules/daily-backup 200 >/dev/null
