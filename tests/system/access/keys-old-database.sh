#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Where the keys cannot be known nobody is let in on the worker API's port, whatever they come with: in a
# database of an older version, or without the files that a reader needs beside it. The manager is started to
# look after it.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

database=/var/lib/hyper/hyper.db
key=$(hyperctl key add one --scope=read -q)
answer() { curl -sS -m 30 -o "$dir/body" -w '%{http_code}' -H "X-API-Key: $1" "$worker/jobs"; }
answers() { [ "$(answer "$1")" = "$2" ]; }
set_version() { sqlite3 "$database" "UPDATE schema_version SET version = $1"; }
equal "$(answer "$key")" 200 "the answer with a key"
systemctl stop hyper.service hyper-managerd.service

# It claims to be older than it is: so the manager cannot bring it up to date, and there is time to look.
version=$(sqlite3 "$database" "SELECT version FROM schema_version")
set_version 1
equal "$(answer "$key")" 503 "the answer with a key while the keys cannot be known"
equal "$(answer "")" 503 "the answer without one"
equal "$(curl -sS -o /dev/null -w '%{http_code}' "$worker/health")" 503 "health"
was_started() { [ -n "$(journalctl -q --no-pager -u hyper-managerd.service --since=-60s --grep "$database" \
        -o cat -n 1 || :)" ]; }
eventually 20 "the manager has looked at the database" was_started
journalctl -q --no-pager -u hyper.service --grep 'before org.hyper1 has looked after it' >/dev/null ||
        fail "the log does not say why"

systemctl stop hyper-managerd.service
systemctl reset-failed 'hyper*' 2>/dev/null || :
set_version "$version"
eventually 20 "the key is valid again" answers "$key" 200
equal "$(answer "")" 401 "the answer without one, when the keys are known"

# Whoever looks into the database with another program, as the last one, takes -wal and -shm away.
systemctl stop hyper.service hyper-managerd.service
rm -f "$database"-wal "$database"-shm
first=$(answer "")
equal "$first" 503 "the answer without a key, and without -shm"
eventually 20 "the manager has made them anew" answers "$key" 200
equal "$(answer "")" 401 "the answer without a key"
hyperctl key rm one
