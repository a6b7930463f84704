#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A secret reaches its job, and nothing else: not the database, the log, the unit, a command line or an
# environment.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

nbdkit --dump-config | grep -q '^tls=yes' || skip "this nbdkit knows no TLS"
raw_image "$dir/disk.raw" 64
secret=$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')
echo "alice:$secret" >"$dir/keys.psk"
chmod 600 "$dir/keys.psk"
serve "$dir/s.sock" --tls=require --tls-psk="$dir/keys.psk" --filter=rate file "$dir/disk.raw" rate=32M

tls_spec() { spec "nbds+unix://alice@/?socket=$dir/s.sock" "$dir/$1.qcow2" \
        ".job_id = \"$1\" | .source.tls_psk = \"$2\" | .execution_policy = {retry_count: 0}"; }
submit "$(tls_spec in-the-spec "alice:$secret")" >/dev/null
wait_bytes in-the-spec 1
pid=$(systemctl show -P MainPID "$(unit in-the-spec)")
nsenter -t "$pid" -m -r cat "/run/credentials/$(unit in-the-spec)/source.tls_psk" | grep -q "$secret" ||
        fail "the job does not see its secret"
file=$(find /var/lib/hyper/credentials -type f)
[ -n "$file" ] || fail "the secret is not kept"
equal "$(stat -c '%a %U' "$file")" "600 root" "mode and owner of $file"

# How often it is found in each place. The pattern comes from a file: on a command line it would be found
# itself.
echo "$secret" >"$dir/pattern"
search() {
        systemctl show "$(unit "$1")" | grep -cFf "$dir/pattern" || :
        systemctl cat "$(unit "$1")" 2>/dev/null | grep -cFf "$dir/pattern" || :
        cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\0' '\n' |
                grep -cFf "$dir/pattern" || :
        job "$1" | grep -cFf "$dir/pattern" || :
        { grep -rlFf "$dir/pattern" /var/lib/hyper /run/hyper-jobs /run/systemd/transient 2>/dev/null ||
                :; } | wc -l
        journalctl -q -o export | grep -acFf "$dir/pattern" || :
}
equal "$(search in-the-spec | sort -u | tr '\n' ' ')" "0 " "where the secret is found while the job runs"
wait_state in-the-spec COMPLETED
same "$dir/disk.raw" "$dir/in-the-spec.qcow2" qcow2
equal "$(find /var/lib/hyper/credentials -type f)" "" "secrets that are kept after the job"
equal "$(search in-the-spec | sort -u | tr '\n' ' ')" "0 " "where the secret is found afterwards"
equal "$(job in-the-spec | jq -r .spec.source.tls_psk)" "***" "the secret in the spec that is shown"

# The way of the API: cut out of the spec, handed over beside it
busctl -q call "${manager[@]}" SubmitJob 'sa{sv}' "$(tls_spec beside-it '***')" 1 secrets 'a{ss}' 1 \
        source.tls_psk "alice:$secret"
wait_state beside-it COMPLETED
submit "$(tls_spec wrong "alice:$(tr 0-9 1-90 <<<"$secret")")" >/dev/null
wait_state wrong FAILED
missing "$dir/wrong.qcow2"
equal "$(find /var/lib/hyper/credentials -type f)" "" "secrets that are kept"
stop_serving "$dir/s.sock"
