# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What tests/bench/run measures, one function per part. To be sourced by it.

# shellcheck disable=SC2154 # rounds and results are that script's
# shellcheck disable=SC2016 # \$ in single quotes is for the shell or awk inside

tool=/usr/local/lib/hyper-bench
api=http://127.0.0.1:8080

# --- convert: one disk image, to qcow2 and to raw ----------------------------------------------------------

# 4 GiB: 1 GiB of random data, 0.5 GiB of zeroes that were written, the rest never touched
make_source() {
        inside test -e /srv/bench/source.vmdk || inside sh -ec '
                cd /srv/bench
                qemu-img create -q -f vmdk new.vmdk 4G
                for i in $(seq 0 15); do
                        head -c 67108864 /dev/urandom >chunk
                        qemu-io -f vmdk -c "write -q -s chunk $((i * 64))M 64M" new.vmdk
                done
                qemu-io -f vmdk -c "write -q -P 0 1536M 512M" new.vmdk
                rm chunk
                mv new.vmdk source.vmdk
                cat source.vmdk >/dev/null'
}

# measured NAME COMMAND…: runs it inside, adds what it cost to a file of that name
measured() {
        local name=$1
        shift
        inside sh -c "rm -rf /srv/bench/out /srv/bench/.out.hyper-part /srv/bench/job; sync; exec 3>>/srv/bench/$name.cost; exec \"\$@\"" _ \
                "$tool/measure" "$@" >/dev/null || die "$name failed: $*"
}

cost() { inside cat "/srv/bench/$1.cost" | jq "$2"; }

nbdcopy_script() {
        cat <<'EOF'
set -e
cd /srv/bench
qemu-img create -q -f "$1" out 4G
qemu-nbd --fork --pid-file=in.pid -t -r -f vmdk -e 8 -k /srv/bench/in.sock source.vmdk
qemu-nbd --fork --pid-file=out.pid -t -f "$1" --discard=unmap --detect-zeroes=unmap -e 8 -k /srv/bench/out.sock out
status=0
nbdcopy --flush nbd+unix:///?socket=/srv/bench/in.sock nbd+unix:///?socket=/srv/bench/out.sock || status=$?
kill $(cat in.pid out.pid)
exit $status
EOF
}

# the plan that the manager would write, and the three commands of the unit
hyper_script() {
        cat <<'EOF'
set -e
mkdir -p /srv/bench/job
cat >/srv/bench/job/job.json <<JSON
{"job_id":"bench","attempt":1,"part_dir":"/srv/bench/.out.hyper-part","source_files":["/srv/bench/source.vmdk"],
 "spec":{"job_id":"bench","operation":"convert","source":{"type":"file","path":"/srv/bench/source.vmdk","format":"vmdk"},
 "destination":{"type":"file","path":"/srv/bench/out","format":"$1"},"parameters":{"compress":$2,"verify":false}}}
JSON
/usr/libexec/hyper-job prepare /srv/bench/job
/usr/libexec/hyper-job run /srv/bench/job
SERVICE_RESULT=success EXIT_CODE=exited EXIT_STATUS=0 /usr/libexec/hyper-job finish /srv/bench/job
EOF
}

compare_with_source() {
        inside qemu-img compare -q -f vmdk -F "$1" /srv/bench/source.vmdk /srv/bench/out ||
                die "the $1 that $2 made is not the source"
}

convert_format() {
        local format=$1 i
        for i in $(seq "$rounds"); do
                say "  $format, round $i of $rounds"
                measured "qemu-img-$format" qemu-img convert -W -m 8 -f vmdk -O "$format" \
                        /srv/bench/source.vmdk /srv/bench/out
                measured "qemu-img-flushed-$format" sh -c "qemu-img convert -W -m 8 -f vmdk -O $format /srv/bench/source.vmdk /srv/bench/out && sync /srv/bench/out"
                measured "nbdcopy-$format" sh -c "$(nbdcopy_script)" _ "$format"
                measured "hyper-$format" sh -c "$(hyper_script)" _ "$format" false
                [ "$i" -gt 1 ] || compare_with_source "$format" hyper
        done
        local peer
        for peer in qemu-img qemu-img-flushed nbdcopy; do
                record convert "4 GiB VMDK to $format" s "$(cost "hyper-$format" .seconds)" \
                        "$(cost "$peer-$format" .seconds)" "$(peer_name "$peer")"
        done
        record convert "CPU seconds, to $format" s "$(cost "hyper-$format" .cpu_seconds)" \
                "$(cost "qemu-img-$format" .cpu_seconds)" "$(peer_name qemu-img)"
        record convert "Resident peak of the copying process, to $format" MiB \
                "$(cost "hyper-$format" '.resident_peak_kib["hyper-job"] / 1024')" \
                "$(cost "qemu-img-$format" '.resident_peak_kib["qemu-img"] / 1024')" "$(peer_name qemu-img)"
        record convert "Anonymous memory of all its processes, to $format" MiB \
                "$(cost "hyper-$format" '.anonymous_peak_kib / 1024')" \
                "$(cost "qemu-img-$format" '.anonymous_peak_kib / 1024')" "$(peer_name qemu-img)"
}

peer_name() {
        case $1 in
                qemu-img) echo "qemu-img convert -W -m 8 (does not wait for the disk)" ;;
                qemu-img-flushed) echo "the same, and sync (as we always do)" ;;
                nbdcopy) echo "nbdcopy --flush between two qemu-nbd" ;;
        esac
}

convert_compressed() {
        local i
        for i in $(seq "$(((rounds + 1) / 2))"); do
                say "  qcow2, compressed, round $i"
                measured qemu-img-compressed qemu-img convert -c -W -m 8 -f vmdk -O qcow2 \
                        /srv/bench/source.vmdk /srv/bench/out
                measured hyper-compressed sh -c "$(hyper_script)" _ qcow2 true
                [ "$i" -gt 1 ] || compare_with_source qcow2 hyper
        done
        record convert "4 GiB VMDK to compressed qcow2" s "$(cost hyper-compressed .seconds)" \
                "$(cost qemu-img-compressed .seconds)" "qemu-img convert -c -W -m 8"
}

bench_convert() {
        make_source
        convert_format qcow2
        convert_format raw
        convert_compressed
}

# --- http: requests per second -----------------------------------------------------------------------------

rate() { wrk -t 2 -c "$1" -d 4s "$2" | awk '/^Requests\/sec:/ {print $2}'; }

against_bare() {
        local what=$1 url=$2 length bare pid ours=() peers=() i
        length=$(curl -sSf "$url" | wc -c)
        inside "$tool/bare-http" 8099 "$length" &
        bare=$!
        for i in $(seq 50); do
                ! curl -sf http://127.0.0.1:8099/ >/dev/null || break
                sleep 0.1
        done
        for i in 1 2 3; do
                ours+=("$(rate 16 "$url")")
                peers+=("$(rate 16 http://127.0.0.1:8099/)")
        done
        pid=$(inside pgrep -x bare-http)
        inside kill "$pid"
        wait "$bare" || :
        record http "$what" requests/s "${ours[*]}" "${peers[*]}" "bare libmicrohttpd, same length"
}

small_source() { inside test -e /srv/bench/small.qcow2 ||
        inside qemu-img create -q -f qcow2 /srv/bench/small.qcow2 1M; }

bench_http() {
        small_source
        inside rm -f /srv/bench/http-job.qcow2
        inside hyperctl submit --wait --quiet --id http-job --source /srv/bench/small.qcow2 --destination \
                /srv/bench/http-job.qcow2
        against_bare "GET /health" $api/health
        against_bare "GET /jobs/{id}" $api/jobs/http-job
}

# --- submit: how long until 201, and from there to the first line in the journal ---------------------------

# one POST; prints its seconds
post_job() { curl -sSf -o /dev/null -w '%{time_total}\n' -H 'Content-Type: application/json' -d \
        "$(worker_spec "$1")" http://127.0.0.1:8000/jobs; }
worker_spec() { printf '{"job_id":"%s","operation":"convert","image":{"path":"/srv/bench/small.qcow2","format":"qcow2"},"parameters":{"output_format":"qcow2","output_path":"/srv/bench/%s.qcow2"}}' "$1" "$1"; }

bench_submit() {
        local run=$RANDOM i began
        small_source
        for i in $(seq 50); do post_job "one-$run-$i"; done | sort -g >"$results.one"
        export -f post_job worker_spec
        seq 320 | xargs -P 32 -I{} bash -c "post_job many-$run-{}" | sort -g >"$results.many"
        record submit "POST /jobs, median, one client" ms "$(awk '{print $1 * 1000}' "$results.one")" "" ""
        record submit "POST /jobs, median, 32 clients" ms "$(awk '{print $1 * 1000}' "$results.many")" "" ""
        record submit "POST /jobs, worst of 320, 32 clients" ms \
                "$(tail -n 1 "$results.many" | awk '{print $1 * 1000}')" "" ""
        rm "$results.one" "$results.many"
        until \
                [ "$(curl -sSf $api/status | jq \
                '.total_jobs - .completed_jobs - .failed_jobs - (.cancelled_jobs // 0)')" -eq 0 ]; do sleep \
                0.2; done
        for i in 1 2 3 4 5; do
                began=$(date +%s%6N)
                post_job "first-$run-$i" >/dev/null
                until [ "$(curl -sSf "http://127.0.0.1:8000/jobs/first-$run-$i" | jq -r .state)" = COMPLETED \
                        ]; do sleep 0.1; done
                inside journalctl -q -o json _COMM=hyper-job "HYPER_JOB_ID=first-$run-$i" |
                        jq -rs ".[0].__REALTIME_TIMESTAMP | tonumber | (. - $began) / 1000"
        done >"$results.first"
        [ "$(wc -l <"$results.first")" -eq 5 ] || die "the journal lacks the first lines of jobs"
        record submit "From POST to the job's first line in the journal, median" ms \
                "$(cat "$results.first")" "" ""
        rm "$results.first"
}

# --- list: a page of a long list ---------------------------------------------------------------------------

bench_list() {
        small_source
        inside systemctl stop hyper.service hyper-managerd.service
        inside busctl call org.hyper1 /org/hyper1 org.freedesktop.DBus.Peer Ping
        inside hyperctl submit --wait --quiet --id list-0 --source /srv/bench/small.qcow2 --destination \
                "/srv/bench/list-$RANDOM.qcow2"
        page_times short
        inside systemctl stop hyper.service hyper-managerd.service
        inside sqlite3 /var/lib/hyper/hyper.db "
                WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
                INSERT INTO jobs (id, operation, spec, dialect, request, state, reason, priority, attempt, retry_count,
                        idempotent, created_at, updated_at, started_at, finished_at, phase, percent, result)
                SELECT 'list-' || n.i, operation, spec, dialect, request, state, reason, priority, attempt, retry_count,
                        idempotent, created_at, updated_at, started_at, finished_at, phase, percent, result
                FROM n, jobs WHERE id = 'list-0'"
        # sqlite3 has removed the write-ahead log, without which the API cannot read: the manager makes it
        # again.
        inside busctl call org.hyper1 /org/hyper1 org.freedesktop.DBus.Peer Ping
        page_times long
        record list "A page of 100 of 100,000 jobs" ms "$(cat "$results.long")" "$(cat "$results.short")" \
                "a page of what there was before"
        record list "The page behind 99,000 jobs" ms "$(cat "$results.far")" "$(cat "$results.short")" \
                "a page of what there was before"
        rm "$results".{short,long,far}
}

page_times() {
        local i
        for i in $(seq 5); do curl -sSf "http://127.0.0.1:8000/jobs?limit=100" >/dev/null; done
        for i in $(seq 20); do curl -sSf -o /dev/null -w '%{time_total}\n' \
                "http://127.0.0.1:8000/jobs?limit=100"; done |
                awk '{print $1 * 1000}' >"$results.$1"
        for i in $(seq 10); do curl -sSf -o /dev/null -w '%{time_total}\n' \
                "http://127.0.0.1:8000/jobs?limit=100&offset=99000"; done |
                awk '{print $1 * 1000}' >"$results.far"
}

# --- hosts: 1,000 VMs over 10 hosts of libvirt's test driver; statistics for many clients ------------------

hosts_api=http://127.0.0.1:8890/api

make_hosts() {
        inside sh -ec '
                for host in $(seq 0 9); do
                        {
                                echo "<node>"
                                for vm in $(seq 0 99); do
                                        echo "<domain type=\"test\"><name>vm-$vm</name><memory unit=\"MiB\">512</memory><vcpu>2</vcpu><os><type>hvm</type></os></domain>"
                                done
                                echo "</node>"
                        } >/srv/bench/host-$host.xml
                done'
}

hostd_value() {
        local pid
        pid=$(inside systemctl show -P MainPID hyper-hostd.service)
        case $1 in
                memory) inside awk '/^Pss:/ {print $2 / 1024}' "/proc/$pid/smaps_rollup" ;;
                cpu) inside awk '{print ($14 + $15) * 10}' "/proc/$pid/stat" ;; # ms, of 100 Hz
                calls) inside busctl get-property org.hyper1.Hosts /org/hyper1/hosts \
                        org.hyper1.Hosts.Manager StatsCalls | cut -d' ' -f2 ;;
        esac
}
api_cpu() { inside awk '{print ($14 + $15) * 10}' "/proc/$(inside systemctl show -P MainPID \
        hyper.service)/stat"; }
minus() { awk "BEGIN {print ($1 - $2) / ${3:-1}}"; }

bench_hosts() {
        local i urls=() healths=() before began clients seconds=20 calls cpu api_before
        make_hosts
        inside sh -c 'mkdir -p /etc/hyper/config.d && echo "hosts: {allow_test: true}" >/etc/hyper/config.d/90-hosts.yaml'
        curl -sSf $hosts_api/hosts >/dev/null
        before=$(hostd_value memory)
        began=$EPOCHREALTIME
        for i in 0 1 2 3 4 5 6 7 8 9; do
                curl -sSf -o /dev/null "$hosts_api/hosts" -H 'Content-Type: application/json' \
                        -d "{\"id\":\"bench-$i\",\"uri\":\"test:///srv/bench/host-$i.xml\"}" ||
                        die "host $i could not be added"
                urls+=(-o /dev/null "$hosts_api/hosts/bench-$i/vms")
                healths+=(-o /dev/null http://127.0.0.1:8890/health)
        done
        record hosts "Adding 10 hosts with 100 VMs each, one after the other" ms \
                "$(minus "${EPOCHREALTIME/[.,]/}" "${began/[.,]/}" 1000)" "" ""
        for i in $(seq 20); do
                began=${EPOCHREALTIME/[.,]/}
                curl -sSf "${urls[@]}"
                minus "${EPOCHREALTIME/[.,]/}" "$began" 1000
        done >"$results.lists"
        for i in $(seq 20); do
                began=${EPOCHREALTIME/[.,]/}
                curl -sSf "${healths[@]}"
                minus "${EPOCHREALTIME/[.,]/}" "$began" 1000
        done >"$results.health"
        record hosts "Lists of the 1,000 VMs of 10 hosts, median" ms "$(cat "$results.lists")" \
                "$(cat "$results.health")" "ten times GET /health, with curl's own start"
        rm "$results".{lists,health}
        record hosts "hyper-hostd.service with 1,000 VMs, proportional" MiB "$(hostd_value memory)" \
                "$before" "without a host"

        inside sh -c "ulimit -n 8192; exec node $tool/stats-clients.js ws://127.0.0.1:8890/ws 1000 10 100 $seconds" >"$results.stats" &
        clients=$!
        sleep 6 # by then all are there
        began=${EPOCHREALTIME/[.,]/} calls=$(hostd_value calls) cpu=$(hostd_value cpu) api_before=$(api_cpu)
        sleep 10
        calls=$(minus "$(hostd_value calls)" "$calls") cpu=$(minus "$(hostd_value cpu)" "$cpu") \
                api_before=$(minus "$(api_cpu)" "$api_before")
        began=$(minus "${EPOCHREALTIME/[.,]/}" "$began" 1000000)
        wait $clients || die "the WebSocket clients failed"
        record hosts "1,000 clients of 100 VMs: calls of libvirt for each 2 s" "" \
                "$(awk "BEGIN {print $calls / $began * 2}")" 100 "one for each VM"
        record hosts "1,000 clients of 100 VMs: messages a second" "" \
                "$(jq ".messages / $seconds" "$results.stats")" 500 "one for each client every 2 s"
        record hosts "from a subscription to the first statistics, median" ms \
                "$(jq .median "$results.stats")" "" ""
        record hosts "from a subscription to the first statistics, worst of 1,000" ms \
                "$(jq .worst "$results.stats")" "" ""
        record hosts "CPU of hyper-hostd then, of one processor" % \
                "$(awk "BEGIN {print $cpu / $began / 10}")" "" ""
        record hosts "CPU of hyper-apid then, of one processor" % \
                "$(awk "BEGIN {print $api_before / $began / 10}")" "" ""
        rm "$results.stats"
        for i in 0 1 2 3 4 5 6 7 8 9; do curl -sSf -X DELETE "$hosts_api/hosts/bench-$i"; done
}

# --- memory of each daemon, after some work ----------------------------------------------------------------

bench_memory() {
        local unit pid
        small_source
        inside hyperctl submit --wait --quiet --source /srv/bench/small.qcow2 --destination \
                "/srv/bench/memory-$RANDOM.qcow2"
        curl -sSf $api/health >/dev/null
        for unit in hyper-managerd hyper; do
                pid=$(inside systemctl show -P MainPID $unit.service)
                record memory "$unit.service, proportional" MiB \
                        "$(inside awk '/^Pss:/ {print $2 / 1024}' "/proc/$pid/smaps_rollup")" "" ""
        done
}

# --- idle: nothing runs when nothing happens ---------------------------------------------------------------

bench_idle() {
        local began=$EPOCHREALTIME deadline=$((SECONDS + 90)) taken
        curl -sSf $api/health >/dev/null
        until [ -z "$(inside pgrep -l '^hyper' || :)" ]; do
                [ $SECONDS -lt $deadline ] ||
                        die "still there after 90 s: $(inside pgrep -l '^hyper' | tr '\n' ' ')"
                sleep 0.1
        done
        taken=$(elapsed "$began")
        record idle "From the last request until no process of the suite is left" s "${taken% s}" "" ""
}
