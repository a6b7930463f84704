# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The part "webhooks" of tests/bench/run: how fast what waits in the database is delivered and recorded, and
# what a receiver that hangs costs the others. To be sourced by that script.

# shellcheck disable=SC2154 # results and tool are that script's

webhook_database=/var/lib/hyper/hyper.db

# add_webhook PORT: on a port of the machine
add_webhook() {
        inside busctl -q call org.hyper1 /org/hyper1 org.hyper1.Manager AddWebhook 'sa{sv}' \
                "{\"url\":\"http://127.0.0.1:$1/hook\",\"timeout\":300,\"events\":[\"schedule.triggered\"]}" 0
}

# queue_deliveries N: so many for each webhook, as if events had made them while nothing ran
queue_deliveries() {
        inside systemctl stop hyper-notifyd.service hyper-managerd.service
        inside sqlite3 $webhook_database "
                DELETE FROM deliveries;
                WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
                INSERT INTO deliveries (webhook_seq, id, event, subject, body, created_at, due_at)
                SELECT w.seq, lower(hex(randomblob(16))), 'job.completed', 'bench-' || i,
                        json_object('event', 'job.completed', 'data', json_object('job_id', 'bench-' || i, 'reason', printf('%0600d', i))), 1, 1
                FROM n, webhooks w"
}

pending() { inside sqlite3 -readonly $webhook_database \
        "SELECT count(*) FROM deliveries WHERE state = 'pending'"; }

few_are_pending() { [ "$(pending)" -le "$1" ]; }

# deliver N EXPECTED-LEFT: prints deliveries per second from waking the manager until that many are left
deliver() {
        local count=$1 left=$2 began=$EPOCHREALTIME
        inside busctl -q call org.hyper1 /org/hyper1 org.freedesktop.DBus.Peer Ping
        await 60 "all but $left deliveries are made" few_are_pending "$left"
        awk "BEGIN { print $count / ($EPOCHREALTIME - $began) }"
}

# The same number of such bodies by one curl, one after the other over one connection
curl_rate() {
        local began
        inside sh -c "for i in \$(seq $1); do printf 'next\nurl = http://127.0.0.1:8101/hook\nheader = \"Content-Type: application/json\"\ndata = \"%0650d\"\noutput = /dev/null\nsilent\n' \$i; done | tail -n +2 >/srv/bench/curl.conf"
        began=$EPOCHREALTIME
        inside curl -K /srv/bench/curl.conf
        awk "BEGIN { print $1 / ($EPOCHREALTIME - $began) }"
}

forget_webhooks() {
        inside systemctl stop hyper-notifyd.service hyper-managerd.service
        inside sqlite3 $webhook_database "PRAGMA foreign_keys=ON; DELETE FROM webhooks"
}

bench_webhooks() {
        local ours=() peers=() ten nine
        inside mkdir -p /etc/hyper/config.d
        inside sh -c 'echo "webhooks: {allow_private: [127.0.0.0/8]}" >/etc/hyper/config.d/40-receivers.yaml'
        inside systemctl stop hyper-managerd.service
        inside systemd-run -q --unit=bench-receiver "$tool/bare-http" 8101 10
        # takes connections and says nothing
        inside systemd-run -q --unit=bench-hanging sh -c 'sleep 3600 | nc -lk 127.0.0.1 8102 >/dev/null'
        add_webhook 8101
        for _ in 1 2 3; do
                queue_deliveries 2000
                ours+=("$(deliver 2000 0)")
                peers+=("$(curl_rate 2000)")
        done
        record webhooks "Deliveries, one webhook" 1/s "${ours[*]}" "${peers[*]}" \
                "one curl, one connection, nothing recorded"
        for _ in $(seq 8); do add_webhook 8101; done
        queue_deliveries 500
        nine=$(deliver 4500 0)
        record webhooks "Deliveries, nine webhooks" 1/s "$nine" "${ours[*]}" "one webhook"
        add_webhook 8102
        queue_deliveries 500
        ten=$(deliver 4500 500)
        record webhooks "Deliveries to nine webhooks beside one that hangs" 1/s "$ten" "$nine" \
                "nine that answer"
        forget_webhooks
        inside systemctl stop bench-receiver.service bench-hanging.service
}
