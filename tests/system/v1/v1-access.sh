#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
#
# Who may do what in the v1 API: each route without a token, and with each role, as its documentation says. A
# wrong password takes as long as a user who does not exist. Of 101 requests at once without a token, one is
# refused, and none with a token.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=tests/system/lib/lib-v1.sh
. "$(dirname "$0")/../lib/lib-v1.sh"

v1_up
for role in viewer operator; do
        useradd -M -s /usr/sbin/nologin -G hyper-$role the-$role
        chpasswd <<<"the-$role:secret"
done
url=https://your-server:5080/api/v1
token_of() { curl -sSk $url/auth/login -d "{\"username\":\"$1\",\"password\":\"secret\"}" | jq -r .token; }

# --- as many requests as an address may send ---------------------------------------------------------------

# burst [TOKEN]: how often each status came to 101 requests at once, and Retry-After of a refusal
burst() {
        systemctl restart hyper.service # the limits begin anew
        curl -sSk -o /dev/null -H "Authorization: Bearer $v1_token" $url/auth/me # it runs
        python3 - "$@" <<'END'
import collections, re, socket, ssl, sys
c = ssl.create_default_context()
c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
s = c.wrap_socket(socket.create_connection(("127.0.0.1", 5080), 20))
token = f"Authorization: Bearer {sys.argv[1]}\r\n" if len(sys.argv) > 1 else ""
request = f"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n{token}"
s.sendall((request + "\r\n").encode() * 100 + (request + "Connection: close\r\n\r\n").encode())
answer = b""
while data := s.recv(65536):
    answer += data
count = collections.Counter(re.findall(rb"HTTP/1.1 (\d+)", answer))
print(*(f"{n.decode()}: {count[n]}" for n in sorted(count)), len(re.findall(rb"(?mi)^Retry-After: \d+", answer)))
END
}
equal "$(burst)" "200: 100 429: 1 1" "101 requests without a token"
equal "$(burst "$v1_token")" "200: 101 0" "101 requests with a token"
admin=$v1_token

# --- each route, each role ---------------------------------------------------------------------------------

printf 'v1: {rate_limit: 100000}\n' >/etc/hyper/config.d/90-rate.yaml 2>/dev/null || {
        mkdir -p /etc/hyper/config.d
        printf 'v1: {rate_limit: 100000}\n' >/etc/hyper/config.d/90-rate.yaml
}
systemctl restart hyper.service
"$(systemctl show -P ExecStart hyper.service | sed 's/.*path=\([^ ;]*\).*/\1/')" --routes >"$dir/routes"
viewer=$(token_of the-viewer) operator=$(token_of the-operator)
cat >"$dir/try.py" <<'END'
import http.client, ssl, sys

context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
tokens = dict(zip(("viewer", "operator", "admin"), sys.argv[2:]))
# As the contract has it, not as the table of routes.
PUBLIC = {("GET", "/health"), ("POST", "/auth/login"), ("POST", "/api/login"), ("GET", "/openapi.json"),
          ("GET", "/docs"), ("GET", "/docs/{file}")}
OPERATORS_READ = {"/download", "/browse/files", "/browse"}
ANYBODY = {"/vms/browse", "/vms/compare", "/schedules/validate", "/carbon/status", "/carbon/estimate",
           "/carbon/report"}


def needed(method, path):
    if (method, path) in PUBLIC:
        return None
    if path == "/audit/logs":
        return "admin"
    if method == "GET":
        return "operator" if path in OPERATORS_READ else "viewer"
    if path in ANYBODY or path.startswith("/auth/") or path == "/api/logout":
        return "viewer"
    if path.startswith("/providers"):
        return "admin"
    return "operator"


def ask(method, path, token):
    c = http.client.HTTPSConnection("127.0.0.1", 5080, context=context, timeout=30)
    headers = {"Authorization": "Bearer " + token} if token else {}
    c.request(method, path, body="{}" if method in ("POST", "PUT") else None, headers=headers)
    status = c.getresponse().status
    c.close()
    return status


wrong, n = [], 0
order = ["viewer", "operator", "admin"]
for line in open(sys.argv[1]):
    listener, method, path, scope = line.split()
    if listener != "hyper-tls":
        continue
    need = needed(method, path)
    real = path.replace("{id}", "none").replace("{file}", "docs.js")
    for base in ("/api/v1", "") if (method, path) not in (("GET", "/metrics"),) else ("/api/v1",):
        n += 1
        got = ask(method, base + real, None)
        if (got != 401) != (need is None) and not (path.endswith("/login") and got == 400):
            wrong.append(f"{method} {base}{path} without a token: {got}")
        for role, token in tokens.items():
            if path.endswith(("/logout", "/refresh")) or need is None:
                continue
            got = ask(method, base + real, token)
            allowed = order.index(role) >= order.index(need)
            if got == 401 or (got == 403) == allowed:
                wrong.append(f"{method} {base}{path} as {role}: {got}, needs {need}")
print(n, "routes")
print("\n".join(wrong))
sys.exit(bool(wrong) or n < 150)
END
python3 "$dir/try.py" "$dir/routes" "$viewer" "$operator" "$admin" >"$dir/tried" || fail "$(cat "$dir/tried")"
cat "$dir/tried"
rm /etc/hyper/config.d/90-rate.yaml
systemctl restart hyper.service

# --- tokens end --------------------------------------------------------------------------------------------

code() { curl -sk -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $1" "${@:2}"; }
equal "$(code "$viewer" $url/auth/me)" 200 "a token after restarts of hyper.service"
fresh=$(curl -sk -X POST -H "Authorization: Bearer $viewer" $url/auth/refresh | jq -r .token)
equal "$(code "$fresh" $url/auth/me)" 200 "the new token"
equal "$(code "$viewer" $url/auth/me)" 200 "the old one, for some seconds"
is_over() { [ "$(code "$viewer" $url/auth/me)" = 401 ]; }
eventually 40 "the old token ends" is_over
equal "$(code "$fresh" -X POST $url/auth/logout)" 200 "a logout"
equal "$(code "$fresh" $url/auth/me)" 401 "the token after that"

# --- a wrong password, a wrong name ------------------------------------------------------------------------

# attempt NAME PASSWORD: its status; the milliseconds are in $dir/time
attempt() {
        curl -sSk -o /dev/null -w '%{http_code} %{time_total}' $url/auth/login \
                -d "{\"username\":\"$1\",\"password\":\"$2\"}" >"$dir/attempt"
        awk '{ printf "%d", $2 * 1000 }' "$dir/attempt" >"$dir/time"
        cut -d' ' -f1 "$dir/attempt"
}
for i in 1 2 3 4; do
        equal "$(attempt the-operator "wrong$i")" 401 "a wrong password"
        cat "$dir/time" >>"$dir/password"
        echo >>"$dir/password"
        equal "$(attempt "nobody$i" "wrong$i")" 401 "a user who does not exist"
        cat "$dir/time" >>"$dir/name"
        echo >>"$dir/name"
        equal "$(attempt admin secret)" 200 "a login, which clears the address"
done
median() { sort -n "$1" | awk 'NF { a[++n] = $1 } END { print int((a[int((n + 1) / 2)] + a[int(n / 2) + 1]) / 2) }'; }
known=$(median "$dir/password") unknown=$(median "$dir/name")
echo "a wrong password took $known ms, a user who does not exist $unknown ms (medians of 4)"
if [ $((known * 100)) -ge $((unknown * 150)) ] || [ $((unknown * 100)) -ge $((known * 150)) ]; then
        fail "a wrong password took $known ms, a user who does not exist $unknown ms"
fi
