#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 400
# slow: it runs two hundred jobs, four at a time
# weight: 0.5
#
# 200 jobs at once, 4 running; 50 are cancelled; each ends as it should, nothing is left of any.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

settings 'jobs: {max_running: 4}'
raw_image "$dir/disk.raw" 8
mkdir "$dir/out"
jobs=$(for i in $(seq 200); do
        jq -cn --arg i "$i" --arg d "$dir" '{id: "many-\($i)", source: {type: "file", path: "\($d)/disk.raw"},
                destination: {type: "file", path: "\($d)/out/\($i).qcow2", format: "qcow2"}}'
done | jq -cs .)
answer=$(http POST "$api/jobs/submit" "$jobs")
equal "$(status)" 201 "the batch's status; ${answer:0:300}"
mapfile -t ids < <(jq -r '.job_ids[]' <<<"$answer")
equal "${#ids[@]}" 200 "accepted jobs"

# the last fifty: most of them still wait
to_cancel=$(printf '%s\n' "${ids[@]:150}" | jq -R . | jq -cs '{job_ids: .}')
answer=$(http POST "$api/jobs/cancel" "$to_cancel")
equal "$(status)" 200 "the cancel's status; ${answer:0:300}"
cancelled=$(jq -r '.cancelled | length' <<<"$answer")
most=0
end=$((SECONDS + 200))
while :; do
        running=$(systemctl list-units --plain --no-legend 'hyper-job-*.service' | wc -l)
        [ "$running" -le "$most" ] || most=$running
        counts=$(busctl --json=short get-property "${manager[@]}" Jobs | jq -c .data)
        [ "$(jq '(.COMPLETED // 0) + (.FAILED // 0) + (.CANCELLED // 0)' <<<"$counts")" -lt 200 ] || break
        [ $SECONDS -lt $end ] || fail "not done after 200 s: $counts"
        sleep 0.1
done
equal "$(jq -c '[.COMPLETED, .CANCELLED, .FAILED // 0]' <<<"$counts")" "[$((200 - cancelled)),$cancelled,0]" \
        "completed, cancelled, failed"
[ "$cancelled" -ge 40 ] || fail "only $cancelled of 50 were cancelled"
[ "$most" -le 4 ] || fail "$most units at one time, with max_running 4"
none_left() { [ -z "$(systemctl list-units --all --plain --no-legend 'hyper-job-*.service')" ]; }
eventually 30 "every unit is gone" none_left
for i in "${!ids[@]}"; do
        out=$dir/out/$((i + 1)).qcow2
        case $(http GET "$api/jobs/${ids[i]}" | jq -r .status) in
                completed) same "$dir/disk.raw" "$out" qcow2 ;;
                cancelled) missing "$out" ;;
                *) fail "${ids[i]} is $(http GET "$api/jobs/${ids[i]}")" ;;
        esac
done
no_part_left "$dir/out"
equal "$(http GET "$api/jobs/query?limit=7" | jq -c '[(.jobs | length), .total]')" "[7,200]" \
        "a page of the list"
