#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 180
#
# Nothing is delivered to link-local addresses, whatever leads there; and a name server that does not answer
# holds up only the webhook that asks it.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

# Somebody is there, and would be told
ip address add 169.254.169.254/32 dev lo
cat >>/etc/hosts <<'END'
169.254.169.254 metadata.test
::ffff:169.254.169.254 mapped.test
END
sed 's/"127.0.0.1", port/"169.254.169.254", port/' "$(dirname "$0")/../lib/receiver.py" >"$dir/receiver.py"
touch "$dir/80.seen"
systemd-run -q --collect --unit=test-receiver-80 -p KillSignal=SIGKILL -p SuccessExitStatus=SIGKILL python3 \
        "$dir/receiver.py" 80 "$dir/80.seen"
eventually 10 "the receiver listens" listens 80
curl -sS -m 10 -d x http://metadata.test/ >/dev/null || fail "the receiver does not answer to others"
equal "$(seen_count 80)" 1 "what came there"

try() { busctl --json=short call "${manager[@]}" TestWebhook s "{\"url\":\"$1\"}" | jq -r '.data[0]'; }
for url in http://169.254.169.254/ http://metadata.test/ http://mapped.test/ 'http://[::ffff:a9fe:a9fe]/' \
        http://2852039166/ http://0xa9.0xfe.0xa9.0xfe/ 'http://[fe80::1]/'; do
        answer=$(try "$url")
        equal "$(jq -c '[.success, .status_code]' <<<"$answer")" '[false,null]' "$url"
        contains "$(jq -r .error <<<"$answer")" "is a link-local address, to which nothing is delivered" \
                "the error of $url"
done
equal "$(seen_count 80)" 1 "what came there"

# A name server that takes questions and never answers
receiver 9001
cat >"$dir/silent.py" <<'END'
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 53))
while True:
    s.recv(4096)
END
systemd-run -q --collect --unit=test-silent -p KillSignal=SIGKILL -p SuccessExitStatus=SIGKILL python3 \
        "$dir/silent.py"
asked() { [ -n "$(ss -lunH '( sport = :53 )')" ]; }
eventually 10 "the name server is there" asked
rm -f /etc/resolv.conf
printf 'nameserver 127.0.0.1\noptions timeout:30 attempts:5\n' >/etc/resolv.conf
hook '{"url":"http://nowhere.test/","events":["job.submitted"],"timeout":2,"retry_count":10}' >/dev/null
hook '{"url":"http://127.0.0.1:9001/","events":["job.submitted"]}' >/dev/null
systemctl stop hyper-notifyd.service # so that its resolver reads the file anew
quick_job one
given_up_once() { [ "$(deliveries 0 '.[0].attempts')" -ge 1 ]; }
eventually 20 "the lookup was given up after the webhook's timeout" given_up_once
contains "$(deliveries 0 '.[0].error')" "no complete answer within 2s" "the error"
for i in 2 3 4 5 6; do
        quick_job "job-$i"
        eventually 10 "the other webhook is told while the lookups hang" has_seen 9001 "$i"
done
busctl -q call "${manager[@]}" RemoveWebhook u 0
for i in 2 3 4 5 6; do wait_state "job-$i" COMPLETED; done
systemctl stop test-silent test-receiver-80
receiver_down 9001
