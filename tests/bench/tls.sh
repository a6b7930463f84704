# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The part "tls" of tests/bench/run: the v1 API over TLS, beside nginx with one process, the same certificate and
# the same cipher. To be sourced by that script.

# shellcheck disable=SC2154 # rounds, results, here and work are that script's
# shellcheck disable=SC2016 # $ in single quotes is for the shell inside

tls_port=5443 tls_dir=$work/bench-tls
tls_url=https://127.0.0.1:5080/api/v1 tls_peer=https://127.0.0.1:$tls_port
# that both sides have, for handshakes of TLS 1.2
tls_cipher=ECDHE-ECDSA-AES256-GCM-SHA384
tls_seconds=1

# WebDAV writes to the file system that the uploads of hyper are on.
tls_nginx_start() {
        mkdir -p "$tls_dir/www" "$tls_dir/tmp" "$work/bench-images/uploads/dav"
        inside cat /etc/credstore/hyper.tls-key >"$tls_dir/key"
        inside cat /etc/credstore/hyper.tls-certificate >"$tls_dir/certificate"
        cat >"$tls_dir/nginx.conf" <<END
worker_processes 1;
daemon off;
pid $tls_dir/pid;
error_log $tls_dir/error.log;
user root;
events { worker_connections 4096; }
http {
        access_log off;
        sendfile on;
        keepalive_requests 1000000;
        keepalive_timeout 300s;
        client_max_body_size 0;
        client_body_temp_path $work/bench-images/uploads/dav-temp;
        server {
                listen 127.0.0.1:$tls_port ssl;
                ssl_certificate $tls_dir/certificate;
                ssl_certificate_key $tls_dir/key;
                ssl_protocols TLSv1.2 TLSv1.3;
                ssl_session_cache shared:tls:4m;
                default_type application/json;
                root $tls_dir/www;
                location /dav/ { dav_methods PUT; root $work/bench-images/uploads; }
        }
}
END
        nginx -c "$tls_dir/nginx.conf" -p "$tls_dir" 2>"$tls_dir/nginx.err" &
        await 20 "nginx listens" curl -sk -o /dev/null "$tls_peer/"
}

tls_prepare() {
        rm -rf "$tls_dir" "$work/bench-images/uploads"
        mkdir -p "$tls_dir" "$work/bench-images/uploads"
        inside sh -ec '
                systemctl stop hyper.socket hyper.service hyper-managerd.service
                mkdir -p /var/lib/hyper/uploads /etc/hyper/config.d
                mountpoint -q /var/lib/hyper/uploads || mount --bind /srv/bench/uploads /var/lib/hyper/uploads
                printf "v1: {rate_limit: 1000000, user_rate_limit: 1000000}\n" >/etc/hyper/config.d/90-tls.yaml
                systemctl -q enable hyper-tls.socket
                systemctl restart hyper.socket
                id bench >/dev/null 2>&1 || useradd -M -s /usr/sbin/nologin -G hyper-operator bench
                echo bench:secret | chpasswd'
        tls_key=$(inside hyperctl key add "bench-tls-$RANDOM" --scope=submit,read -q)
        tls_token=$(curl -sSfk $tls_url/auth/login -d '{"username":"bench","password":"secret"}' | jq -r .token)
        small_source
        inside rm -f /srv/bench/tls-job.qcow2
        inside hyperctl submit --wait --quiet --id "tls-job-$RANDOM" --source /srv/bench/small.qcow2 --destination \
                /srv/bench/tls-job.qcow2
        tls_job=$(curl -sSfk -H "X-API-Key: $tls_key" "$tls_url/jobs?search=tls-job&limit=1" | jq -r '.data[0].id')
        tls_nginx_start
        curl -sSfk -H "X-API-Key: $tls_key" "$tls_url/jobs/$tls_job" >"$tls_dir/www/job"
}

# tls_rate URL [HEADER]: requests per second of 32 connections
tls_rate() { wrk -t 1 -c 32 -d "${tls_seconds}s" ${2:+-H "$2"} "$1" | awk '/^Requests\/sec:/ {print $2} /Non-2xx/ {exit 1}'; }
# tls_handshakes PORT "-new"|"-reuse": per second, one after the other
tls_handshakes() {
        openssl s_time -connect "127.0.0.1:$1" "$2" -time "$tls_seconds" -tls1_2 -cipher $tls_cipher 2>/dev/null |
                awk '/connections in .*real seconds/ { print $1 / $4 }' | tail -n 1
}

bench_tls_requests() {
        local i ours=() plain=() peers=()
        for ((i = 0; i < rounds; i++)); do
                ours+=("$(tls_rate "$tls_url/jobs/$tls_job" "Authorization: Bearer $tls_token")")
                plain+=("$(tls_rate "$api/jobs/$tls_job")")
                peers+=("$(tls_rate "$tls_peer/job")")
        done
        record tls "GET /api/v1/jobs/{id} with TLS and a token" 1/s "${ours[*]}" "${peers[*]}" "nginx, a static body of that size, the same cipher"
        record tls "GET /api/v1/jobs/{id} with TLS and a token" 1/s "${ours[*]}" "${plain[*]}" "hyper without TLS, GET /jobs/{id}"
        for kind in new reuse; do
                ours=() peers=()
                for ((i = 0; i < rounds; i++)); do
                        ours+=("$(tls_handshakes 5080 -$kind)")
                        peers+=("$(tls_handshakes $tls_port -$kind)")
                done
                record tls "Handshakes, $([ $kind = new ] && echo full || echo resumed), one client" 1/s "${ours[*]}" "${peers[*]}" "nginx, $tls_cipher"
        done
}

# tls_upload FILE: MiB/s of chunks of 16 MiB over one connection; it is complete then
tls_upload() {
        local id size began=$EPOCHREALTIME i=0 arguments=()
        size=$(stat -c %s "$1")
        id=$(curl -sSfk -H "X-API-Key: $tls_key" $tls_url/upload/init -d "{\"filename\":\"bench.raw\",\"size\":$size,\"chunk_size\":16777216}" | jq -r .upload_id)
        for chunk in "$tls_dir"/chunk.*; do
                [ $i -eq 0 ] || arguments+=(--next)
                arguments+=(-sSfk -o /dev/null -H "X-API-Key: $tls_key" -H Expect: --data-binary "@$chunk"
                        "$tls_url/upload/chunk?upload_id=$id&chunk_index=$i")
                i=$((i + 1))
        done
        curl "${arguments[@]}"
        curl -sSfk -o /dev/null -H "X-API-Key: $tls_key" $tls_url/upload/complete -d "{\"upload_id\":\"$id\"}"
        awk "BEGIN { print $size / 1048576 / ($EPOCHREALTIME - $began) }"
}

tls_put() {
        local began=$EPOCHREALTIME
        curl -sSfk -o /dev/null -H Expect: -T "$1" "$tls_peer/dav/put.raw"
        sync -f "$work/bench-images/uploads/dav/put.raw"
        awk "BEGIN { print $(stat -c %s "$1") / 1048576 / ($EPOCHREALTIME - $began) }"
}

# tls_get URL [CURL OPTIONS…]: MiB/s
tls_get() { curl -sSfk -o /dev/null -w '%{speed_download}\n' "${@:2}" "$1" | awk '{ print $1 / 1048576 }'; }

bench_tls_files() {
        local i file=$tls_dir/www/disk.raw ours=() peers=() down=() peer_down=()
        head -c 128M /dev/urandom >"$file"
        split -b 16M -a 3 "$file" "$tls_dir/chunk."
        for ((i = 0; i < rounds; i++)); do
                inside sh -c 'rm -f /var/lib/hyper/uploads/bench*.raw'
                ours+=("$(tls_upload "$file")")
                peers+=("$(tls_put "$file")")
        done
        record tls "Upload in chunks of 16 MiB, all of it flushed" MiB/s "${ours[*]}" "${peers[*]}" "nginx, WebDAV PUT, and sync"
        for ((i = 0; i < rounds; i++)); do
                down+=("$(tls_get "$tls_url/download?path=/var/lib/hyper/uploads/bench.raw" -H "X-API-Key: $tls_key")")
                peer_down+=("$(tls_get "$tls_peer/disk.raw")")
        done
        record tls "Download" MiB/s "${down[*]}" "${peer_down[*]}" "nginx, a static file"
}

# tls_memory COMMAND…: KiB that a process, whose PSS the command prints, has more with 1,000 connections to a port
tls_memory() {
        local port=$1 before after
        shift
        before=$("$@")
        python3 - "$port" "$tls_dir/idle" <<'END' &
import socket, ssl, sys, time
c = ssl.create_default_context()
c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
l = []
for i in range(1000):
    s = c.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
    s.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    s.recv(4096)
    l.append(s)
open(sys.argv[2], "w").close()
time.sleep(100)
END
        local client=$!
        await 60 "1,000 connections" test -e "$tls_dir/idle"
        after=$("$@")
        kill $client
        wait $client 2>/dev/null || :
        rm "$tls_dir/idle"
        echo $((after - before))
}
tls_pss() { awk '/^Pss:/ { print $2 }' "/proc/$1/smaps_rollup"; }
tls_hyper_pss() { inside sh -c 'awk "/^Pss:/ { print \$2 }" /proc/$(systemctl show -P MainPID hyper.service)/smaps_rollup'; }

bench_tls_memory() {
        local ours peer
        ours=$(tls_memory 5080 tls_hyper_pss)
        peer=$(tls_memory $tls_port tls_pss "$(pgrep -P "$(cat "$tls_dir/pid")")")
        record tls "Memory of 1,000 idle TLS connections, each" KiB "$(awk "BEGIN { print $ours / 1000 }")" \
                "$(awk "BEGIN { print $peer / 1000 }")" nginx
}

# tls_login NAME PASSWORD: milliseconds
tls_login() { curl -sSk -o /dev/null -w '%{time_total}\n' $tls_url/auth/login -d "{\"username\":\"$1\",\"password\":\"$2\"}" |
        awk '{ print $1 * 1000 }'; }

bench_tls_logins() {
        local i right=() wrong=() unknown=()
        for ((i = 0; i < 3; i++)); do
                right+=("$(tls_login bench secret)") # and no failure of this address counts any more
                wrong+=("$(tls_login bench wrong)")
                unknown+=("$(tls_login "nobody$i" wrong)")
        done
        record tls "Login, the password is right" ms "${right[*]}" "" ""
        record tls "Login, the password is wrong" ms "${wrong[*]}" "${unknown[*]}" "the user does not exist"
}

bench_tls() {
        tls_prepare
        bench_tls_requests
        bench_tls_files
        bench_tls_memory
        bench_tls_logins
        kill "$(cat "$tls_dir/pid")"
        inside sh -c 'systemctl stop hyper.socket hyper.service hyper-managerd.service; umount /var/lib/hyper/uploads
                rm -f /etc/hyper/config.d/90-tls.yaml; systemctl -q disable hyper-tls.socket; systemctl start hyper.socket'
        rm -rf "$tls_dir" "$work/bench-images/uploads"
}
