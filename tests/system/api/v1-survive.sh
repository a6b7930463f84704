#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 240
#
# What the v1 API must survive: chunks in pieces of one byte, renegotiation, huge certificates, a PAM module
# that hangs for its 30 seconds, a full disk at each chunk, kill -9 of hyper-apid, the manager and hyper-auth
# during logins and uploads, and a clock beyond the end of a token.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=tests/system/lib/lib-v1.sh
. "$(dirname "$0")/../lib/lib-v1.sh"

hostile() { python3 "$(dirname "$0")/v1-hostile.py" "$@"; }
pid() { systemctl show -P MainPID hyper.service; }
memory() { awk '/^Pss:/ {print $2}' "/proc/$(pid)/smaps_rollup"; }
is_healthy() { [ "$(curl -sk -m 20 -o /dev/null -w '%{http_code}' -H "X-API-Key: $key" \
        https://localhost:5080/api/v1/health)" = 200 ]; }

# A small disk for all that the API and the manager write.
mkdir -p /var/lib/hyper
mount -t tmpfs -o size=24m,mode=755 tmpfs /var/lib/hyper
systemd-tmpfiles --create 2>/dev/null || :
v1_up
key=$(hyperctl key add survive --scope=submit,read -q)
cp /etc/pam.d/hyper "$dir/pam"

# chunked NAME SIZE: begins an upload in chunks of 1 MiB of $dir/NAME, and prints its ID
chunked() {
        v1 POST /upload/init "{\"filename\":\"$1\",\"size\":$(stat -c %s "$dir/$1"),\"chunk_size\":1048576}" |
                jq -r .upload_id
}
# put ID NAME INDEX: the status
put() {
        dd if="$dir/$2" bs=1M skip="$3" count=1 status=none |
                curl -sk -m 30 -o "$dir/chunk-$3" -w '%{http_code}' -H "X-API-Key: $key" --data-binary @- \
                        "https://localhost:5080/api/v1/upload/chunk?upload_id=$1&chunk_index=$3" || :
}
# received ID NUMBER
received() { [ "$(v1 GET "/upload/status/$1" | jq '.received_chunks | length')" = "$2" ]; }

# --- a PAM module that hangs, while all else goes on -------------------------------------------------------

printf 'auth required pam_exec.so /bin/sleep 1000\naccount required pam_permit.so\n' >/etc/pam.d/hyper
for i in 1 2 3; do
        curl -sk -m 60 -D "$dir/hung-$i" -o /dev/null -w '%{http_code} %{time_total}\n' \
                https://your-server:5080/api/v1/auth/login -d '{"username":"admin","password":"secret"}' >"$dir/hangs-$i" &
done

# --- clients of TLS ----------------------------------------------------------------------------------------

is_healthy || fail "the API does not answer"
settings "daemon: {idle_timeout: 300}"
is_renewed() { [ "$(systemctl show -P ActiveState hyper-tls-renew.service)" = inactive ]; }
eventually 30 "hyper-apid has its certificate" is_renewed
before_pid=$(pid)
truncate -s 256M "$dir/big.raw"
head -c 4000000 /dev/urandom >"$dir/small.raw"
id=$(chunked small.raw)
before=$(memory)
hostile bytes "/api/v1/upload/chunk?upload_id=$id&chunk_index=0" "$key" 20000 &
drip=$!
for _ in 1 2 3 4 5; do is_healthy || fail "the API does not answer beside a client that sends byte by byte"; done
wait $drip || fail "the client that sends byte by byte failed"
# A connection that fails in the handshake is closed within a minute.
hostile certificate &
huge=$!
hostile renegotiate 20 || fail "renegotiation is not refused"
for _ in 1 2 3 4 5; do is_healthy || fail "the API does not answer beside a huge certificate"; done
is_healthy || fail "the API does not answer after them"
now=$(memory)
echo "memory of hyper-apid: $before KiB before, $now KiB after hostile clients"
[ $((now - before)) -lt 4096 ] || fail "hyper-apid has grown by $((now - before)) KiB"
equal "$(pid)" "$before_pid" "the process of hyper-apid"
equal "$(put "$id" small.raw 0)" 200 "the chunk that was not sent to its end"

# --- the module that hangs ---------------------------------------------------------------------------------

for i in 1 2 3; do
        eventually 50 "login $i is answered" test -s "$dir/hangs-$i"
        read -r status seconds <"$dir/hangs-$i"
        equal "$status" 503 "a login with a module that hangs, after $seconds s"
        contains "$(cat "$dir/hung-$i")" Retry-After "its headers"
done
cp "$dir/pam" /etc/pam.d/hyper
wait $huge || fail "the client with a huge certificate failed"

# A certificate with 1,500 names, which is as large as the credential may be.
names=$(for i in $(seq 1500); do printf 'DNS:host-%04d.example.com,' "$i"; done)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost \
        -addext "subjectAltName=${names}DNS:localhost" -keyout "$dir/tls-key" -out "$dir/certificate" 2>/dev/null
[ "$(stat -c %s "$dir/certificate")" -gt 30000 ] || fail "the certificate is too small"
install -m 600 "$dir/tls-key" /etc/credstore/hyper.tls-key
install -m 600 "$dir/certificate" /etc/credstore/hyper.tls-certificate
is_served() { curl -s -m 20 -o /dev/null --cacert "$dir/certificate" https://localhost:5080/api/v1/health; }
eventually 30 "a huge certificate is served" is_served

# --- a full disk -------------------------------------------------------------------------------------------

equal "$(v1 POST /upload/init '{"filename":"b.raw","size":30000000}' >/dev/null; v1_status)" 507 "more than there is"
# The chunks have their room. What the database needs to record them may be missing: then they are not
# acknowledged.
dd if=/dev/zero of=/var/lib/hyper/filler bs=64K 2>/dev/null || :
for i in 1 2 3; do
        status=$(put "$id" small.raw $i)
        case $status in 200 | 503 | 507) ;; *) fail "chunk $i with a full disk: $status, $(cat "$dir/chunk-$i")" ;; esac
        [ "$status" = 200 ] || full=yes
done
[ "${full:-no}" = yes ] || fail "the disk was not full"
rm /var/lib/hyper/filler
for i in 1 2 3; do equal "$(put "$id" small.raw $i)" 200 "chunk $i with room: $(cat "$dir/chunk-$i")"; done
path=$(v1 POST /upload/complete "{\"upload_id\":\"$id\"}" | jq -r .path)
cmp "$dir/small.raw" "$path" || fail "the file that was uploaded to a full disk differs"

# --- kill -9 during logins and uploads ---------------------------------------------------------------------

head -c 6000000 /dev/urandom >"$dir/killed.raw"
id=$(chunked killed.raw)
killers() {
        while [ ! -e "$dir/enough" ]; do
                for unit in hyper.service hyper-managerd.service 'hyper-auth@*'; do
                        systemctl kill -s KILL "$unit" 2>/dev/null || :
                        # restarts have a limit
                        sleep 0.7
                done
        done
}
killers &
killer=$!
for i in 0 1 2 3 4 5; do
        v1_log_in || : # whatever comes of it
        put "$id" killed.raw $i >"$dir/put-$i"
done
touch "$dir/enough"
wait $killer
eventually 40 "admin logs in" v1_log_in
for i in 0 1 2 3 4 5; do
        # what was acknowledged is there
        [ "$(cat "$dir/put-$i")" != 200 ] || v1 GET "/upload/status/$id" | jq -e --argjson i $i \
                '.received_chunks | index($i) != null' >/dev/null || fail "chunk $i was acknowledged, and is missing"
        v1 GET "/upload/status/$id" | jq -e --argjson i $i '.received_chunks | index($i) != null' >/dev/null ||
                equal "$(put "$id" killed.raw $i)" 200 "chunk $i"
done
path=$(v1 POST /upload/complete "{\"upload_id\":\"$id\"}" | jq -r .path)
cmp "$dir/killed.raw" "$path" || fail "the file that was uploaded beside kills differs"
systemctl reset-failed 'hyper*' 2>/dev/null || :

# --- a clock beyond the end of a token ---------------------------------------------------------------------

# The clock of the machine cannot be set: the end of the token is set instead.
v1 POST /jobs '{"id":"waiting","type":"convert","source_path":"/var/lib/hyper/uploads/killed.raw"}' >/dev/null
curl -skN -m 60 -H "Authorization: Bearer $v1_token" -H 'Accept: text/event-stream' -D "$dir/head" \
        "https://localhost:5080/ws" -o /dev/null -H 'Connection: Upgrade' -H 'Upgrade: websocket' --http1.1 \
        -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' &
stream=$!
eventually 20 "the WebSocket is open" grep -qs '101' "$dir/head"
sqlite3 /var/lib/hyper/hyper.db "UPDATE sessions SET expires_at = 1"
is_over() { ! kill -0 $stream 2>/dev/null; }
eventually 30 "the WebSocket of a token that has ended is closed" is_over
v1 GET /auth/me >/dev/null
equal "$(v1_status)" 401 "a token that has ended"
v1 POST /auth/refresh >/dev/null
equal "$(v1_status)" 401 "a refresh of a token that has ended"
v1_log_in || fail "admin cannot log in again"

systemctl stop hyper-tls.socket hyper.socket hyper.service hyper-managerd.service 2>/dev/null || :
umount -l /var/lib/hyper
