#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A change of a schedule that is refused leaves its secrets as they were; a run that is refused leaves none;
# what a manager that was killed has left is removed by the next.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

secret=$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')
echo "alice:$secret" >"$dir/keys.psk"
raw_image "$dir/disk.raw" 8
serve_tls() { serve "$dir/s.sock" --tls=require --tls-psk="$dir/keys.psk" file "$dir/disk.raw"; }
tls() { spec "nbds+unix:///?socket=$dir/s.sock" "$dir/{job_id}.qcow2" ".source.tls_psk = \"$1\""; }
kept() { find /var/lib/hyper/credentials -type f -name '*@*' -printf '%f\n' | sort; }
update() { busctl -q call "${manager[@]}" UpdateSchedule 'ssa{sv}' tls "$1" 0 2>&1; }

serve_tls
busctl -q call "${manager[@]}" CreateSchedule 'sa{sv}' "$(jq -c '{id: "tls", schedule: "@yearly", job: .}' \
        <<<"$(tls "alice:$secret")")" 0
before=$(kept)
[ -n "$before" ] || fail "the secret is not kept"

# A password that cannot be kept. The error names the field, and the old secret still works.
answer=$(update "$(jq -c '{job: .}' <<<"$(tls "$(head -c 70000 /dev/zero | tr '\0' a)")")") &&
        fail "a secret of 70,000 bytes was taken"
contains "$answer" tls_psk "the answer to a secret that is too long"
equal "$(kept)" "$before" "the secrets after a change that was refused"
id=$(busctl --json=short call "${manager[@]}" TriggerSchedule 'sa{sv}' tls 0 | jq -r '.data[0]')
wait_state "$id" COMPLETED
same "$dir/disk.raw" "$dir/$id.qcow2" qcow2

# Another one replaces it; a change of something else does not touch it
update "$(jq -c '{job: .}' <<<"$(tls "alice:$secret")")"
after=$(kept)
[ "$after" != "$before" ] || fail "the set of secrets is the old one"
equal "$(wc -l <<<"$after")" 1 "how many secrets are kept: $after"
update '{"name": "Renamed"}'
equal "$(kept)" "$after" "the secrets after another change"
stop_serving "$dir/s.sock"

# A job that cannot be submitted: its destination is below a file
: >"$dir/file"
update "$(jq -c '{job: .}' <<<"$(spec "nbds://127.0.0.1:1/" "$dir/file/{job_id}.qcow2" \
        ".source.tls_psk = \"alice:$secret\"")")"
after=$(kept)
if busctl -q call "${manager[@]}" TriggerSchedule 'sa{sv}' tls 0 2>/dev/null; then fail \
        "a job without a destination was accepted"; fi
equal "$(kept)" "$after" "the secrets after a run that was refused"

# What nothing names
touch /var/lib/hyper/credentials/job-gone@source.tls_psk.cred \
        /var/lib/hyper/credentials/schedule-gone@source.tls_psk.cred
systemctl kill -s KILL hyper-managerd.service
# (a call that reaches the one that was killed has no answer)
eventually 20 "the next manager answers" busctl -q call org.hyper1 /org/hyper1 org.freedesktop.DBus.Peer \
        Ping 2>/dev/null
equal "$(kept)" "$after" "the secrets after a restart"
busctl -q call "${manager[@]}" DeleteSchedule s tls
equal "$(kept)" "" "the secrets after the schedule"
