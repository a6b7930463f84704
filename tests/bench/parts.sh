# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What tests/bench/run measures, one function per part. To be sourced by it.

# shellcheck disable=SC2154 # rounds and results are that script's
# shellcheck disable=SC2016 # \$ in single quotes is for the shell or awk inside

tool=/usr/local/lib/hyper-bench
api=http://127.0.0.1:8080

# --- convert: one disk image, to qcow2 and to raw ----------------------------------------------------------

# By default 4 GiB: 1 GiB of random data, 0.5 GiB of zeroes that were written, the rest never touched
make_source() {
        inside test -e /srv/bench/source.vmdk || inside sh -ec '
                cd /srv/bench
                qemu-img create -q -f vmdk new.vmdk $1M
                for i in $(seq 0 $(($2 / 64 - 1))); do
                        head -c 67108864 /dev/urandom >chunk
                        qemu-io -f vmdk -c "write -q -s chunk $((i * 64))M 64M" new.vmdk
                done
                qemu-io -f vmdk -c "write -q -P 0 $(($2 + 64))M $3M" new.vmdk
                rm chunk
                mv new.vmdk source.vmdk
                cat source.vmdk >/dev/null' _ "$disk" "$random" "$zeroes"
}

# The peer of the compressed copy: programs and libraries, which are as compressible as a system's disk
make_compressible_source() {
        inside test -e /srv/bench/programs.raw || inside sh -ec '
                cd /srv/bench
                find /usr/bin /usr/lib -xdev -type f -size +20k -print0 | sort -z |
                        xargs -0 cat 2>/dev/null | head -c $(($1 * 1048576)) >new.raw || :
                truncate -s $(($1 * 1048576)) new.raw
                mv new.raw programs.raw' _ "$((random / 4))"
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
qemu-img create -q -f "$1" out "$2M"
qemu-nbd --fork --pid-file=in.pid -t -r -f vmdk -e 8 -k /srv/bench/in.sock source.vmdk
qemu-nbd --fork --pid-file=out.pid -t -f "$1" --discard=unmap --detect-zeroes=unmap -e 8 -k /srv/bench/out.sock out
status=0
nbdcopy --flush nbd+unix:///?socket=/srv/bench/in.sock nbd+unix:///?socket=/srv/bench/out.sock || status=$?
kill $(cat in.pid out.pid)
exit $status
EOF
}

# hyper_script FORMAT COMPRESSION SOURCE SOURCE-FORMAT: the plan that the manager would write, and the three
# commands of the unit
hyper_script() {
        cat <<'EOF'
set -e
mkdir -p /srv/bench/job
parameters='"verify":false'
[ "$2" = none ] || parameters="$parameters,\"compression\":\"$2\""
cat >/srv/bench/job/job.json <<JSON
{"job_id":"bench","attempt":1,"part_dir":"/srv/bench/.out.hyper-part","source_files":["$3"],
 "spec":{"job_id":"bench","operation":"convert","source":{"type":"file","path":"$3","format":"$4"},
 "destination":{"type":"file","path":"/srv/bench/out","format":"$1"},"parameters":{$parameters}}}
JSON
/usr/libexec/hyper-job prepare /srv/bench/job
/usr/libexec/hyper-job run /srv/bench/job
SERVICE_RESULT=success EXIT_CODE=exited EXIT_STATUS=0 /usr/libexec/hyper-job finish /srv/bench/job
EOF
}

# same_disk SOURCE SOURCE-FORMAT FORMAT WHO
same_disk() {
        inside qemu-img compare -q -f "$2" -F "$3" "/srv/bench/$1" /srv/bench/out ||
                die "the $3 that $4 made is not the source"
}

convert_format() {
        local format=$1 i peer peers=(qemu-img qemu-img-flushed nbdcopy)
        local command="qemu-img convert -W -m 8 -f vmdk -O $format /srv/bench/source.vmdk /srv/bench/out"
        inside sh -c 'dd if=/dev/zero of=/srv/bench/direct oflag=direct bs=4096 count=1 status=none; rm -f /srv/bench/direct' &&
                peers+=(qemu-img-direct)
        for i in $(seq "$rounds"); do
                say "  $format, round $i of $rounds"
                measured "qemu-img-$format" sh -c "$command"
                measured "qemu-img-flushed-$format" sh -c "$command && sync /srv/bench/out"
                measured "nbdcopy-$format" sh -c "$(nbdcopy_script)" _ "$format" "$disk"
                case ${peers[*]} in *direct*) measured "qemu-img-direct-$format" sh -c \
                        "${command/convert/convert -t none -T none} && sync /srv/bench/out" ;; esac
                measured "hyper-$format" sh -c "$(hyper_script)" _ "$format" none /srv/bench/source.vmdk vmdk
                [ "$i" -gt 1 ] || same_disk source.vmdk vmdk "$format" hyper
        done
        for peer in "${peers[@]}"; do
                record convert "$((disk / 1024)).$((disk % 1024 * 10 / 1024)) GiB VMDK to $format" s \
                        "$(cost "hyper-$format" .seconds)" "$(cost "$peer-$format" .seconds)" \
                        "$(peer_name "$peer")"
        done
        record convert "CPU time, to $format" s "$(cost "hyper-$format" .cpu_seconds)" \
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
                qemu-img) echo "\`qemu-img convert -W -m 8\`, not flushed" ;;
                qemu-img-flushed) echo "the same, and sync" ;;
                qemu-img-direct) echo "the same with \`-t none -T none\`, and sync" ;;
                nbdcopy) echo "\`nbdcopy --flush\` between two \`qemu-nbd\`" ;;
        esac
}

# Programs and libraries, which compress like the disk of a system
convert_compressed() {
        local method=$1 i peer sizes=() peers=() source=/srv/bench/programs.raw
        for i in $(seq "$rounds"); do
                say "  qcow2, $method, round $i of $rounds"
                measured "qemu-img-$method" sh -c \
                        "qemu-img convert -c -W -m 8 -o compression_type=$method -f raw -O qcow2 $source /srv/bench/out && sync /srv/bench/out"
                peers+=("$(inside stat -c %s /srv/bench/out)")
                measured "hyper-$method" sh -c "$(hyper_script)" _ qcow2 "$method" $source raw
                sizes+=("$(inside stat -c %s /srv/bench/out)")
                [ "$i" -gt 1 ] || same_disk programs.raw raw qcow2 hyper
        done
        peer="\`qemu-img convert -c -W -m 8 -o compression_type=$method\`, and sync"
        record convert "$((random / 4)) MiB of programs to qcow2 with $method" s \
                "$(cost "hyper-$method" .seconds)" "$(cost "qemu-img-$method" .seconds)" "$peer"
        record convert "CPU time, with $method" s "$(cost "hyper-$method" .cpu_seconds)" \
                "$(cost "qemu-img-$method" .cpu_seconds)" "$peer"
        record convert "Size, with $method" MiB "$(mib "${sizes[@]}")" "$(mib "${peers[@]}")" "$peer"
}

mib() { printf '%s\n' "$@" | awk '{print $1 / 1048576}'; }

bench_convert() {
        make_source
        convert_format qcow2
        convert_format raw
        make_compressible_source
        convert_compressed zlib
        convert_compressed zstd
}

# --- http: requests per second -----------------------------------------------------------------------------

rate() { wrk -t 2 -c "$1" -d "${load_seconds}s" "$2" | awk '/^Requests\/sec:/ {print $2}'; }

against_bare() {
        local what=$1 url=$2 length bare pid ours=() peers=() i
        length=$(curl -sSf "$url" | wc -c)
        inside "$tool/bare-http" 8099 "$length" &
        bare=$!
        await 10 "bare-http answers" curl -sf -o /dev/null http://127.0.0.1:8099/
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

no_job_is_left() { [ "$(curl -sSf $api/status | jq '.total_jobs - .completed_jobs - .failed_jobs -
        (.cancelled_jobs // 0)')" -eq 0 ]; }
job_is_completed() { [ "$(curl -sSf "http://127.0.0.1:8000/jobs/$1" | jq -r .state)" = COMPLETED ]; }

bench_submit() {
        local run=$RANDOM i began answered many=$((load_seconds * 80))
        small_source
        for i in $(seq 50); do post_job "one-$run-$i"; done | sort -g >"$results.one"
        export -f post_job worker_spec
        seq $many | xargs -P 32 -I{} bash -c "post_job many-$run-{}" | sort -g >"$results.many"
        record submit "POST /jobs, median, one client" ms "$(awk '{print $1 * 1000}' "$results.one")" "" ""
        record submit "POST /jobs, median, 32 clients" ms "$(awk '{print $1 * 1000}' "$results.many")" "" ""
        record submit "POST /jobs, worst of $many, 32 clients" ms \
                "$(tail -n 1 "$results.many" | awk '{print $1 * 1000}')" "" ""
        rm "$results.one" "$results.many"
        await 120 "all jobs have ended" no_job_is_left
        # A raw disk of random data: nothing of it is skipped
        inside sh -c 'head -c 4M /dev/urandom >/srv/bench/first.raw'
        for i in 1 2 3 4 5 6 7; do
                began=$(date +%s%6N)
                curl -sSf -o /dev/null "http://127.0.0.1:8000/jobs" -H 'Content-Type: application/json' -d \
                        "$(worker_spec "first-$run-$i" | sed 's/small\.qcow2","format":"qcow2"/first.raw","format":"raw"/')"
                answered=$(date +%s%6N)
                await 30 "the job first-$run-$i is COMPLETED" job_is_completed "first-$run-$i"
                # the attempt, the unit, the first line of hyper-job, the first line of the copy
                inside journalctl -q -o json "HYPER_JOB_ID=first-$run-$i" | jq -rs --argjson a "$answered" \
                        --argjson b "$began" '
                        def at(f): map(select(f)) | if length > 0 then .[0].__REALTIME_TIMESTAMP | tonumber
                                else error("the journal lacks a line") end;
                        at(.HYPER_STATE == "ASSIGNED") as $attempt | at(.HYPER_STATE == "RUNNING") as $unit |
                        at(._COMM == "hyper-job" and .HYPER_EVENT == "phase") as $line |
                        at(.HYPER_EVENT == "progress") as $byte |
                        [$a - $b, $unit - $attempt, $line - $unit, $byte - $line, $byte - $a] |
                        map(. / 1000) | join(" ")'
        done >"$results.first"
        [ "$(wc -l <"$results.first")" -eq 7 ] || die "the journal lacks the lines of jobs"
        record submit "From the 201 of \`POST /jobs\` to the first byte" ms "$(column_of 5)" "" ""
        record submit "of this: systemd starts the unit, and \`hyper-job prepare\`" ms "$(column_of 2)" "" ""
        record submit "of this: \`hyper-job run\` to its first line" ms "$(column_of 3)" "" ""
        record submit "of this: the image is inspected" ms "$(column_of 4)" "" ""
        rm "$results.first"
}
column_of() { awk -v n="$1" '{print $n}' "$results.first"; }

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

no_process_is_left() { [ -z "$(inside pgrep '^hyper' || :)" ]; }

bench_idle() {
        local began=$EPOCHREALTIME taken
        curl -sSf $api/health >/dev/null
        (await 90 "no process of the suite is left" no_process_is_left) || die "$(inside pgrep -a '^hyper')"
        taken=$(elapsed "$began")
        record idle "From the last request until no process of the suite is left" s "${taken% s}" "" ""
}
