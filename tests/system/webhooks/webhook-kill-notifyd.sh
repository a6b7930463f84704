#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# kill -9 of hyper-notifyd between sending and recording: the receiver is told twice, with one delivery_id;
# and of hyper-managerd: nothing is lost.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

receiver 9001 wait=2
hook '{"url":"http://127.0.0.1:9001/","events":["job.submitted","job.cancelled"]}' >/dev/null
quick_job one
eventually 20 "the first delivery is on its way" has_seen 9001 1
pid=$(systemctl show -P MainPID hyper-notifyd.service)
kill -KILL "$pid"
eventually 30 "it was sent again" has_seen 9001 2
eventually 30 "it was recorded" none_pending 0
equal "$(seen 9001 '[.headers["X-Hyper-Delivery"], .headers["X-Hyper-Event"]] | join(" ")' | sort |
        uniq -c | awk '{print $1, $3}')" "2 job.submitted" "what came, how often"
equal "$(deliveries 0 'map([.event, .status, .attempts])')" '[["job.submitted","delivered",1]]' \
        "what is recorded"

# The manager dies while a delivery is on its way: the result is recorded by the next one
quick_job two
eventually 20 "the next delivery is on its way" has_seen 9001 3
kill -KILL "$(systemctl show -P MainPID hyper-managerd.service)"
eventually 30 "it was recorded" none_pending 0
equal "$(deliveries 0 'map(.status) | unique')" '["delivered"]' "what is recorded"

# Both at once, again and again, while events come
for i in 3 4 5 6; do
        # (the answer may be lost with the manager; the same again gives the same job)
        until quick_job "job-$i"; do sleep 0.1; done
        systemctl kill -s KILL hyper-notifyd.service hyper-managerd.service 2>/dev/null || :
done
eventually 60 "all was recorded" none_pending 0
for i in 3 4 5 6; do
        id=$(deliveries 0 "map(select(.body.data.job_id == \"job-$i\"))[0].delivery_id" | jq -r .)
        n=$(seen 9001 '.headers["X-Hyper-Delivery"]' | grep -c "$id" || :)
        [ "$n" -ge 1 ] || fail "job-$i was never told of"
done
# first appearances are in order
equal "$(seen 9001 '.body | fromjson | .data.job_id' | awk '!s[$0]++' | tr '\n' ' ')" \
        "one two job-3 job-4 job-5 job-6 " "the order"
for i in 3 4 5 6; do wait_state "job-$i" COMPLETED; done
receiver_down 9001
systemctl reset-failed 'hyper-*' 2>/dev/null || :
