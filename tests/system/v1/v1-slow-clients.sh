#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 900
# tier: all
# slow: clients that wait are closed when their time is over
#
# Ten thousand clients of the TLS port that stop in the handshake, or in the body of a request: others are
# answered, the memory is bounded, and the server closes them.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

MANY=10000
[ "$(ulimit -Hn)" -gt $((MANY + 200)) ] ||
        skip "a process here may have $(ulimit -Hn) files open, which is too few"
ulimit -n "$(ulimit -Hn)"

systemctl -q enable hyper-tls.socket
printf 'daemon: {idle_timeout: 600}\nv1: {rate_limit: 1000000, user_rate_limit: 1000000}\n' >/etc/hyper/config.d/90-test.yaml 2>/dev/null || {
        mkdir -p /etc/hyper/config.d
        printf 'daemon: {idle_timeout: 600}\nv1: {rate_limit: 1000000, user_rate_limit: 1000000}\n' >/etc/hyper/config.d/90-test.yaml
}
systemctl restart hyper.socket
key=$(hyperctl key add slow --scope=submit,read -q)
url=https://localhost:5080/api/v1
answer() { curl -sSk -m 20 -o /dev/null -w '%{http_code} %{time_total}\n' -H "X-API-Key: $key" "$@"; }
equal "$(answer $url/jobs | cut -d' ' -f1)" 200 "a request before"
pid() { systemctl show -P MainPID hyper.service; }
memory() { awk '/^Pss:/ {print $2}' "/proc/$(pid)/smaps_rollup"; }
cpu() { awk '{ print $14 + $15 }' "/proc/$(pid)/stat"; } # in hundredths of a second
first=$(pid)

# slow KIND COUNT MEMORY: that many clients; the memory of hyper-apid, in bytes for each, is at most MEMORY
slow() {
        local before now used worst
        before=$(memory)
        rm -f "$dir/clients"
        touch "$dir/clients"
        python3 "$(dirname "$0")/v1-slow-clients.py" 5080 "$1" "$2" "$dir/clients" "$key" 2>"$dir/errors" &
        clients=$!
        eventually 500 "$2 clients are there" grep -q ready "$dir/clients"
        now=$(memory) used=$(cpu)
        sleep 2 # what the CPU does while they wait
        used=$(($(cpu) - used))
        [ "$used" -lt 100 ] || fail "hyper-apid has used $used hundredths of a second in 2 s, for clients that wait"
        worst=$(for _ in 1 2 3 4 5; do
                answer $url/jobs
                answer http://127.0.0.1:8080/health
        done | awk '$1 != 200 { print "failed", $0 } $2 > m { m = $2 } END { print m }')
        echo "$1: $(grep ready "$dir/clients"), memory $before KiB before, $now KiB then," \
                "$(((now - before) * 1024 / $2)) bytes each; others were answered within $worst s"
        lacks "$worst" failed "the answers to others"
        [ $(((now - before) * 1024 / $2)) -lt "$3" ] || fail "each client costs more than $3 bytes"
        eventually 100 "all are closed" grep -q end "$dir/clients"
        wait $clients || fail "$(cat "$dir/errors")"
        equal "$(answer $url/jobs | cut -d' ' -f1)" 200 "a request afterwards"
        equal "$(pid)" "$first" "the process of hyper-apid"
}
slow silent $MANY 65536
slow handshake $MANY 65536
slow body $MANY 98304
