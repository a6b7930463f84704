#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
# weight: 1
#
# Hostile clients of the TLS port: chunks in pieces of a byte, chunks that are torn, renegotiation,
# certificates without end. Others are answered, hyper-apid stays the same process, and its memory is bounded.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

systemctl -q enable hyper-tls.socket
mkdir -p /etc/hyper/config.d
printf 'daemon: {idle_timeout: 600}\nv1: {rate_limit: 1000000, user_rate_limit: 1000000}\n' >/etc/hyper/config.d/90-test.yaml
systemctl restart hyper.socket
key=$(hyperctl key add hostile --scope=submit,read -q)
url=https://localhost:5080/api/v1
answer() { curl -sSk -m 20 -o /dev/null -w '%{http_code}' -H "X-API-Key: $key" "$@"; }
equal "$(answer $url/jobs)" 200 "a request before"
pid() { systemctl show -P MainPID hyper.service; }
memory() { awk '/^Pss:/ {print $2}' "/proc/$(pid)/smaps_rollup"; }
first=$(pid) before=$(memory)
# hostile CASE…: and others are answered meanwhile
hostile() {
        local worst=0 took
        timeout 200 python3 "$(dirname "$0")/v1-hostile.py" "$@" >"$dir/out" 2>&1 &
        local client=$!
        while kill -0 $client 2>/dev/null; do
                took=$(curl -sSk -m 20 -o /dev/null -w '%{time_total}' -H "X-API-Key: $key" "$url/jobs" | tr -d .)
                [ $((10#$took)) -le "$worst" ] || worst=$((10#$took))
                [ "$(memory)" -lt $((before + 65536)) ] || fail "$1: hyper-apid has grown from $before to $(memory) KiB"
        done
        wait $client || fail "$1: $(cat "$dir/out")"
        equal "$(pid)" "$first" "$1: the process of hyper-apid"
        echo "$1: $(tail -n 1 "$dir/out"); others were answered within $((worst / 1000)) ms"
        # (the machine may be busy with other tests)
        [ "$worst" -lt 20000000 ] || fail "$1: somebody else has waited $((worst / 1000)) ms"
}
# (a chunk of 256 MiB is in v1-pieces)
hostile pieces "$key" $((1 << 18)) 1
hostile pieces "$key" $((16 << 20)) 7000
hostile torn "$key"
hostile renegotiation
hostile certificates
