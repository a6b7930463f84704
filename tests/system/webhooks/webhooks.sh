#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A webhook is told of a job in order, signed, with its headers; its secrets are nowhere else; and when all is
# delivered nothing runs.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

settings 'daemon: {idle_timeout: 2}'
secret=$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')
token=$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')
password=$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')
receiver 9001
receiver 9002
equal "$(hook "{\"url\":\"http://alice:$password@127.0.0.1:9001/hook\",\"secret\":\"$secret\",\"headers\":{\"X-Token\":\"$token\"}}")" 0 "the index"
raw_image "$dir/disk.raw" 32
submit "$(spec "$dir/disk.raw" "$dir/one.qcow2" '.job_id = "one"')" >/dev/null
wait_state one COMPLETED
eventually 20 "all was told" none_pending 0
equal "$(seen 9001 | grep -v job.progress | tr '\n' ' ')" "job.submitted job.started job.completed " \
        "the events"
equal "$(seen 9001 '.body | fromjson | .data.status' | sort -u | tr '\n' ' ')" "completed pending running " \
        "the statuses"
equal "$(seen 9001 '.headers["X-Token"]' | sort -u)" "$token" "the header"
equal "$(seen 9001 '.headers.Authorization' | sort -u)" "Basic $(printf 'alice:%s' "$password" |
        base64 -w0)" "the user and password"
equal "$(seen 9001 '[.headers["X-Hyper-Delivery"] == (.body | fromjson | .delivery_id), .headers["X-Hyper-Event"] == (.body | fromjson | .event)] | all' | sort -u)" \
        true "that the headers say what the body says"

# The signature, as anybody can check it
while read -r line; do
        jq -j .body <<<"$line" >"$dir/body"
        equal "$(jq -r '.headers["X-Hyper-Signature"]' <<<"$line")" \
                "sha256=$(openssl dgst -sha256 -hmac "$secret" -r "$dir/body" | cut -d' ' -f1)" \
                "the signature"
done <"$dir/9001.seen"

# A webhook with secrets that is added while hyper-notifyd runs; it is given them
quick_job two
equal "$(hook "{\"url\":\"http://127.0.0.1:9002/\",\"events\":[\"job.completed\"],\"headers\":{\"X-Token\":\"$token\"}}")" 1 "the index"
submit "$(spec "$dir/disk.raw" "$dir/three.qcow2" '.job_id = "three"')" >/dev/null
wait_state three COMPLETED
eventually 20 "the second webhook was told" has_seen 9002 1
equal "$(seen 9002 '.headers["X-Token"]' | sort -u)" "$token" "the header of the second webhook"

# A test by its URL, with the password in it, is a test of that webhook, and does not tell it
answer=$(busctl --json=short call "${manager[@]}" TestWebhook s \
        "{\"url\":\"http://alice:$password@127.0.0.1:9001/hook\"}" | jq -r '.data[0]')
equal "$(jq -c '[.success, .url]' <<<"$answer")" '[true,"http://***@127.0.0.1:9001/hook"]' "the test by URL"
equal "$(seen 9001 '.headers["X-Token"]' | tail -n 1)" "$token" "its header"

# Shown to nobody, and found nowhere (the pattern comes from a file: on a command line it would be found
# itself)
printf '%s\n' "$secret" "$token" "$password" >"$dir/pattern"
busctl call "${manager[@]}" ListWebhooks >"$dir/list"
contains "$(cat "$dir/list")" 'http://***@127.0.0.1:9001/hook' "the list"
search() {
        grep -cFf "$dir/pattern" "$dir/list" || :
        systemctl show hyper-notifyd.service hyper-managerd.service | grep -cFf "$dir/pattern" || :
        cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\0' '\n' |
                grep -cFf "$dir/pattern" || :
        { grep -rlFf "$dir/pattern" /var/lib/hyper /run/systemd/transient /etc/hyper 2>/dev/null || :; } |
                wc -l
        journalctl -q -o export | grep -acFf "$dir/pattern" || :
        deliveries 0 | grep -cFf "$dir/pattern" || :
}
equal "$(search | sort -u | tr '\n' ' ')" "0 " "where secrets are found"
equal "$(find /var/lib/hyper/credentials/webhooks -type f -printf '%m %u\n' | sort | uniq -c | tr -s ' ')" \
        " 2 600 root" "the files with secrets"

# Nobody else gets deliveries
as_nobody() { as hyper-viewer "$@"; }
as_nobody busctl call org.hyper1 /org/hyper1 org.hyper1.Deliveries NextDeliveries axu 0 16 2>/dev/null &&
        fail "anybody may take deliveries"
as_nobody busctl call "${manager[@]}" AddWebhook 'sa{sv}' '{"url":"http://a/"}' 0 2>/dev/null &&
        fail "anybody may add webhooks"
setpriv --reuid=hyper-notify --regid=hyper-notify --clear-groups busctl -q call org.hyper1 /org/hyper1 \
        org.hyper1.Deliveries NextDeliveries axu 0 16 ||
        fail "hyper-notify may not take deliveries"

# Removed: its secrets go, too; and then nothing runs
busctl -q call "${manager[@]}" RemoveWebhook u 0
equal "$(find /var/lib/hyper/credentials/webhooks -type f | wc -l)" 1 "files with secrets"
inactive() { [ "$(systemctl is-active hyper-notifyd.service hyper-managerd.service | sort -u)" = inactive ]; }
eventually 40 "nothing runs when all is delivered" inactive
equal "$(systemctl show -P NRestarts hyper-notifyd.service)" 0 "restarts of hyper-notifyd by systemd"
receiver_down 9001
receiver_down 9002
