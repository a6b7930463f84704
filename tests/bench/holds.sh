# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The part "holds" of tests/bench/run, to be sourced by it: the longest time for which one request holds the event loop
# of a daemon, in CPU time (loop-hold.c), with 10,000 rows of each kind, 10,000 jobs that wait besides, 1,000 VMs on a
# host, 1,000 deliveries, and a log of 5,000 lines.

# shellcheck disable=SC2154 # tool, here, results, work, api, hosts_api, queue_api and webhook_database are those scripts'
# shellcheck disable=SC2016 # $ in single quotes is for the shell inside

hold_units=(hyper.service hyper-managerd.service hyper-hostd.service hyper-vsphered.service)

holds_start() {
        local unit
        cc -shared -fPIC -O2 -o "$work/loop-hold.so" "$here/loop-hold.c"
        inside sh -c "cat >$tool/loop-hold.so" <"$work/loop-hold.so"
        for unit in "${hold_units[@]}"; do
                inside sh -c 'mkdir -p /run/systemd/system/$1.d
                        printf "[Service]\nEnvironment=LD_PRELOAD=%s\n" "$2" >/run/systemd/system/$1.d/hold.conf' _ \
                        "$unit" "$tool/loop-hold.so"
        done
        inside systemctl daemon-reload
        inside systemctl stop "${hold_units[@]}"
}

holds_stop() {
        local unit
        for unit in "${hold_units[@]}"; do inside rm -r "/run/systemd/system/$unit.d"; done
        inside systemctl daemon-reload
        inside systemctl stop "${hold_units[@]}"
}

# Rows are copied in the database: to make them by requests would take minutes.
holds_fill() {
        small_source
        inside sh -c 'mkdir -p /etc/hyper/config.d && echo "worker: {local: false}" >/etc/hyper/config.d/90-holds.yaml'
        inside hyperctl submit --wait --quiet --id hold-job --source /srv/bench/small.qcow2 --destination \
                /srv/bench/hold.qcow2
        inside hyperctl schedule add '0 2 * * *' --id hold-schedule --source /srv/bench/small.qcow2 \
                --destination '/srv/bench/{job_id}.qcow2'
        /usr/bin/python3 "$here/queue-register.py" 8000 10000
        # The unit of the job once more: 5,000 lines for its log, which are events, too
        inside systemd-run -q --wait --unit='hyper-job-hold\x2djob.service' -p LogExtraFields=HYPER_JOB_ID=hold-job \
                -p LogExtraFields=HYPER_EVENT=note seq 5000
        add_webhook 9
        queue_deliveries 1000
        inside sqlite3 "$webhook_database" "UPDATE deliveries SET state = 'delivered',
                tried_at = unixepoch() * 1000000, status = 200, response = printf('%01000d', seq)"
        inside systemctl stop hyper.service hyper-managerd.service
        inside sh -ec '
                columns() { sqlite3 /var/lib/hyper/hyper.db "SELECT group_concat(name) FROM pragma_table_info('\''$1'\'')
                        WHERE name NOT IN ('\''seq'\'', '\''id'\'')"; }
                for table in jobs schedules; do
                        all=$(columns $table)
                        sqlite3 /var/lib/hyper/hyper.db "
                                WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
                                INSERT INTO $table (id, $all) SELECT '\''hold-'\'' || n.i, $all FROM n, $table
                                WHERE id IN ('\''hold-job'\'', '\''hold-schedule'\'')"
                done
                # As many that wait for a worker
                sqlite3 /var/lib/hyper/hyper.db "
                        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
                        INSERT INTO jobs (id, operation, spec, dialect, state, priority, retry_count, idempotent, any_worker,
                                created_at, updated_at, role, v1_provider, v1_source, v1_output)
                        SELECT '\''wait-'\'' || n.i, operation, json_set(spec, '\''$.job_id'\'', '\''wait-'\'' || n.i,
                                '\''$.destination.path'\'', '\''/srv/bench/wait-'\'' || n.i), dialect, '\''QUEUED'\'', 50, 0, 1, 1,
                                created_at, updated_at, role, v1_provider, v1_source, v1_output
                        FROM n, jobs WHERE id = '\''hold-job'\''"'
        inside busctl call org.hyper1 /org/hyper1 org.freedesktop.DBus.Peer Ping
        # the host
        inside sh -ec '{
                echo "<node>"
                for vm in $(seq 1000); do
                        echo "<domain type=\"test\"><name>vm-$vm</name><memory unit=\"MiB\">512</memory><vcpu>2</vcpu><os><type>hvm</type></os></domain>"
                done
                echo "</node>"
        } >/srv/bench/hold-host.xml
        mkdir -p /etc/hyper/config.d && echo "hosts: {allow_test: true}" >/etc/hyper/config.d/90-hosts.yaml'
        curl -sSf -o /dev/null "$hosts_api/hosts" -H 'Content-Type: application/json' \
                -d '{"id":"hold","uri":"test:///srv/bench/hold-host.xml"}'
}

# hold UNIT "WHAT" COMMAND…: what the command asks for holds the loop of the unit for so long
hold() {
        local unit=$1 what=$2 since longest
        shift 2
        inside journalctl -q --sync
        since=$(date +%s.%6N)
        "$@" >/dev/null || die "$what failed"
        inside journalctl -q --sync
        longest=$(inside journalctl -q -o cat -u "$unit" --since "@$since" |
                awk '/^hold / && $2 > most {most = $2} END {print most + 0}')
        record holds "$what" ms "$longest" "" ""
}

# Sets v1_token, of the v1 API
v1_login() {
        v1_token=$(curl -skf https://127.0.0.1:5080/api/v1/auth/login -H 'Content-Type: application/json' \
                -d '{"username": "bench", "password": "secret"}' | jq -er .token)
}

holds_v1_start() {
        inside sh -ec 'id bench >/dev/null 2>&1 || useradd -M -s /usr/sbin/nologin -G hyper-admin bench
                echo bench:secret | chpasswd
                # A socket is not started while its service runs.
                systemctl stop hyper.service 2>/dev/null
                systemctl start hyper-tls.socket'
        # The new certificate restarts the service: then, a login may end without an answer.
        await 60 "the v1 API accepts a login" v1_login
        await 60 "the v1 API answers" v1_get /health
}

# With a token, which is not in the command line
v1_get() {
        curl -skSf --retry 3 --retry-all-errors -H @- -o /dev/null "https://127.0.0.1:5080/api/v1$1" \
                "${@:2}" <<<"Authorization: Bearer $v1_token"
}

# The first messages of a WebSocket of the v1 API
v1_watch() {
        inside env TOKEN="$v1_token" NODE_TLS_REJECT_UNAUTHORIZED=0 NODE_PATH=/usr/share/nodejs node -e '
                const s = new (require("ws"))("wss://127.0.0.1:5080/ws?token=" + process.env.TOKEN);
                let n = 0;
                s.on("message", () => { if (++n == 2) process.exit(0); });
                s.on("error", e => { console.error(String(e)); process.exit(1); });' 2>/dev/null
}

v1_remove_provider() {
        bus_call org.hyper1 /org/hyper1 org.hyper1.Manager AddSource ss \
                '{"name": "hold-source", "vcenter_url": "https://127.0.0.1:1", "username": "u"}' secret
        v1_get /providers/hold-source -X DELETE
}

bus_call() { inside busctl --timeout=60 call "$@"; }

bench_holds() {
        local path manager=(org.hyper1 /org/hyper1 org.hyper1.Manager) hosts=(org.hyper1.Hosts /org/hyper1/hosts)
        local objects=(org.freedesktop.DBus.ObjectManager GetManagedObjects)
        local v1_token
        holds_start
        holds_fill
        holds_v1_start
        [ "$(curl -sSf "$api/webhooks/0/deliveries?limit=1000" | jq '.deliveries | length')" = 1000 ] ||
                die "there are no 1,000 deliveries"
        [ "$(curl -sSf "$api/jobs/logs/hold-job" | jq '.logs | length')" -ge 5000 ] || die "the log has no 5,000 lines"
        for path in /jobs/query?all=true /jobs/logs/hold-job /webhooks/0/deliveries?limit=1000 /schedules /schedules/stats /webhooks /status /metrics \
                /sources /capabilities "/api/workflow/jobs?limit=1000" /api/workflow/status; do
                hold hyper.service "GET $path" curl -sSf "$api$path"
        done
        for path in /jobs?limit=1000 /jobs/hold-job/events /workers /queue /openapi.json /metrics /health; do
                hold hyper.service "GET $path (worker API)" curl -sSf "$queue_api$path"
        done
        # A part of the ID of one of the last jobs, an order without an index, a page far behind
        for path in "/jobs?limit=200" "/jobs?limit=200&type=convert" "/jobs?limit=200&provider=local" \
                "/jobs?search=hold-9999" "/jobs?limit=200&sort=vm_name&offset=9000" "/schedules?limit=200" \
                "/schedules?search=hold-9999" /system/alerts /system/health /readiness "/audit/logs?limit=200" \
                "/jobs/hold-job/logs?limit=200"; do
                hold hyper.service "GET $path (v1 API)" v1_get "$path"
        done
        hold hyper.service "the first messages of a WebSocket (v1 API)" v1_watch
        hold hyper.service "DELETE /providers/{id} (v1 API)" v1_remove_provider
        hold hyper.service "GET /jobs?offset=9000 (worker API)" curl -sSf "$queue_api/jobs?limit=100&offset=9000"
        for path in /hosts /vms /hosts/hold/vms /hosts/hold/stats /hosts/hold/storage/volumes /ports \
                /storage/disk-attachments /dashboard/stats /dashboard/overview /dashboard/activity; do
                hold hyper.service "GET /api$path" curl -sSf "$hosts_api$path"
        done
        hold hyper-hostd.service "hyper-hostd: ListVmRuntime" \
                bus_call "${hosts[@]}" org.hyper1.Hosts.Manager ListVmRuntime s ""
        hold hyper-hostd.service "hyper-hostd: ListVms, 1,000" \
                bus_call "${hosts[@]}" org.hyper1.Hosts.Manager ListVms stt "" 0 1000
        hold hyper-hostd.service "hyper-hostd: ListPorts" curl -sSf "$hosts_api/ports"
        hold hyper-hostd.service "hyper-hostd: GetManagedObjects" bus_call "${hosts[@]}" "${objects[@]}"
        hold hyper-managerd.service "hyper-managerd: GetManagedObjects" \
                bus_call org.hyper1 /org/hyper1 "${objects[@]}"
        hold hyper-managerd.service "hyper-managerd: ListWorkers" bus_call "${manager[@]}" ListWorkers
        hold hyper-managerd.service "hyper-managerd: ListJobs, 1,000" \
                bus_call "${manager[@]}" ListJobs 'a{sv}' 1 limit t 1000
        hold hyper-managerd.service "hyper-managerd: ListSchedules, 1,000" \
                bus_call "${manager[@]}" ListSchedules tt 0 1000
        hold hyper-managerd.service "hyper-managerd: QueueStatus" bus_call "${manager[@]}" QueueStatus
        curl -sSf -X DELETE "$hosts_api/hosts/hold"
        inside rm /etc/hyper/config.d/90-holds.yaml
        forget_webhooks
        holds_stop
}
