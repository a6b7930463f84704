#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 400
# tier: all
# slow: 10,000 connections, which are closed when their time is over
#
# 10,000 clients of the v1 API that stop in the handshake or in the body of a request: others are answered,
# the memory for them is limited, and they are closed.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

MANY=10000
[ "$(ulimit -Hn)" -gt $((MANY + 200)) ] ||
        skip "a process here may have $(ulimit -Hn) files open, which is too few"
systemctl -q enable hyper-tls.socket
systemctl restart hyper.socket
key=$(hyperctl key add slow --scope=submit,read -q)
pid() { systemctl show -P MainPID hyper.service; }
memory() { awk '/^Pss:/ {print $2}' "/proc/$(pid)/smaps_rollup"; }
is_healthy() { [ "$(curl -sk -m 20 -o /dev/null -w '%{http_code}' -H "X-API-Key: $key" \
        https://localhost:5080/api/v1/health)" = 200 ]; }
eventually 20 "the API answers" is_healthy
before=$(memory)
touch "$dir/clients"
python3 "$(dirname "$0")/v1-hostile.py" stall "$MANY" "$key" "$dir/clients" &
clients=$!
eventually 120 "$MANY clients are there" grep -q ready "$dir/clients"
now=$(memory)
echo "memory of hyper-apid: $before KiB before, $now KiB with $MANY slow clients," \
        "$(((now - before) * 1024 / MANY)) bytes each"
[ $((now - before)) -lt $((MANY * 64)) ] || fail "slow clients take $((now - before)) KiB"
for i in $(seq 1 20); do is_healthy || fail "request $i beside them is not answered"; done
# Those in the handshake have two minutes at most, those in a body one without a byte.
eventually 200 "they are closed" grep -q "closed $MANY" "$dir/clients"
wait "$clients" || fail "the clients failed"
is_healthy || fail "the API does not answer after them"
