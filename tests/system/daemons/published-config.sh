#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The configuration file that HyperSDK's documentation shows, as it is written there.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

mkdir -p /etc/hyper
cat >/etc/hyper/config.yaml <<'END'
# config.yaml
database:
  path: "/var/lib/hypersdk/jobs.db"

metrics:
  enabled: true
  port: 8080

webhooks:
  - url: "https://hooks.example.com/notify"
    events:
      - job.completed
      - job.failed
    enabled: true
    timeout: 30
    retry_count: 3
    headers:
      Authorization: "Bearer token123"
END
systemctl stop hyper.service hyper-managerd.service
raw_image "$dir/disk.raw" 8
answer=$(http POST "$api/jobs/submit" "$(jq -cn --arg s "$dir/disk.raw" --arg d "$dir/disk.qcow2" \
        '{source: {type: "file", path: $s}, destination: {type: "file", path: $d}}')")
equal "$(status)" 201 "the status; $answer"
id=$(jq -r .job_id <<<"$answer")
wait_state "$id" COMPLETED
same "$dir/disk.raw" "$dir/disk.qcow2" qcow2
equal "$(sqlite3 -readonly /var/lib/hypersdk/jobs.db "SELECT state FROM jobs WHERE id = '$id'")" COMPLETED \
        "the job in that database"
equal "$(stat -c '%a %U %G' /var/lib/hypersdk/jobs.db)" "640 root hyper-api" "who may read it"
equal "$(http GET "$api/jobs/$id" | jq -r .status)" completed "the job over HTTP"
http GET "$api/metrics" | grep -q '^hyper_jobs{state="COMPLETED"} 1$' ||
        fail "the metrics do not say so: $(http GET "$api/metrics")"
equal \
        "$(http GET "$api/webhooks" | jq -c \
        '.webhooks | map([.url, .events, .timeout, .retry_count, .headers])')" \
        '[["https://hooks.example.com/notify",["job.completed","job.failed"],30,3,{"Authorization":"***"}]]' \
        "the webhooks"
told() { [ "$(http GET "$api/webhooks/0/deliveries" |
        jq '[.deliveries[] | select(.event == "job.completed")] | length')" -eq 1 ]; }
eventually 20 "there is a delivery" told
! grep -rlF token123 /var/lib/hypersdk || fail "the token is in the database's directory"
