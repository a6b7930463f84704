#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
# slow: every route is asked for by six users
#
# Who may do what: each route of each dialect, over TCP and the UNIX socket, for a user without a role,
# viewers, operators and admins; the same on the bus; a membership that changes while all runs; and
# connections that have no user.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

shopt -s extglob
socket=/run/hyper/api.sock
declare -A port=([hyper]=8080 [hyper-worker]=8000 [hyper-hosts]=8890)
for user in nobody viewer operator admin; do
        useradd -M -s /bin/sh "t-$user"
        [ $user = nobody ] || usermod -aG "hyper-$user" "t-$user"
done
useradd -M -s /bin/sh -g hyper-operator t-primary
busctl -q call "${manager[@]}" ListJobs 'a{sv}' 0 # so that there is a database
# Of hyper-tls there is tls.sh: it requires keys, and has the routes of the HyperSDK API besides its own.
/usr/libexec/hyper-apid --routes | grep -v '^hyper-tls ' >"$dir/routes"

# ask USER METHOD URL [CURL-OPTIONS…]: the status
ask() {
        local user=$1 method=$2 url=$3
        shift 3
        runuser -u "$user" -- curl -sS -m 20 -o /dev/null -w '%{http_code}' -X "$method" "$@" "$url"
}

# --- every route -------------------------------------------------------------------------------------------

# Paths are filled with a name that nothing has, bodies are no JSON: what is let in fails with another status,
# and does nothing. Streams are not waited for: the status is there before the first event.
rank() { case $1 in public) echo 0 ;; read) echo 1 ;; submit | work) echo 2 ;; admin) echo 3 ;; *) fail \
        "an unknown scope: $1" ;; esac; }
check_routes() {
        local user=$1 have=$2 n=0 name method path scope url status expected
        shift 2
        while read -r name method path scope; do
                url=http://127.0.0.1:${port[$name]}${path//"{"*([^\}])"}"/nothing}
                status=$(ask "$user" "$method" "$url" -H 'Content-Type: application/json' -d '{' "$@")
                expected=refused
                [ "$have" -lt "$(rank "$scope")" ] || expected=allowed
                case $expected:$status in
                        refused:403) ;;
                        refused:* | allowed:40[13] | allowed:000) fail \
                                "$method $name $path ($scope) as $user: $status" ;;
                esac
                n=$((n + 1))
        done <"$dir/routes"
        equal "$n" "$(wc -l <"$dir/routes")" "the routes that were asked for"
}
[ "$(wc -l <"$dir/routes")" -gt 70 ] || fail "there are few routes: $(cat "$dir/routes")"
check_routes t-nobody 0
check_routes t-viewer 1
check_routes t-operator 2
check_routes t-primary 2
check_routes t-admin 3
check_routes root 3
# over the UNIX socket, which has the routes of HyperSDK only
grep '^hyper ' "$dir/routes" >"$dir/routes.unix"
mv "$dir/routes.unix" "$dir/routes"
check_routes t-nobody 0 --unix-socket $socket
check_routes t-viewer 1 --unix-socket $socket
check_routes t-operator 2 --unix-socket $socket
check_routes t-admin 3 --unix-socket $socket
check_routes root 3 --unix-socket $socket

# The refusal is in the dialect's form, and says what would help
answer=$(runuser -u t-nobody -- curl -sS "$api/jobs/x")
contains "$(jq -r .error <<<"$answer")" \
        "the group hyper-viewer, hyper-operator or hyper-admin, or an API key with the scope \"read\"" \
        "HyperSDK's refusal"
answer=$(runuser -u t-viewer -- curl -sS "$worker/jobs" -d '{}')
contains "$answer" "the group hyper-operator or hyper-admin, or an API key with the scope \\\"submit\\\"" \
        "the worker API's refusal"
answer=$(runuser -u t-operator -- curl -sS "$hosts_api/api/v1/hosts" -d '{}')
contains "$answer" "the group hyper-admin" "the hosts API's refusal"

# --- the documentation's example, as an operator -----------------------------------------------------------

raw_image "$dir/disk.raw" 4
id=$(runuser -u t-operator -- curl -sS "$api/jobs/submit" -H 'Content-Type: application/json' -d "{
  \"source\": {\"type\": \"file\", \"path\": \"$dir/disk.raw\"},
  \"destination\": {\"type\": \"file\", \"path\": \"$dir/disk.qcow2\", \"format\": \"qcow2\"}}" |
          jq -r '.job_id // .job_ids[0]')
wait_state "$id" COMPLETED
same "$dir/disk.raw" "$dir/disk.qcow2" qcow2
equal "$(job "$id" | jq -r .role)" operator "the role that the job is checked by"
equal "$(ask t-admin POST "$worker/jobs" -H 'Content-Type: application/json' -d \
        "{\"job_id\": \"by-admin\", \"operation\": \"convert\",
  \"image\": {\"path\": \"$dir/disk.raw\"}, \"parameters\": {\"output_path\": \"$dir/admin.qcow2\", \"output_format\": \"qcow2\"}}")" 201 "a job of an admin"
equal "$(job by-admin | jq -r .role)" admin "the role that the admin's job is checked by"
wait_state by-admin COMPLETED
equal "$(ask t-viewer GET "$api/jobs/$id")" 200 "the job for a viewer"
equal "$(ask t-nobody GET "$api/jobs/$id")" 403 "the job for somebody without a role"

# --- the bus -----------------------------------------------------------------------------------------------

bus() { runuser -u "$1" -- busctl "${@:2}"; }
methods=(
        "viewer ListJobs a{sv} 0"
        "viewer GetJob s $id"
        "viewer ListWebhooks"
        "viewer ListKeys"
        "operator CancelJob s nothing"
        "operator DeleteSchedule s nothing"
        "operator Reload"
        "admin RemoveWebhook u 77"
        "admin RemoveKey s nothing"
        "admin ListDeliveries ua{sv} 77 0"
)
for line in "${methods[@]}"; do
        read -r -a m <<<"$line"
        for user in nobody viewer operator admin; do
                allowed=no
                case $user:${m[0]} in admin:* | operator:operator | operator:viewer | viewer:viewer) \
                        allowed=yes ;; esac
                error=$(bus t-$user call "${manager[@]}" "${m[@]:1}" 2>&1) || :
                case $allowed:$error in
                        no:*"Not allowed"* | no:*"Access denied"*) ;;
                        no:* | yes:*"Not allowed"* | yes:*"Access denied"*) fail \
                                "${m[1]} by t-$user: $error" ;;
                esac
        done
done
for user in nobody viewer operator admin; do
        for m in "manage-hosts AddHost sa{sv} test:///default 0" "manage-hosts RemoveHost s nothing"; do
                read -r -a m <<<"$m"
                error=$(bus t-$user call org.hyper1.Hosts /org/hyper1/hosts org.hyper1.Hosts.Manager \
                        "${m[@]:1}" 2>&1) || :
                case $user:$error in
                        admin:*"Not allowed"* | admin:*"Access denied"*) fail "${m[1]} by an admin: $error" ;;
                        admin:* | *"Not allowed"* | *"Access denied"*) ;;
                        *) fail "${m[1]} by t-$user: $error" ;;
                esac
        done
done
error=$(runuser -u t-nobody -- hyperctl list 2>&1) && fail "somebody without a role may list jobs"
contains "$error" "a member of the group hyper-viewer" "hyperctl's error"
contains "$error" "The bus does not let this user ask" "hyperctl's error"
# a configuration read again is an operator's for hyper-managerd, and an admin's for hyper-hostd: the error
# says so
systemctl start hyper-hostd.service
error=$(runuser -u t-operator -- hyperctl reload 2>&1) && fail "an operator may reload hyper-hostd"
contains "$error" "a member of hyper-admin, or have polkit allow org.hyper1.manage-hosts" "hyperctl's error"
# signals are heard by those who may read
runuser -u t-nobody -- timeout 20 dbus-monitor --system "type='signal',sender='org.hyper1'" \
        >"$dir/heard.nobody" 2>&1 &
runuser -u t-viewer -- timeout 20 dbus-monitor --system "type='signal',sender='org.hyper1'" \
        >"$dir/heard.viewer" 2>&1 &
listening() { [ "$(busctl list --no-legend | grep -c dbus-monitor)" -ge 2 ]; }
eventually 10 "both listen" listening
submit "$(spec "$dir/disk.raw" "$dir/two.qcow2" '.job_id = "told"')" >/dev/null
wait_state told COMPLETED
eventually 10 "the viewer hears of the job" grep -q told "$dir/heard.viewer"
grep -q told "$dir/heard.nobody" && fail "somebody without a role hears signals"

# --- a membership that changes -----------------------------------------------------------------------------

usermod -aG hyper-viewer t-nobody
is_viewer() { [ "$(ask t-nobody GET "$api/status")" = 200 ]; }
eventually 10 "the membership counts" is_viewer
# streams go on as long as the role is there
raw_image "$dir/big.raw" 64
serve "$dir/slow.sock" --filter=rate file "$dir/big.raw" rate=8M
long=$(submit "$(spec "$(nbd_uri "$dir/slow.sock")" "$dir/long.qcow2" '.job_id = "long"')")
wait_state "$long" RUNNING
runuser -u t-nobody -- curl -sSN -m 60 "$worker/jobs/$long/events/stream" >"$dir/stream" 2>&1 &
stream=$!
eventually 20 "the stream tells something" test -s "$dir/stream"
gpasswd -d t-nobody hyper-viewer >/dev/null
begun=$SECONDS
wait $stream || :
[ $((SECONDS - begun)) -le 10 ] || fail "a stream went on for $((SECONDS - begun)) s without the role"
equal "$(state "$long")" RUNNING "the job at the end of the stream"
equal "$(ask t-nobody GET "$api/status")" 403 "the status without a role"
cancel "$long"
wait_state "$long" CANCELLED
stop_serving "$dir/slow.sock"

# --- connections without a user ----------------------------------------------------------------------------

# Closed, or half of it, before hyper-apid can look: the kernel says that the socket is root's
cat >"$dir/closer.py" <<'END'
import os, signal, socket, sys
# The server is stopped while the connection is made, so that it accepts it when it is closed already.
pid, how = int(sys.argv[1]), sys.argv[2]
os.kill(pid, signal.SIGSTOP)
s = socket.create_connection(("127.0.0.1", 8080))
s.sendall(b"GET /status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
if how == "half":
    s.shutdown(socket.SHUT_WR)
os.kill(pid, signal.SIGCONT)
print(s.recv(64).split(b"\r\n")[0].decode())
END
equal "$(ask root GET "$api/status")" 200 "root"
pid=$(systemctl show -P MainPID hyper.service)
equal "$(python3 "$dir/closer.py" "$pid" half)" "HTTP/1.1 403 Forbidden" \
        "root, with a connection that is closed already"
equal "$(python3 "$dir/closer.py" "$pid" open)" "HTTP/1.1 200 OK" "root, with one that is open"
# A hundred that close at once: no answer, no crash
setpriv --reuid=t-nobody --regid=t-nobody --clear-groups python3 - <<'END'
import socket, struct
for i in range(100):
    s = socket.create_connection(("127.0.0.1", 8080))
    s.sendall(b"POST /jobs/submit HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}")
    if i % 2:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()
END
equal "$(ask t-viewer GET "$api/status")" 200 "a viewer afterwards"
equal "$(systemctl show -P MainPID hyper.service)" "$pid" "the process"

# In another network namespace there is another loopback; the UNIX socket is reached, its peer cannot be found
ip netns add other 2>/dev/null || unshare --net=/run/other-net true
inside() { if [ -e /run/netns/other ]; then ip netns exec other "$@"; else nsenter --net=/run/other-net \
        "$@"; fi; }
inside runuser -u t-admin -- curl -sS -m 5 "$api/status" >/dev/null 2>&1 &&
        fail "the port can be reached from another network namespace"
equal "$(inside runuser -u t-admin -- curl -sS -m 5 -o /dev/null -w '%{http_code}' --unix-socket $socket \
        "$api/status")" 403 "another namespace, over the UNIX socket"
key=$(hyperctl key add other --scope=read -q)
equal "$(inside runuser -u t-admin -- curl -sS -m 5 -o /dev/null -w '%{http_code}' -H "X-API-Key: $key" \
        --unix-socket $socket "$api/status")" 200 "the same with a key"
hyperctl key rm other
# A user who tries wrong keys under the ID of another one's does not keep that one out, who has the same
# address
key=$(hyperctl key add owner --scope=read -q)
wrong=${key%??????????}AAAAAAAAAA
is_not_looked_at() { [ "$(ask t-nobody GET "$api/status" -H "X-API-Key: $wrong")" = 429 ]; }
eventually 30 "wrong keys are not looked at any more" is_not_looked_at
equal "$(ask root GET "$api/status" -H "X-API-Key: $key")" 200 "the owner of the key"
hyperctl key rm owner

# --- the socket on which the kernel is asked ---------------------------------------------------------------

# It stays when the addresses are changed; and over IPv6 clients have users, too
mkdir -p /etc/systemd/system/hyper.socket.d
printf '[Socket]\nListenStream=\nListenStream=[::1]:8081\nListenStream=%s\n' $socket \
        >/etc/systemd/system/hyper.socket.d/10-test.conf
systemctl daemon-reload
systemctl restart hyper.socket
equal "$(ask t-viewer GET 'http://[::1]:8081/status') $(ask t-nobody GET 'http://[::1]:8081/status')" \
        "200 403" "a viewer and nobody, over IPv6"
# Without it nobody has a user over TCP, not even root; and the log says so
systemctl mask -q --runtime --now hyper-peers.socket
systemctl restart hyper.socket
equal "$(ask root GET 'http://[::1]:8081/status') $(ask root GET "$api/status" --unix-socket $socket)" \
        "403 200" "root over TCP and over the UNIX socket"
journalctl -q -u hyper.service --grep='clients over TCP have no identity' | grep -q . ||
        fail "nothing in the log says that clients have no identity"
systemctl unmask -q --runtime hyper-peers.socket
rm -r /etc/systemd/system/hyper.socket.d
systemctl daemon-reload
systemctl restart hyper.socket
equal "$(ask t-viewer GET "$api/status")" 200 "a viewer afterwards"

# One user cannot have so many connections that there is none left for the others
cat >"$dir/many.py" <<'END'
import resource, select, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (9000, 9000))
open_ones = []
for i in range(8000):
    s = socket.socket()
    s.bind(("127.0.0.%d" % (1 + i // 4000), 0))
    s.connect(("127.0.0.1", 8080))
    open_ones.append(s)
poll = select.poll()
for s in open_ones:
    poll.register(s, select.POLLIN)
closed = set()
while len(closed) < 4000:
    for fd, _ in poll.poll():
        closed.add(fd)
        poll.unregister(fd)
print("closed", len(closed), flush=True)
sys.stdin.read()
END
mkfifo "$dir/hold"
setpriv --reuid=t-nobody --regid=t-nobody --clear-groups python3 "$dir/many.py" <"$dir/hold" >"$dir/many" \
        2>&1 &
many=$!
exec {hold}>"$dir/hold"
eventually 60 "4000 of 8000 connections of one user are closed" grep -q 'closed 4000' "$dir/many"
equal "$(ask root GET "$api/status") $(ask t-viewer GET "$api/status")" "200 200" \
        "root and a viewer beside 4000 connections"
journalctl -q -u hyper.service --grep="The user with the UID $(id -u \
        t-nobody) has 4000 connections to hyper.socket" | grep -q . ||
        fail "nothing in the log says that a user has too many connections"
exec {hold}>&-
wait $many
is_served() { [ "$(ask t-nobody GET "$api/health")" = 200 ]; }
eventually 10 "the user is served again" is_served

# --- anybody -----------------------------------------------------------------------------------------------

mkdir -p /etc/hyper/config.d
echo 'api: {local: anybody}' >/etc/hyper/config.d/50-local.yaml
systemctl restart hyper.service
equal "$(ask t-nobody GET "$api/status")" 200 "anybody"
journalctl -q -u hyper.service --grep='api.local is "anybody"' | grep -q . ||
        fail "nothing in the log says that anybody may do everything"
