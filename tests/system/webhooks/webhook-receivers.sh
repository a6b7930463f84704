#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 180
# weight: 0.5
#
# Receivers that are away, slow, failing, cutting off, redirecting, endless or dead: nothing is lost, the
# order stays, and nobody holds up the others.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

settings 'jobs: {max_running: 1}'
receiver 9001
receiver 9002 fail=2
receiver 9003 wait=1
receiver 9004 status=500
receiver 9005 reset
receiver 9006 redirect=http://127.0.0.1:9001/stolen
receiver 9007 endless
receiver 9008 hang
for port in 9001 9002 9003 9007; do hook \
        "{\"url\":\"http://127.0.0.1:$port/\",\"events\":[\"job.submitted\"]}" >/dev/null; done
for port in 9004 9005 9006; do hook \
        "{\"url\":\"http://127.0.0.1:$port/\",\"events\":[\"job.submitted\"],\"retry_count\":1}" >/dev/null; \
        done
hook '{"url":"http://127.0.0.1:9008/","events":["job.submitted"],"timeout":300}' >/dev/null
# nobody is there yet
hook '{"url":"http://127.0.0.1:9009/","events":["job.submitted"],"retry_count":6}' >/dev/null

names=$(for i in 1 2 3 4; do echo "job-$i"; done | tr '\n' ' ')
for name in $names; do quick_job "$name"; done
# Who behaves is told at once, whatever the others do
eventually 10 "the first receiver was told of all" has_seen 9001 4
equal "$(seen 9001 '.body | fromjson | .data.job_id' | tr '\n' ' ')" "$names" "the order"
eventually 30 "the slow one was told of all" none_pending 2
equal "$(seen 9003 '.body | fromjson | .data.job_id' | tr '\n' ' ')" "$names" "the order at the slow one"
eventually 10 "the endless one was told of all" none_pending 3
equal "$(deliveries 3 '.[0] | [.status, .attempts, .status_code, (.response | length)]')" \
        '["delivered",1,200,4096]' "a delivery to the endless one"

# Failed twice, then well: the first comes three times with one id, those behind it wait for that
eventually 30 "the one that fails at first was told of all" none_pending 1
equal "$(seen 9002 '.body | fromjson | .data.job_id' | tr '\n' ' ')" "job-1 job-1 $names" \
        "the order at the one that fails at first"
equal "$(seen 9002 '.headers["X-Hyper-Delivery"]' | sort -u | wc -l)" 4 "the ids there"
equal "$(deliveries 1 'map([.status, .attempts, .status_code])')" \
        '[["delivered",3,200],["delivered",1,200],["delivered",1,200],["delivered",1,200]]' \
        "the deliveries there"

# Given up after one retry each, one after the other
eventually 60 "the failing one is given up on" none_pending 4
equal "$(deliveries 4 'map([.status, .attempts, .status_code, .error])' )" \
        "$(jq -cn '[range(4) | ["failed", 2, 500, "the answer was status 500"]]')" \
        "the deliveries to the failing one"
eventually 60 "the one that cuts off is given up on" none_pending 5
contains "$(deliveries 5 '.[0].error')" reset "the error"
eventually 60 "the redirecting one is given up on" none_pending 6
contains "$(deliveries 6 '.[0].error')" "redirects are not followed" "the error"
equal "$(seen 9001 .path | sort -u)" / "the paths at the first receiver"
[ "$(journalctl -q -o json MESSAGE_ID=7c2f1b609e3d4a538a14510d7a670b41 _SYSTEMD_UNIT=hyper-managerd.service \
        | jq -r .HYPER_WEBHOOK | grep -c 9004)" = 4 ] ||
        fail "the log does not tell what was given up"

# The one that comes late has missed nothing
receiver 9009
eventually 60 "the late one was told of all" none_pending 8
equal "$(seen 9009 '.body | fromjson | .data.job_id' | tr '\n' ' ')" "$names" "the order at the late one"
equal "$(deliveries 7 '.[0].status')" '"pending"' "the delivery to the dead one"

# A test says what came back
try() { busctl --json=short call "${manager[@]}" TestWebhook s "$1" | jq -r '.data[0]'; }
equal "$(try '{"index":4,"event":"hello"}' | jq -c '[.success, .status_code, .error, .event]')" \
        '[false,500,"the answer was status 500","hello"]' "the test of the failing one"
equal "$(try '{"url":"http://127.0.0.1:9001/elsewhere"}' | jq -c '[.success, .status_code, .response]')" \
        '[true,200,"thank you"]' "the test of a URL"
contains "$(try '{"url":"http://127.0.0.1:9/"}' | jq -r .error)" connect \
        "the test of a port where nobody listens"
equal "$(seen 9001 .path | tail -n 1)" /elsewhere "where the test went"

# Ten receivers, one of which is dead: the others are told as if it were not there. (They are told of 20
# jobs.)
for port in 9011 9012 9013 9014 9015 9016 9017 9018 9019; do
        receiver $port
        hook "{\"url\":\"http://127.0.0.1:$port/\",\"events\":[\"job.submitted\"]}" >/dev/null
done
for i in {1..20}; do quick_job "more-$i"; done
for port in 9011 9012 9013 9014 9015 9016 9017 9018 9019; do
        eventually 30 "receiver $port was told of all" has_seen $port 20
        equal "$(seen $port '.body | fromjson | .data.job_id' | tr '\n' ' ')" "$(printf 'more-%s ' {1..20})" \
                "the order at $port"
done
for port in 900{1..9} 901{1..9}; do receiver_down "$port"; done
for i in 4 20; do wait_state "more-$i" COMPLETED 120; done
