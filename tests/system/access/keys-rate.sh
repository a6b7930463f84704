#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 240
#
# How often one may ask: 429 with Retry-After, which curl heeds; a limit of a key's own, and one of the
# configuration's; wrong keys are soon not looked at.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

header() { sed -n "s/^$1: *\([^\r]*\)\r*$/\1/Ip" "$dir/headers"; }

# Six a minute, one at once: ten seconds from one to the next.
slow=$(hyperctl key add slow --scope=read --rate=6 -q)
fast=$(hyperctl key add fast --scope=read -q)
http GET "$worker/jobs" "" -H "X-API-Key: $slow" >/dev/null
equal "$(status)" 200 "the first request"
equal "$(header X-RateLimit-Limit)" 1 "X-RateLimit-Limit"
equal "$(header X-RateLimit-Remaining)" 0 "X-RateLimit-Remaining"
http GET "$worker/jobs" "" -H "X-API-Key: $slow" >/dev/null
equal "$(status)" 429 "the second request"
wait=$(header Retry-After)
{ [ "$wait" -ge 1 ] && [ "$wait" -le 10 ]; } || fail "Retry-After: $wait"
jq -e '.error.code == 429' "$dir/body" >/dev/null || fail "429 has not the dialect's form: $(cat "$dir/body")"
# curl --retry waits as long as it is told, and needs no second try after that
curl -sS --fail --retry 2 -v -m 60 -H "X-API-Key: $slow" -o "$dir/body" "$worker/jobs" 2>"$dir/log" ||
        fail "curl gave up: $(cat "$dir/log")"
equal "$(grep -c '^< HTTP/1.1 429' "$dir/log")" 1 "answers of 429 that curl met"
equal "$(grep -c '^< HTTP/1.1 200' "$dir/log")" 1 "answers of 200 that curl met"
for _ in $(seq 50); do
        http GET "$worker/jobs" "" -H "X-API-Key: $fast" >/dev/null
        equal "$(status)" 200 "another key, meanwhile"
done

# Wrong keys, so many of them
guess="hyper_$(printf %08x 1)_$(printf 'A%.0s' $(seq 43))"
for i in $(seq 25); do
        http GET "$worker/jobs" "" -H "X-API-Key: $guess" >/dev/null
        [ "$(status)" = 401 ] || break
done
equal "$(status)" 429 "the status of wrong key number $i"
[ "$i" -gt 15 ] || fail "only $i wrong keys were borne"
[ -n "$(header Retry-After)" ] || fail "429 without Retry-After"
http GET "$worker/jobs" "" -H "X-API-Key: $fast" >/dev/null
equal "$(status)" 200 "a right key from the same address"
[ "$(journalctl -q --no-pager -o cat -u hyper.service --grep 'refused a request' | wc -l)" -le 25 ] ||
        fail "wrong keys fill the log"

# Keys for all ports, if the configuration says so
settings 'api: {require_key: true}'
systemctl restart hyper.service
for url in "$api/jobs/query" "$hosts_api/api/hosts" "$worker/jobs"; do
        http GET "$url" >/dev/null
        equal "$(status)" 401 "$url without a key, where all want one"
        http GET "$url" "" -H "X-API-Key: $fast" >/dev/null
        equal "$(status)" 200 "$url with a key"
done
equal "$(curl -sS --unix-socket /run/hyper/api.sock -o /dev/null -w '%{http_code}' \
        http://localhost/jobs/query)" 200 "the UNIX socket, where all want one"

# In the configuration: for addresses as well, where no key is wanted, but not over the UNIX socket
settings 'api: {rate_limit: 6, rate_burst: 3}'
systemctl restart hyper.service
for want in 200 200 200 429; do
        http GET "$api/jobs/query" >/dev/null
        equal "$(status)" $want "the HyperSDK API with a limit"
done
jq -e '.error | type == "string"' "$dir/body" >/dev/null ||
        fail "429 has not HyperSDK's form: $(cat "$dir/body")"
http GET "$api/health" >/dev/null
equal "$(status)" 200 "health, whatever the limit"
for _ in $(seq 10); do
        equal "$(curl -sS --unix-socket /run/hyper/api.sock -o /dev/null -w '%{http_code}' \
                http://localhost/jobs/query)" 200 "the UNIX socket"
done
equal "$(hyperctl config --json=short | jq -c '[."hyper-apid".api | .rate_limit, .rate_burst]')" '[6,3]' \
        "the configuration in force"
