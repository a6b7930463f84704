#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A port that other machines can reach is not served without an API key, whatever the dialect: the log says
# which socket it is and what to do. With a key it is.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

refusals() { { journalctl -q --no-pager -o cat -u hyper.service --grep "Refusing to serve $1.socket" ||
        :; } | wc -l; }
answers() { [ "$(curl -sS -m 5 -o /dev/null -w '%{http_code}' "$@" 2>/dev/null)" = 200 ]; }
# (a service that has ended leaves its sockets listening, and starts anew with the next client)
stop_all() {
        systemctl stop hyper.socket hyper-worker.socket hyper-hosts.socket hyper.service 2>/dev/null || :
        systemctl reset-failed 'hyper*' 2>/dev/null || :
}

# open UNIT ADDRESS
open() {
        mkdir -p "/run/systemd/system/$1.socket.d"
        printf '[Socket]\nListenStream=\nListenStream=%s\n' "$2" >"/run/systemd/system/$1.socket.d/open.conf"
        systemctl daemon-reload
        stop_all
        systemctl start hyper.socket hyper-worker.socket hyper-hosts.socket
}
closed() {
        stop_all
        rm -r "/run/systemd/system/$1.socket.d"
        systemctl daemon-reload
        systemctl start hyper.socket hyper-worker.socket hyper-hosts.socket
}

for unit in hyper:8080:jobs/query hyper-worker:8000:jobs hyper-hosts:8890:api/hosts; do
        IFS=: read -r name port path <<<"$unit"
        for address in "0.0.0.0:$port" "[::]:$port"; do
                before=$(refusals "$name")
                open "$name" "$address"
                curl -sS -m 5 -o "$dir/body" "http://127.0.0.1:$port/$path" 2>/dev/null &&
                        fail "$name.socket answers on $address without any key: $(cat "$dir/body")"
                # (a client that waits does not have it start again and again: it is closed)
                equal "$(systemctl show -P ActiveState -P NRestarts hyper.service | xargs)" "0 active" \
                        "hyper.service with $name.socket on $address"
                for other in 8080 8000 8890; do
                        [ "$other" = "$port" ] || [ "$(curl -sS -m 20 -o /dev/null -w '%{http_code}' \
                                "http://127.0.0.1:$other/nothing")" = 404 ] || fail "port $other is not served"
                done
                [ "$(refusals "$name")" -gt "$before" ] ||
                        fail "the log does not say that $name.socket is refused"
                line=$(journalctl -q --no-pager -o cat -u hyper.service --grep \
                        "Refusing to serve $name.socket" -n 1)
                contains "$line" "hyperctl key add" "the remedy"
                contains "$line" "systemctl edit $name.socket" "the other remedy"
                closed "$name"
                answers "http://127.0.0.1:$port/$path" ||
                        fail "$name.socket does not answer on the loopback interface"
        done
done

key=$(hyperctl key add one --scope=read -q)
for unit in hyper:8080:jobs/query hyper-worker:8000:jobs hyper-hosts:8890:api/hosts; do
        IFS=: read -r name port path <<<"$unit"
        open "$name" "0.0.0.0:$port"
        answers -H "X-API-Key: $key" "http://127.0.0.1:$port/$path" ||
                fail "$name.socket does not answer with a key"
        equal "$(curl -sS -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/$path")" 401 \
                "$name.socket without a key"
        closed "$name"
done
hyperctl key rm one
