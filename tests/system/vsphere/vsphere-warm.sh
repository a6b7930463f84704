#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 240
# slow: a machine is booted twice, and VMs are copied in passes
# runs-on: host
# vcsim: yes
#
# Warm jobs: passes and the cutover, on request and at a time; a cancel while the job waits; the manager is
# killed in a pass, exits while jobs wait, and is started again by a timer; a power cut while a job waits.

# shellcheck disable=SC2016 # much of it is for the shell inside
# shellcheck source=tests/system/lib/host.sh
. "$(dirname "$0")/../lib/host.sh"

functions='
. /usr/lib/hyper-tests/system/lib/lib-vcsim.sh
warm() { # ID VM JQ-PROGRAM
        jq -cn --arg id "$1" --arg vm "DC0/vm/$2" --arg url "$vcsim_url" --arg user "$vcsim_user" \
                --arg password "$vcsim_password" --rawfile ca "$vcsim_ca" "
                {job_id: \$id, operation: \"convert\", source: {type: \"vsphere\", vcenter_url: \$url,
                        username: \$user, password: \$password, vm_path: \$vm, ca: \$ca},
                 destination: {type: \"file\", path: \"/srv/warm/\(\$id).raw\", format: \"raw\"},
                 parameters: {warm: true}} | ${3:-.}"
}
of_warm() { job "$1" | jq -r ".warm.$2"; }
waits() { [ "$(of_warm "$1" phase)" = waiting ] && [ "$(of_warm "$1" passes)" -ge "$2" ]; }
gone() { ! pgrep -x hyper-managerd >/dev/null; }
snapshots() { vcsim /state | jq "[.vms[].disks[]?.snapshots // {} | length] | add // 0"; }
'

inside mkdir -p /srv/warm
inside sync
# The example of README.md
awk '/^## / { here = /Warm migration/ } here && /^```/ { n++; next } here && n == 1' \
        "$(dirname "$0")/../../../README.md" | inside sh -c 'cat >/srv/warm/example'
lib "$functions"'
cat >"$dir/inventory.json" <<END
{"vms": [{"name": "web", "power": "on", "tools": "running", "disks": [{"size": "2M"}]},
         {"name": "a%2fb %25 + é &", "dir": "a % + é &", "power": "on", "tools": "running", "disks": [{"size": "1M"}]},
         {"name": "db", "power": "on", "tools": "running", "disks": [{"size": "1M"}]}]}
END
vcsim_start -inventory "$dir/inventory.json" -vm 0 -shutdown-time 100ms
settings "daemon: {idle_timeout: 1}"

# --- on request, over HTTP
head -c 100000 /dev/urandom | vcsim "/disk/write?vm=web&disk=0&offset=4096" --data-binary @-
vcsim_fault "{\"on\": \"folder\", \"kind\": \"delay\", \"delay_ms\": 2000, \"count\": 1}"
equal "$(submit "$(warm manual web)")" manual "the job"
wait_state manual RUNNING
# The manager is killed in the pass, which goes on.
pkill -KILL -x hyper-managerd
http POST "$api/jobs/manual/cutover" "{}" >/dev/null
equal "$(cat "$dir/status")" 409 "a cutover before the first pass is complete"
eventually 60 "the first pass is complete" waits manual 1
equal "$(states manual)" "CREATED VALIDATED QUEUED ASSIGNED RUNNING QUEUED" "the states"
unit_gone manual || fail "a unit runs between the passes"
equal "$(snapshots)" 0 "the snapshots between the passes"
journalctl --sync
journalctl -q -o cat HYPER_JOB_ID=manual HYPER_EVENT=warm_waiting | grep -q "The next pass begins" ||
        fail "no event warm_waiting"
equal "$(journalctl -q -o cat HYPER_JOB_ID=manual HYPER_EVENT=precopy_finished | wc -l)" 1 "the passes"

# Nothing runs while it waits. A timer starts the manager for the next pass.
eventually 60 "the manager has ended" gone
systemctl is-active --quiet hyper-passes.timer ||
        fail "there is no timer: $(systemctl list-timers --all)"
head -c 70000 /dev/urandom | vcsim "/disk/write?vm=web&disk=0&offset=1000000" --data-binary @-
answer=$(http POST "$api/jobs/manual/cutover" "{}")
equal "$(jq -r .message <<<"$answer")" "cutover planned" "the answer $answer"
wait_state manual COMPLETED
vcsim_disk web | cmp - /srv/warm/manual.raw || fail "the copy is another"
equal "$(vcsim /state | jq -r ".vms[] | select(.name == \"web\").power")" poweredOff "the source"
jq -e ".warm.passes == 2 and .warm.downtime_seconds > 0" <<<"$(http GET "$api/jobs/manual")" >/dev/null ||
        fail "the downtime is not told: $(http GET "$api/jobs/manual")"
http POST "$api/jobs/manual/cutover" "{}" >/dev/null
equal "$(cat "$dir/status")" 409 "a cutover of a job that has ended"

# --- at a time, with hyperctl; the timer wakes the manager
submit "$(warm timed db)" >/dev/null
eventually 60 "the first pass is complete" waits timed 1
hyperctl cutover timed --at="$(date -u -d "+5 seconds" +%FT%TZ)" || fail "hyperctl cutover"
contains "$(hyperctl status timed)" "waiting, 1 pass complete" "the status"
eventually 60 "the manager has ended" gone
ended() { [ -e /srv/warm/timed.raw ]; }
eventually 60 "the cutover has begun by itself" ended
wait_state timed COMPLETED
vcsim_disk db | cmp - /srv/warm/timed.raw || fail "the copy is another"

# --- the example of the README, with a VM whose name has special characters
printf "%s" "$vcsim_password" >"$dir/password"
hyperctl source add vc1 "$vcsim_url" --user="$vcsim_user" --ca="$vcsim_ca" --password-file="$dir/password"
equal "$(wc -l </srv/warm/example)" 3 "the lines of the example"
example() { # LINE: runs it
        sed -n "$1{s|vc1:/Datacenter/vm/linux/web|\"vc1:/DC0/vm/a%2fb %25 + é \&\"|; s|ID|$id|; p}" /srv/warm/example >"$dir/line"
        bash -euo pipefail "$dir/line" || fail "this line of the example does not work: $(cat "$dir/line")"
}
id=
id=$(example 1)
eventually 60 "the first pass is complete" waits "$id" 1
contains "$(example 2)" "waiting, 1 pass complete" "the status"
head -c 70000 /dev/urandom | vcsim "/disk/write?disk=0&offset=200000" --url-query "vm=a%2fb %25 + é &" --data-binary @-
example 3 >/dev/null
wait_state "$id" COMPLETED
image=$(job "$id" | jq -r ".result.outputs[0].path")
vcsim_disk "a%2fb %25 + é &" >"$dir/odd.raw"
same "$dir/odd.raw" "$image" qcow2
rm "$image"

# --- a cancel while it waits
vcsim "/vm?name=web&power=on" >/dev/null
submit "$(warm cancelled web)" >/dev/null
eventually 60 "the first pass is complete" waits cancelled 1
hyperctl cutover cancelled --at=2099-01-01T00:00:00Z
hyperctl cutover cancelled --cancel
hyperctl cutover cancelled --cancel 2>"$dir/error" && fail "nothing was planned"
contains "$(cat "$dir/error")" "No cutover of job cancelled is planned" "the error"
hyperctl cancel cancelled
wait_state cancelled CANCELLED
tidy() { [ ! -e /var/lib/hyper/jobs/cancelled ]; }
eventually 60 "it is put back" tidy
missing /srv/warm/.cancelled.raw.hyper-part
missing /srv/warm/cancelled.raw
equal "$(vcsim /state | jq -r ".vms[] | select(.name == \"web\").power")" poweredOn "the source"
equal "$(snapshots)" 0 "the snapshots"
equal "$(vcsim_sessions)" 0 "the sessions"

# --- for the power cut
submit "$(warm cut web)" >/dev/null
eventually 60 "the first pass is complete" waits cut 1
hyperctl cutover cut --at=2099-01-01T00:00:00Z
next=$(of_warm cut next)
printf "%s" "$next" >/srv/warm/next
# With the settings, the manager does not stay for long after the boot, either.
sync /srv/warm/next /etc/hyper /etc/hyper/config.d /etc/hyper/config.d/90-test.yaml'

machine crash
machine up
lib "$functions"'
restored() { waits cut 1; }
eventually 60 "the job waits again" restored
equal "$(of_warm cut next)" "$(cat /srv/warm/next)" "the next pass"
equal "$(of_warm cut cutover_at)" 2099-01-01T00:00:00Z "the cutover"
unit_gone cut || fail "a unit runs between the passes"
exists /srv/warm/.cut.raw.hyper-part/image
eventually 60 "the manager has ended" gone
systemctl is-active --quiet hyper-passes.timer || fail "there is no timer"
# The server is gone, and the cancel ends all the same: what is left is shown, and tried again later.
hyperctl cancel cut
wait_state cut CANCELLED
left() { hyperctl status cut --json | grep -q "DC0/vm/web.*is not as it was"; }
eventually 90 "it is shown what is left" left
missing /srv/warm/.cut.raw.hyper-part
eventually 60 "the manager has ended" gone
systemctl is-active --quiet hyper-passes.timer || fail "there is no timer for the next try"'
