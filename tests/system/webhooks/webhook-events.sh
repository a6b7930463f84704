#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 180
#
# Progress is told for each tenth that was passed and not more often; runs of schedules are told, too; a job
# that fails says why.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

receiver 9001
receiver 9002
receiver 9003
hook '{"url":"http://127.0.0.1:9001/","events":["job.progress"]}' >/dev/null
hook '{"url":"http://127.0.0.1:9002/","events":["schedule.triggered","schedule.completed"]}' >/dev/null
hook '{"url":"http://127.0.0.1:9003/","events":["job.created","job.failed","job.cancelled"]}' >/dev/null
raw_image "$dir/disk.raw" 128
serve "$dir/s.sock" --filter=rate file "$dir/disk.raw" rate=48M # bits, for each of some connections
submit "$(spec "$(nbd_uri "$dir/s.sock")" "$dir/slow.qcow2" '.job_id = "slow"')" >/dev/null
wait_state slow COMPLETED
eventually 20 "the progress was told" none_pending 0
equal "$(seen 9001 | sort -u)" job.progress "the events"
tenths=$(seen 9001 '.body | fromjson | .data.progress.percent_complete / 10 | floor')
[ "$(wc -l <<<"$tenths")" -ge 2 ] || fail "little progress was told: $tenths"
equal "$tenths" "$(sort -nu <<<"$tenths")" "the tenths, each once and ascending"

# A schedule's run
busctl -q call "${manager[@]}" CreateSchedule 'sa{sv}' \
        "{\"id\":\"nightly\",\"name\":\"Every night\",\"schedule\":\"@yearly\",\"job\":$(spec \
        "$dir/disk.raw" "$dir/{job_id}.qcow2")}" 0
id=$(busctl --json=short call "${manager[@]}" TriggerSchedule 'sa{sv}' nightly 0 | jq -r '.data[0]')
wait_state "$id" COMPLETED
eventually 20 "the schedule's end was told" has_seen 9002 2
eventually 20 "it was recorded" none_pending 1
equal "$(seen 9002 '.body | fromjson | [.event, .data.schedule_id, .data.schedule_name, .data.job_id, .data.status] | join(" ")' | tr '\n' ',')" \
        "schedule.triggered nightly Every night $id pending,schedule.completed nightly Every night $id completed," "what was told of the schedule"
busctl -q call "${manager[@]}" DeleteSchedule s nightly

# A failure
echo nonsense >"$dir/broken.vmdk"
submit "$(spec "$dir/broken.vmdk" "$dir/broken.qcow2" '.job_id = "broken" | .source.format = "vmdk"')" \
        >/dev/null
wait_state broken FAILED
eventually 20 "the failure was told" none_pending 2
equal "$(seen 9003 '.body | fromjson | [.event, .data.job_id, .data.status] | join(" ")' | tail -n 1)" \
        "job.failed broken failed" "what was told of the failure"
[ -n "$(seen 9003 '.body | fromjson | .data.error // ""' | tail -n 1)" ] || fail "the failure has no error"
equal "$(seen 9003 | head -n 1)" job.submitted "what one gets that asked for job.created"
stop_serving "$dir/s.sock"
for port in 9001 9002 9003; do receiver_down $port; done
