#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 180
#
# hyper-tls.socket: the v1 API over TLS. The certificate makes itself, each request requires a key or the
# token of a user who has logged in with PAM, what comes is TLS 1.2 or newer, WebSockets pass, a new
# certificate is served without a refused connection, and a pair that does not fit leaves the other sockets
# as they are.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

store=/etc/credstore
url=https://localhost:5080
tls() { curl -sS -m 20 --cacert $store/hyper.tls-certificate "$@"; }
code() { tls -o "$dir/body" -D "$dir/head" -w '%{http_code}' "$@"; }
served() { openssl s_client -connect 127.0.0.1:5080 </dev/null 2>/dev/null | openssl x509 -noout -serial; }
stored() { openssl x509 -noout -serial -in $store/hyper.tls-certificate; }

# --- the first start ---------------------------------------------------------------------------------------

missing $store/hyper.tls-key
systemctl -q enable hyper-tls.socket
systemctl restart hyper.socket
equal "$(systemctl is-active hyper-tls.socket hyper.socket | uniq)" active "the sockets"
equal "$(stat -c '%a %U' $store/hyper.tls-key $store/hyper.tls-certificate | uniq)" "600 root" "the files"
contains "$(journalctl -u hyper-tls-certificate -o cat)" \
        "$(openssl x509 -noout -fingerprint -sha256 -in $store/hyper.tls-certificate | cut -d= -f2)" \
        "the journal"
equal "$(code $url/api/v1/health)" 200 "health"
equal "$(jq -r .status "$dir/body")" healthy "health"
names=$(openssl x509 -noout -ext subjectAltName -in $store/hyper.tls-certificate)
contains "$names" "DNS:$(hostname)" "the names"
contains "$names" "IP Address:127.0.0.1" "the names"
before=$(stored)
systemctl start hyper-tls-certificate.service
equal "$(stored)" "$before" "the certificate after another start of its service"

# --- who ---------------------------------------------------------------------------------------------------

equal "$(code $url/api/v1/jobs/query)" 401 "without a key"
contains "$(cat "$dir/head")" 'WWW-Authenticate: Bearer realm="hyper"' "the header"
equal "$(jq -c '[.status, (.error | type), (.timestamp | type)]' "$dir/body")" \
        '[401,"string","string"]' "the error"
key=$(hyperctl key add tls --scope=submit,read -q)
for path in /api/v1/jobs/query /jobs/query; do
        equal "$(code -H "Authorization: Bearer $key" $url$path)" 200 "$path with a key"
        equal "$(code -H "Authorization: Bearer ${key%?}x" $url$path)" 401 "$path with another key"
done
equal "$(code -H "X-API-Key: $key" $url/api/v1/nothing)" 404 "a path that is not there"
equal "$(jq .status "$dir/body")" 404 "the error's status"
equal "$(code -H "X-API-Key: $key" $url/api/v1/jobs/query -d '{"limit":-1,"status":"none"}')" 400 "a wrong query"
jq -e '.errors | length > 0 and all(.field and .message)' "$dir/body" >/dev/null ||
        fail "the fields are not named: $(cat "$dir/body")"

# --- logins ------------------------------------------------------------------------------------------------

password='pass"word\é'
# user NAME GROUP: a user of the system with this password
user() {
        useradd -M -s /usr/sbin/nologin ${2:+-G "$2"} "$1"
        chpasswd <<<"$1:$password"
}
user alice hyper-operator
user bob ''
user carol hyper-viewer
user erin hyper-admin
chage -E 0 erin
user frank hyper-admin
passwd -q -l frank
user grace hyper-admin
passwd -q -d grace
login() { # NAME PASSWORD
        jq -n --arg username "$1" --arg password "$2" '$ARGS.named' >"$dir/login"
        code $url/api/v1/auth/login -d "@$dir/login"
}
bearer() { code -H "Authorization: Bearer $1" "${@:2}"; }

# 403 and 200 are no failures of the address; those with 401 are: it may fail five times.
equal "$(login alice "$password")" 200 "alice"
equal "$(jq -c '[.token_type, .expires_in, .username, .role, (.token | length)]' "$dir/body")" \
        '["Bearer",28800,"alice","operator",48]' "alice's token"
token=$(jq -r .token "$dir/body")
equal "$(login bob "$password")" 403 "a user without a group"
contains "$(cat "$dir/body")" "hyper-viewer, hyper-operator and hyper-admin" "the error"
equal "$(login erin "$password")" 403 "an account that has expired"
equal "$(login alice "$password ")" 401 "a wrong password"
wrong=$(jq -r .error "$dir/body")
equal "$(login nobody-of-that-name "$password")" 401 "a user who does not exist"
equal "$(jq -r .error "$dir/body")" "$wrong" "the error about a user who does not exist"
equal "$(login frank "$password")" 401 "an account that is locked"
equal "$(login grace x)" 401 "an account without a password"
contains "$(journalctl -o cat HYPER_USER=alice HYPER_ADDRESS=127.0.0.1)" "Refused a login of alice" "the journal"
equal "$(login alice "$password")" 200 "alice again, which clears the address"
other=$(jq -r .token "$dir/body")

systemctl restart hyper.service hyper-managerd.service
equal "$(bearer "$token" $url/api/v1/auth/me)" 200 "a token after a restart"
equal "$(jq -c '[.username, .role, .auth]' "$dir/body")" '["alice","operator","session"]' "who alice is"
equal "$(bearer "$token" $url/api/v1/webhooks -d '{}')" 403 "an operator at an administrator's route"
equal "$(curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $token" $worker/jobs)" 200 \
        "a token at another port"
equal "$(bearer "$token" -X POST $url/api/v1/auth/refresh)" 200 "a refresh"
fresh=$(jq -r .token "$dir/body")
[ "$fresh" != "$token" ] || fail "a refresh gave the same token"
equal "$(bearer "$fresh" -X POST $url/api/v1/auth/logout)" 200 "a logout"
equal "$(bearer "$fresh" $url/api/v1/auth/me)" 401 "a token after the logout"
contains "$(cat "$dir/head")" 'error="invalid_token"' "the challenge"
equal "$(hyperctl session list --json=short | jq -c '[.[] | .username] | unique')" '["alice"]' "the sessions"
session=$(bearer "$other" $url/api/v1/auth/session >/dev/null; jq -r .session_id "$dir/body")
as hyper-operator busctl call "${manager[@]}" EndSession s "$session" 2>/dev/null &&
        fail "an operator ends a session on the bus"
hyperctl session end "$session"
equal "$(bearer "$other" $url/api/v1/auth/me)" 401 "a token whose session was ended"
as hyper-admin busctl call org.hyper1 /org/hyper1 org.hyper1.Sessions Start suss erin 0 admin '' 2>/dev/null &&
        fail "somebody but root makes a token"
as hyper-admin curl -s --unix-socket /run/hyper/auth.sock http://localhost/ 2>/dev/null && fail "hyper-auth answers"

# A role that was taken away.
equal "$(login carol "$password")" 200 "carol"
viewer=$(jq -r .token "$dir/body")
equal "$(bearer "$viewer" $url/api/v1/jobs/submit -d '{}')" 403 "a viewer who submits"
gpasswd -d carol hyper-viewer >/dev/null
is_refused() { [ "$(bearer "$viewer" $url/api/v1/auth/me)" = 403 ]; }
eventually 15 "a user without a group is refused" is_refused
equal "$(bearer "$viewer" -X POST $url/api/v1/auth/refresh)" 403 "a refresh of a user without a group"

# A module that hangs is killed; in the test after two seconds.
mkdir -p /run/systemd/system/hyper-auth@.service.d
printf '[Service]\nRuntimeMaxSec=2s\n' >/run/systemd/system/hyper-auth@.service.d/test.conf
systemctl daemon-reload
printf 'auth required pam_exec.so /bin/sleep 1000\naccount required pam_permit.so\n' >/etc/pam.d/hyper
equal "$(login alice "$password")" 503 "a module that hangs"
contains "$(cat "$dir/head")" "Retry-After" "the headers"
no_process() { ! pgrep -x sleep >/dev/null && ! pgrep -x hyper-auth >/dev/null; }
eventually 10 "the module is killed" no_process
rm -r /run/systemd/system/hyper-auth@.service.d
systemctl daemon-reload

for secret in "$token" "$fresh" "$other" "$viewer" "$password"; do
        journalctl -o export | grep -aqF -- "$secret" && fail "a secret is in the journal"
        grep -aqF -- "$secret" /var/lib/hyper/hyper.db /var/lib/hyper/hyper.db-wal && fail "a secret is in the database"
done

# --- TLS ---------------------------------------------------------------------------------------------------

for version in 1.2 1.3; do
        tls --tlsv$version --tls-max $version -o /dev/null $url/api/v1/health || fail "TLS $version is refused"
done
for version in tls1 tls1_1; do
        openssl s_client -connect 127.0.0.1:5080 -$version -cipher 'ALL:@SECLEVEL=0' </dev/null >/dev/null 2>&1 &&
                fail "$version is accepted"
done
curl -sS -m 20 http://localhost:5080/api/v1/health >"$dir/body" 2>&1 && fail "HTTP without TLS: $(cat "$dir/body")"
contains "$(openssl s_client -connect 127.0.0.1:5080 -alpn h2,http/1.1 </dev/null 2>/dev/null)" \
        "ALPN protocol: http/1.1" "the handshake"

for version in tls1_2 tls1_3; do
        # (the ticket of TLS 1.3 comes with the first answer)
        printf 'GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' |
                openssl s_client -connect 127.0.0.1:5080 -$version -sess_out "$dir/session" -ign_eof >/dev/null 2>&1 || :
        contains "$(openssl s_client -connect 127.0.0.1:5080 -$version -sess_in "$dir/session" </dev/null 2>/dev/null)" \
                "Reused, " "a session of $version that is resumed"
done

# --- a job and a WebSocket ---------------------------------------------------------------------------------

raw_image "$dir/disk.raw" 16
id=$(tls -H "X-API-Key: $key" "$url/api/v1/jobs/submit" -d "$(spec "$dir/disk.raw" "$dir/out.qcow2")" |
        jq -r '.job_id // .job_ids[0]')
wait_state "$id" COMPLETED
contains "$(tls -H "X-API-Key: $key" "$url/api/v1/jobs/$id")" '"completed"' "the job"
same "$dir/disk.raw" "$dir/out.qcow2" qcow2
tls -H "X-API-Key: $key" "$url/api/v1/jobs?status=completed&provider=local&sort=created_at&order=desc&limit=10" |
        jq -c '[.data[] | [.id, .type, .status, .vm_name, .progress]], .pagination' >"$dir/page"
equal "$(cat "$dir/page")" "[[\"$id\",\"convert\",\"completed\",\"disk\",100]]
{\"offset\":0,\"limit\":10,\"total\":1,\"has_more\":false}" "the list of jobs"
contains "$(journalctl -o cat HYPER_USER=tls HYPER_ROLE=operator HYPER_ADDRESS=127.0.0.1)" \
        "POST /api/v1/jobs/submit of key tls (operator) from 127.0.0.1: 20" "the journal about a change"
equal "$(code -H "X-API-Key: $key" -X DELETE "$url/api/v1/jobs/$id")" 409 "cancelling a job that has ended"
tls -N --http1.1 -m 3 -H "X-API-Key: $key" -H 'Connection: Upgrade' -H 'Upgrade: websocket' \
        -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' -D "$dir/head" \
        "$url/ws" >"$dir/frames" 2>/dev/null || : # it does not end by itself
contains "$(cat "$dir/head")" "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" "the handshake of the WebSocket"
[ -s "$dir/frames" ] || fail "there is no frame"

# --- another certificate -----------------------------------------------------------------------------------

# Connections during the change: none is refused.
(until [ -e "$dir/enough" ]; do
        curl -sS -k -m 20 -o /dev/null $url/api/v1/health || exit 1
done) 2>"$dir/refused" &
asking=$!
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost -keyout "$dir/key" -out "$dir/certificate" 2>/dev/null
install -m 600 "$dir/key" $store/hyper.tls-key
install -m 600 "$dir/certificate" $store/hyper.tls-certificate
is_new() { [ "$(served)" = "$(stored)" ]; }
began=$(date +%s%N)
eventually 30 "the new certificate is served" is_new
took=$((($(date +%s%N) - began) / 1000000))
echo "the new certificate was served after $took ms"
[ $took -le 5000 ] || fail "the new certificate was served after $took ms, not within 5 s"
touch "$dir/enough"
wait $asking || fail "a connection was refused: $(cat "$dir/refused")"
systemctl start hyper-tls-certificate.service
equal "$(served)" "$(openssl x509 -noout -serial -in "$dir/certificate")" "the certificate of the administrator"

# Encrypted, it has precedence.
mkdir -p /etc/credstore.encrypted
openssl req -x509 -key "$dir/key" -days 30 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
        -out "$dir/certificate2" 2>/dev/null
systemd-creds encrypt -q --name=hyper.tls-key "$dir/key" /etc/credstore.encrypted/hyper.tls-key
systemd-creds encrypt -q --name=hyper.tls-certificate "$dir/certificate2" \
        /etc/credstore.encrypted/hyper.tls-certificate
is_encrypted() { [ "$(served)" = "$(openssl x509 -noout -serial -in "$dir/certificate2")" ]; }
eventually 30 "the encrypted certificate is served" is_encrypted
equal "$(stat -c '%a %U' /run/hyper-tls/hyper.tls-key /run/hyper-tls/hyper.tls-key/credential | uniq | tr '\n' ' ')" \
        "700 root 600 root " "the decrypted key"

# One that cannot be decrypted (another machine has encrypted it) leaves the other sockets as they are, and
# those that are not encrypted are not used instead.
sed 's/[A-Za-z]/x/20' /etc/credstore.encrypted/hyper.tls-key >"$dir/damaged"
install -m 600 "$dir/damaged" /etc/credstore.encrypted/hyper.tls-key
systemctl restart hyper.service || fail "hyper.service does not start"
equal "$(systemctl is-active hyper.service)" active "hyper.service"
equal "$(curl -sS -o /dev/null -w '%{http_code}' http://127.0.0.1:8080/health)" 200 "the other sockets"
tls -o /dev/null $url/api/v1/health 2>"$dir/err" && fail "it is served without its key"
why="/etc/credstore.encrypted/hyper.tls-key cannot be decrypted on this machine; see 'journalctl -u"
contains "$(journalctl -u hyper.service -o cat)" "hyper-tls.socket is not served: $why hyper-tls-unlock@hyper.tls-key'" \
        "the journal"
[ -n "$(journalctl -u hyper-tls-unlock@hyper.tls-key -o cat _COMM=systemd-creds)" ] ||
        fail "the journal of hyper-tls-unlock@hyper.tls-key does not say why"
rm /etc/credstore.encrypted/hyper.tls-*
eventually 30 "the plain certificate is served again" is_new
missing /run/hyper-tls/hyper.tls-key/credential

# --- a key that does not fit -------------------------------------------------------------------------------

openssl ecparam -name prime256v1 -genkey -noout -out $store/hyper.tls-key
refused() { journalctl -u hyper-tls-renew -o cat | grep -q 'hyper.tls-key is not the key of'; }
eventually 30 "the pair is refused" refused
is_new || fail "a pair that does not fit is used"
systemctl restart hyper.service
equal "$(curl -sS -o /dev/null -w '%{http_code}' http://127.0.0.1:8080/health)" 200 "the other sockets"
contains "$(journalctl -u hyper.service -o cat)" "hyper-tls.socket is not served: hyper.tls-key is not the key of" \
        "the journal"
install -m 600 "$dir/key" $store/hyper.tls-key
eventually 30 "it is served again" is_new
lacks "$(journalctl -o cat)" "$key" "the journal"
