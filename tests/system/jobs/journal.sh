#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What a job does is in the journal: by field, by unit, with explanations from the catalog, and nobody can
# forge it.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

raw_image "$dir/disk.raw" 16
id=$(submit "$(spec "$dir/disk.raw" "$dir/disk.qcow2" '.job_id = "logged"')")
wait_state "$id" COMPLETED
journalctl --sync
by_field=$(journalctl -q -o json "HYPER_JOB_ID=$id")
contains "$(jq -r '.HYPER_EVENT // empty' <<<"$by_field" | sort -u | tr '\n' ' ')" "phase progress state" \
        "the kinds of events"
equal "$(jq -r 'select(.HYPER_EVENT == "state") | .HYPER_STATE' <<<"$by_field" | tr '\n' ' ')" \
        "CREATED VALIDATED QUEUED ASSIGNED RUNNING COMPLETED " "the states"
phases=$(jq -r 'select(.HYPER_EVENT == "phase") | .HYPER_PHASE' <<<"$by_field" | tr '\n' ' ')
equal "$phases" "initialization inspection conversion verification finalization " "the phases"
equal "$(jq -r 'select(.HYPER_STATE == "CREATED" or ._SYSTEMD_UNIT == "hyper-job-logged.service") |
        .HYPER_SUBMITTER' <<<"$by_field" | sort -u)" root "the submitter"
equal "$(hyperctl list --json=short | jq -r '.jobs[] | select(.id == "logged") | .submitter')" root \
        "the submitter in the list"
http=$(curl -sS --unix-socket /run/hyper/api.sock http://localhost/jobs/logged)
equal "$(jq -c .submitter <<<"$http")" '{"name":"root","user":"root","uid":0}' "the submitter over HTTP"
by_http=$(curl -sS --unix-socket /run/hyper/api.sock http://localhost/jobs/submit \
        -H 'Content-Type: application/json' -d "$(spec "$dir/disk.raw" "$dir/http.qcow2")" |
                jq -r '.job_id // .job_ids[0]')
equal "$(hyperctl status "$by_http" --json=short | jq -c .submitter)" \
        '{"name":"root","user":"root","uid":0}' "who has submitted over HTTP"
log=$(busctl --json=short call "${manager[@]}" GetJobLog 'sa{sv}' logged 0)
contains "$(jq -r '.data[0]' <<<"$log" | jq -r '.[].event' | sort -u | tr '\n' ' ')" "phase state" "the log"
equal "$(busctl --json=short call "${manager[@]}" GetJobLog 'sa{sv}' logged 1 cursor s \
        "$(jq -r '.data[1]' <<<"$log")" | jq -r '.data[0]')" "[]" "what follows the log"
[ -n "$(journalctl -q -o cat -u 'hyper-job-*')" ] || fail "journalctl -u 'hyper-job-*' shows nothing"
for event in state phase progress; do
        message=$(jq -r "select(.HYPER_EVENT == \"$event\") | .MESSAGE_ID" <<<"$by_field" | head -n 1)
        [ -n "$(journalctl --catalog-lines=1 --list-catalog "$message" 2>/dev/null ||
                journalctl --list-catalog "$message")" ] ||
                fail "the catalog has nothing about $event ($message)"
done
contains "$(journalctl -q -x --no-pager "HYPER_JOB_ID=$id" HYPER_EVENT=state)" "░░" "journalctl -x"

# The last line of each job's unit belongs to the unit, however soon the program that wrote it ends.
for i in $(seq 24); do
        submit "$(spec "$dir/disk.raw" "$dir/last-$i.raw" ".job_id = \"last-$i\"")" >/dev/null
done
for i in $(seq 24); do
        wait_state "last-$i" COMPLETED
done
journalctl --sync
last=$(journalctl -q -o json | jq -r \
        'select((.HYPER_JOB_ID // "" | startswith("last-")) and (.MESSAGE | type == "string")
        and (.MESSAGE | startswith("The disk image "))) | ._SYSTEMD_UNIT // "none"' |
                grep -c '^hyper-job-last')
equal "$last" 24 "the last lines that belong to their units"

# A lie of some other program is not believed.
printf 'MESSAGE=a lie\nHYPER_JOB_ID=%s\nHYPER_EVENT=progress\nHYPER_PERCENT=3\nHYPER_BYTES_DONE=5\nHYPER_BYTES_TOTAL=7\n' "$id" | logger --journald
journalctl --sync
contains "$(journalctl -q -o cat "HYPER_JOB_ID=$id")" "a lie" "the journal itself"
lacks "$(http GET "$worker/jobs/$id/events")" "a lie" "the events over HTTP"
lacks "$(curl -sSN -m 20 "$worker/jobs/$id/events/stream")" "a lie" "the stream"
