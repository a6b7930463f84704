#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# TLS is checked against the CAs of the system: who is signed by somebody else, or has another name, is not
# told anything.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

certificate() { # NAME SUBJECT-ALT-NAME
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" -addext \
                "subjectAltName=$2" \
                -addext basicConstraints=critical,CA:TRUE -keyout "$dir/$1.key" -out "$dir/$1.crt" 2>/dev/null
}
certificate known DNS:hooks.test
certificate unknown DNS:hooks.test
certificate other DNS:other.test
cp "$dir/known.crt" "$dir/other.crt" /usr/local/share/ca-certificates/
update-ca-certificates >/dev/null 2>&1
echo "127.0.0.1 hooks.test" >>/etc/hosts
receiver 9001 "tls=$dir/known.crt,$dir/known.key"
receiver 9002 "tls=$dir/unknown.crt,$dir/unknown.key"
receiver 9003 "tls=$dir/other.crt,$dir/other.key"

try() { busctl --json=short call "${manager[@]}" TestWebhook s "{\"url\":\"$1\"}" | jq -r '.data[0]'; }
equal "$(try https://hooks.test:9001/ | jq -c '[.success, .status_code]')" '[true,200]' \
        "one that is signed by a CA of the system"
answer=$(try https://hooks.test:9002/)
equal "$(jq -c '[.success, .status_code]' <<<"$answer")" '[false,null]' "one that is signed by somebody else"
contains "$(jq -r .error <<<"$answer")" certificate "its error"
answer=$(try https://hooks.test:9003/)
equal "$(jq -c '[.success, .status_code]' <<<"$answer")" '[false,null]' "one that has another name"
contains "$(jq -r .error <<<"$answer")" "name" "its error"
equal "$(seen_count 9002) $(seen_count 9003)" "0 0" "what they were told"
for port in 9001 9002 9003; do receiver_down $port; done
