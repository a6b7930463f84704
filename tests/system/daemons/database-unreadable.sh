#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A database that is there and cannot be opened is not the same as none: every listener answers 503, to root,
# with and without a key. Nothing is "no keys" and nothing is "no jobs". It is served again as soon as it can
# be read.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

db=/var/lib/hyper/hyper.db
socket=/run/hyper/api.sock
raw_image "$dir/disk.raw" 1
key=$(hyperctl key add reader --scope=read -q)
wait_state "$(submit "$(spec "$dir/disk.raw" "$dir/disk.qcow2" '.job_id = "mine"')")" COMPLETED
asked() { curl -sS -m 20 -o "$dir/answer" -w '%{http_code}' "$@"; }

# every STATUS WHAT: of every listener
every() {
        local url
        for url in $api/jobs/mine $api/jobs/query $api/webhooks $worker/jobs $worker/queue \
                $hosts_api/api/v1/hosts; do
                equal "$(asked -H "X-API-Key: $key" "$url")" "$1" "$url with a key, $2"
                [ "$1" = 200 ] || equal "$(asked "$url")" "$1" "$url without a key, $2"
        done
        equal "$(asked --unix-socket $socket $api/jobs/mine)" "$1" "the UNIX socket, $2"
        equal "$(asked $api/health)" 200 "the health, $2"
        equal "$(asked $worker/health)" "$1" "the health of the worker API, which counts jobs, $2"
}
recovered() { [ "$(asked -H "X-API-Key: $key" $worker/jobs/mine)" = 200 ] &&
        [ "$(asked $api/jobs/mine)" = 200 ]; }
stop_all() { systemctl stop hyper.service hyper-managerd.service; }

every 200 "before"
# permissions
stop_all
chmod 600 $db
every 503 "not readable"
journalctl -q -u hyper.service --grep='Failed to open the database .*Permission denied' | grep -q . ||
        fail "the log does not say why"
chmod 640 $db
eventually 10 "it is served again" recovered
# of its directory
stop_all
mode=$(stat -c %a /var/lib/hyper)
chmod 700 /var/lib/hyper
every 503 "in a directory that cannot be searched"
chmod "$mode" /var/lib/hyper
eventually 10 "it is served again" recovered
# something else, nothing, and a directory
stop_all
mv $db "$db.away"
head -c 8192 /dev/urandom >$db
chown --reference="$db.away" $db
chmod --reference="$db.away" $db
every 503 "not a database"
: >$db
systemctl mask -q --runtime hyper-managerd.service # which would fill it
every 503 "empty"
rm $db
mkdir $db
every 503 "a directory"
rmdir $db
mv "$db.away" $db
systemctl unmask -q --runtime hyper-managerd.service
eventually 20 "it is served again" recovered
# read errors in the middle of its life: a page that is not one any more
every 200 "afterwards"
