#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Webhooks of the configuration, as HyperSDK's documentation writes them: in force after a start and a reload,
# and a mistake changes nothing.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

receiver 9001
receiver 9002
config() { cat >/etc/hyper/config.yaml; }
mkdir -p /etc/hyper
config <<'END'
metrics:
  enabled: true
  port: 8080

webhooks:
  - url: "http://127.0.0.1:9001/notify"
    events:
      - job.submitted
      - job.failed
    enabled: true
    timeout: 30
    retry_count: 3
    headers:
      Authorization: "Bearer token123"
END
systemctl stop hyper-managerd.service
equal "$(http GET $api/webhooks | jq -c '.webhooks | map([.index, .url, .origin])')" '[]' \
        "the list before the manager was started"
quick_job one
eventually 20 "it was told" has_seen 9001 1
equal "$(seen 9001 .headers.Authorization)" "Bearer token123" "the header"
equal "$(http GET $api/webhooks | jq -c '.webhooks | map([.index, .url, .origin, .headers])')" \
        '[[0,"http://127.0.0.1:9001/notify","config",{"Authorization":"***"}]]' "the list"
lacks "$(hyperctl config)" token123 "the configuration that is shown"
error=$(http DELETE $api/webhooks/0 | jq -r .error)
equal "$(status)" 400 "the status of its deletion"
contains "$error" "configuration" "the error"
equal "$(find /var/lib/hyper/credentials/webhooks -type f | wc -l)" 1 "files with secrets"

# Another secret, and one more
sed -i 's/token123/token456/' /etc/hyper/config.yaml
printf '  - {url: "http://127.0.0.1:9002/", events: [job.submitted]}\n' >>/etc/hyper/config.yaml
systemctl reload hyper-managerd.service
quick_job two
eventually 20 "the first was told again" has_seen 9001 2
eventually 20 "the second was told" has_seen 9002 1
equal "$(seen 9001 .headers.Authorization | tail -n 1)" "Bearer token456" "the new header"
equal "$(find /var/lib/hyper/credentials/webhooks -type f | wc -l)" 1 "files with secrets"

# A restart changes nothing; nor does a mistake
before=$(busctl call "${manager[@]}" ListWebhooks | sed 's/"pending.*//')
systemctl restart hyper-managerd.service
equal "$(busctl call "${manager[@]}" ListWebhooks | sed 's/"pending.*//')" "$before" \
        "the list after a restart"
cp /etc/hyper/config.yaml "$dir/good.yaml"
sed -i 's/timeout: 30/timeout: 3000/' /etc/hyper/config.yaml
error=$(busctl call "${manager[@]}" Reload 2>&1) && fail "a wrong configuration was taken"
contains "$error" "config.yaml:6: webhooks[0]: timeout: must be 1 to 300" "the error"
equal "$(busctl call "${manager[@]}" ListWebhooks | sed 's/"pending.*//')" "$before" \
        "the list after a mistake"

# Nor does hyper-notifyd ask for ever where the manager can only refuse; afterwards all goes on
receiver_down 9002
quick_job three
pending() { ! none_pending 1; }
eventually 20 "something waits for the receiver that is away" pending
systemctl stop hyper-managerd.service
notifyd_gone() { [ "$(systemctl is-active hyper-notifyd.service)" = inactive ]; }
eventually 60 "hyper-notifyd ends" notifyd_gone
receiver 9002
cp "$dir/good.yaml" /etc/hyper/config.yaml
eventually 30 "the manager is back" busctl -q call "${manager[@]}" ListWebhooks
eventually 30 "what waited was delivered" none_pending 1
for id in one two three; do wait_state $id COMPLETED; done

rm /etc/hyper/config.yaml
systemctl reload hyper-managerd.service
equal "$(hyperctl webhook list --json=short)" "[]" "the list without a configuration"
equal "$(find /var/lib/hyper/credentials/webhooks -type f | wc -l)" 0 "files with secrets"
receiver_down 9001
receiver_down 9002
