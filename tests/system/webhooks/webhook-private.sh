#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Nothing is delivered to this machine or a private network unless the configuration lists the addresses,
# whatever leads there; a change counts at the next reload. What a receiver answers is shown to admins only.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

try() { busctl --json=short call "${manager[@]}" TestWebhook s "{\"url\":\"$1\"}" | jq -r '.data[0]'; }
allow() { settings "webhooks: {allow_private: [$1]}"; }
refused() {
        local answer
        answer=$(try "$1")
        equal "$(jq -c '[.success, .status_code, .response]' <<<"$answer")" '[false,null,null]' "$1"
        contains "$(jq -r .error <<<"$answer")" \
                "$2 address, to which nothing is delivered unless webhooks.allow_private lists it" \
                "the error of $1"
}

ip address add 10.9.8.7/32 dev lo
cat >>/etc/hosts <<'END'
127.0.0.1 inside.test
10.9.8.7 private.test
::ffff:127.0.0.1 mapped.test
END
receiver 9001
rm /etc/hyper/config.d/40-receivers.yaml
sed 's/"127.0.0.1", port/"10.9.8.7", port/' "$(dirname "$0")/../lib/receiver.py" >"$dir/receiver.py"
touch "$dir/9002.seen"
systemd-run -q --collect --unit=test-receiver-9002 -p KillSignal=SIGKILL -p SuccessExitStatus=SIGKILL \
        python3 "$dir/receiver.py" 9002 "$dir/9002.seen"
eventually 10 "the other receiver listens" listens 9002

busctl -q call "${manager[@]}" Reload
for url in http://127.0.0.1:9001/ http://inside.test:9001/ http://localhost:9001/ http://mapped.test:9001/ \
        'http://[::ffff:7f00:1]:9001/' http://2130706433:9001/ 'http://[::1]:9001/'; do
        refused "$url" "a loopback"
done
for url in http://10.9.8.7:9002/ http://private.test:9002/ http://192.168.77.1:9002/; do refused "$url" \
        "a private"; done
equal "$(seen_count 9001) $(seen_count 9002)" "0 0" "what came there"

# Only what is listed
allow 10.9.8.0/24
equal "$(try http://private.test:9002/ | jq -c '[.success, .status_code]')" '[true,200]' "one that is listed"
refused http://127.0.0.1:9001/ "a loopback"
allow '127.0.0.1, "::1"'
equal "$(try http://inside.test:9001/ | jq -c '[.success, .status_code]')" '[true,200]' \
        "the other, by its name"
refused http://10.9.8.7:9002/ "a private"

# What it answers
hook '{"url":"http://127.0.0.1:9001/","events":["job.submitted"]}' >/dev/null
quick_job one
eventually 20 "it was delivered" none_pending 0
wait_state one COMPLETED
useradd -M -s /bin/sh -g hyper-operator t-operator
useradd -M -s /bin/sh -g hyper-admin t-admin
response() { runuser -u "$1" -- curl -sS "$api/webhooks/0/deliveries" |
        jq -r '.deliveries[0] | [.event, .status_code, .response] | @csv'; }
[ -n "$(deliveries 0 '.[0].response // ""')" ] || fail "the receiver answered nothing"
equal "$(response t-operator)" '"job.submitted",200,' "the delivery for an operator"
equal "$(response t-admin)" "$(response root)" "the delivery for an admin"
[ "$(response t-admin)" != '"job.submitted",200,' ] || fail "an admin does not see the answer"
error=$(runuser -u t-operator -- busctl call "${manager[@]}" ListDeliveries 'ua{sv}' 0 0 2>&1) &&
        fail "an operator may see the answers on the bus"
contains "$error" "Not allowed (org.hyper1.manage-webhooks)" "the error"
systemctl stop test-receiver-9002
receiver_down 9001
