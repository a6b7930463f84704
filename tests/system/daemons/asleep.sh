#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The manager's database can be read while the manager sleeps, also by the API's user.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

settings 'daemon: {idle_timeout: 1}'
raw_image "$dir/disk.raw" 8
id=$(submit "$(spec "$dir/disk.raw" "$dir/disk.qcow2")")
wait_state "$id" COMPLETED
asleep() { ! pgrep -x hyper-managerd >/dev/null; }
eventually 30 "the manager sleeps" asleep
db=/var/lib/hyper/hyper.db
equal "$(sqlite3 -readonly "$db" "SELECT count(*) FROM jobs")" 1 "jobs in the database"
equal "$(setpriv --reuid=hyper-api --regid=hyper-api --init-groups sqlite3 -readonly "$db" \
        "SELECT count(*) FROM jobs")" 1 "jobs that the API's user can read"
equal "$(sqlite3 -readonly "$db" "PRAGMA journal_mode")" wal "the journal mode"
setpriv --reuid=hyper-api --regid=hyper-api --init-groups sqlite3 "$db" "UPDATE jobs SET state = 'FAILED'" \
        2>/dev/null && fail "the API's user can write the database"
setpriv --reuid=nobody --regid=nogroup --clear-groups sqlite3 -readonly "$db" "SELECT 1 FROM jobs" \
        2>/dev/null && fail "anybody can read the database"
equal "$(http GET "$api/jobs/$id" | jq -r .status)" completed "the job over HTTP"
asleep || fail "reading over HTTP woke the manager"
