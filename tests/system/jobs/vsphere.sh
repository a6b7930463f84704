#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# vcsim: yes
# timeout: 300
#
# VMs of a simulated vCenter: one that is off and one that is running are copied to the byte; a job that is
# killed or cancelled leaves nothing on the server.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=tests/system/lib/lib-vcsim.sh
. "$(dirname "$0")/../lib/lib-vcsim.sh"

raw_image "$dir/a.raw" 48
raw_image "$dir/b.raw" 9
jq -n --arg d "$dir" '[{file: "\($d)/a.raw"}, {file: "\($d)/b.raw", controller: "nvme"}] as $disks | {vms: [
        {name: "off %25%2f+ & é", dir: "off % + é &", directory: "x/y", power: "off", tools: "not-installed", disks: $disks},
        {name: "on", power: "on", tools: "running", disks: $disks}]}' >"$dir/inventory.json"
vcsim_start -inventory "$dir/inventory.json" -vm 0 -single-lease -lease-timeout 5s

# vm_spec VM NAME [JQ-PROGRAM]
vm_spec() {
        jq -cn --arg vm "$1" --arg to "$dir/$2.qcow2" --arg url "$vcsim_url" --rawfile ca "$vcsim_ca" \
                --arg user "$vcsim_user" --arg password "$vcsim_password" '{operation: "convert",
                source: {type: "vsphere", vcenter_url: $url, username: $user, password: $password, ca: $ca, vm_path: $vm},
                destination: {type: "file", path: $to, format: "qcow2"}, parameters: {verify: true},
                execution_policy: {idempotent: true, retry_count: 2}}' | jq -c "${3:-.}"
}
same_disks() {
        same "$dir/a.raw" "$dir/$1.qcow2" qcow2
        same "$dir/b.raw" "$dir/$1-disk2.qcow2" qcow2
}
nothing_left() {
        [ "$(vcsim /state | jq -c '[.sessions, .leases, ([.vms[].disks[].snapshots | length] | add)]')" = "[0,0,0]" ]
}

# Bytes, log and hardware.
id=$(submit "$(vm_spec "/DC0/vm/x/y/off %25%2f+ & é" off)")
wait_state "$id" COMPLETED 120
same_disks off
nothing_left || fail "something is left on the server: $(vcsim /state)"
log=$(journalctl -o cat HYPER_JOB_ID="$id")
contains "$log" "Hard disk 1 is copied with nfc" "the log"
contains "$log" "was received as it was sent: the SHA-256 is" "the log"
lacks "$(journalctl -o export HYPER_JOB_ID="$id"; systemctl show "$(unit "$id")"; job "$id")" \
        "\"$vcsim_password\"" "what others can see"
equal "$(job "$id" | jq -r .result.vm.name)" "off %/+ & é" "the name of the machine"

# The manager is killed meanwhile: the job does not notice.
vcsim_fault '{"on": "nfc", "kind": "slow", "rate": 4000000}'
id=$(submit "$(vm_spec "/DC0/vm/x/y/off %25%2f+ & é" manager)")
wait_bytes "$id" 1
systemctl kill -s KILL hyper-managerd
vcsim_no_faults
wait_state "$id" COMPLETED 120
equal "$(job "$id" | jq -r .attempt)" 1 "attempts"
same_disks manager
nothing_left || fail "something is left on the server: $(vcsim /state)"

metric() { curl -s http://127.0.0.1:8080/metrics | awk -v s="$1" '$1 == s { print $2 }'; }
server=${vcsim_url#https://}
server=${server%/sdk}

# Killed in the middle of a snapshot: it is gone before the next attempt begins, which copies a new one. What
# it has received is counted.
received=$(metric "hyper_vsphere_bytes_total{server=\"$server\",way=\"nfc\"}")
vcsim_fault '{"on": "nfc", "kind": "slow", "rate": 2000000}'
id=$(submit "$(vm_spec on killed)")
wait_bytes "$id" 1
systemctl kill -s KILL "$(unit "$id")"
wait_state "$id" RETRYING 30
[ "$(metric "hyper_vsphere_bytes_total{server=\"$server\",way=\"nfc\"}")" -gt "$received" ] ||
        fail "what the job that was killed has received is not counted"
equal "$(vcsim_calls RemoveSnapshot_Task)" 1 "snapshots that were removed"
vcsim_no_faults
# Those of two jobs, of the job that was killed, and of who has removed the snapshot
[ "$(vcsim_calls Logout)" -ge 4 ] || fail "the session of the job that was killed goes on"
[ "$(vcsim_calls HttpNfcLeaseAbort)" -ge 1 ] || fail "the lease of the job that was killed goes on"
wait_state "$id" COMPLETED 120
same_disks killed
nothing_left || fail "something is left on the server: $(vcsim /state)"

# Cancelled.
vcsim_fault '{"on": "nfc", "kind": "slow", "rate": 2000000}'
id=$(submit "$(vm_spec on cancelled)")
wait_bytes "$id" 1
cancel "$id"
wait_state "$id" CANCELLED 40
eventually 40 "the unit is gone" unit_gone "$id"
nothing_left || fail "something is left on the server: $(vcsim /state)"
missing "$dir/cancelled.qcow2"
vcsim_no_faults

# As the HyperSDK API has it, and with hyperctl.
job=$(jq -n --arg url "$vcsim_url" --rawfile ca "$vcsim_ca" --arg user "$vcsim_user" --arg to "$dir/sdk.qcow2" \
        --arg password "$vcsim_password" '{vm_path: "DC0/vm/x/y/off %25%2f+ & é", source: {type: "vsphere", vcenter_url: $url,
        username: $user, password: $password, ca: $ca, datacenter: "DC0"}, destination: {type: "file", path: $to},
        options: {conversion_method: "nfc"}}')
id=$(http POST http://127.0.0.1:8080/jobs/submit "$job" | jq -r '.job_ids[0]')
wait_state "$id" COMPLETED 120
same_disks sdk
vm_spec "off %25%2f+ & é" ctl | hyperctl submit - --wait -q || fail "hyperctl did not wait for success"
same_disks ctl

# A disk of a VM that is off goes on where it was.
vcsim_fault '{"on": "nfc", "path": "disk-0", "kind": "reset", "at": 9000000, "count": 1}'
id=$(submit "$(vm_spec "off %25%2f+ & é" resumed)")
wait_state "$id" COMPLETED 120
equal "$(job "$id" | jq -r .attempt)" 2 "attempts"
contains "$(journalctl -o cat HYPER_JOB_ID="$id")" "Going on where an earlier attempt ended" "the log"
same_disks resumed
nothing_left || fail "something is left on the server: $(vcsim /state)"

# With VDDK, for which a plugin stands in that compares its parameters.
mkdir -p "$dir/vddk/lib64"
: >"$dir/vddk/lib64/libvixDiskLib.so.8"
ln "$dir/a.raw" "$dir/b.raw" "$dir/vddk"
{
        printf '%s\n' "libdir=$dir/vddk" server=127.0.0.1 "user=$vcsim_user" "password=$vcsim_password"
        vcsim /state | jq -r '.vms[] | select(.name == "off %25%2f+ & é").disks |
                "disk \(.[0].file)=a.raw", "disk \(.[1].file)=b.raw"'
} >"$dir/vddk/expected"
chmod -R a+rX "$dir/vddk"
jq -n --arg d "$dir/vddk" '{vsphere: {vddk_libdir: $d, vddk_plugin: "/usr/lib/hyper-tests/nbdkit-vddk-plugin.so"},
        jobs: {disks_parallel: 1}}' >/etc/hyper/config.d/vddk.yaml
hyperctl reload || fail "hyperctl reload fails"
id=$(submit "$(vm_spec "off %25%2f+ & é" vddk)")
wait_state "$id" COMPLETED 120
same_disks vddk
contains "$(journalctl -o cat HYPER_JOB_ID="$id")" "Hard disk 2 is copied with vddk" "the log"
lacks "$(journalctl -o export HYPER_JOB_ID="$id"; job "$id")" "\"$vcsim_password\"" "what others can see"
nothing_left || fail "something is left on the server: $(vcsim /state)"

# By ranges of files, with a named source. The job is killed once there is a checkpoint, and goes on there,
# although the server is busy and ends the session meanwhile.
printf '%s' "$vcsim_password" >"$dir/password"
hyperctl source add vc1 "$vcsim_url" --user="$vcsim_user" --ca="$vcsim_ca" --password-file="$dir/password" ||
        fail "hyperctl source add fails"
vcsim_fault '{"on": "folder", "kind": "slow", "rate": 200000}'
id=$(submit "$(vm_spec "off %25%2f+ & é" ranges '.source |= {type, vm_path, name: "vc1"} |
        .parameters.conversion_method = "https"')")
eventually 100 "a checkpoint" test -e "$dir/.ranges.qcow2.hyper-part/checkpoint"
equal "$(systemctl show -P PrivateNetwork "$(unit "$id")")" no "the unit's own network"
secret="/var/lib/hyper/credentials/job-$(systemd-escape "$id")@source.password.cred"
exists "$secret"
systemctl kill -s KILL "$(unit "$id")"
wait_state "$id" RETRYING 30
vcsim_no_faults
vcsim_fault '{"on": "folder", "kind": "http", "status": 503, "skip": 9, "count": 2}'
hyperctl source rm vc1 || fail "hyperctl source rm fails"
wait_state "$id" COMPLETED 120
same_disks ranges
missing "$secret"
[ "$(job "$id" | jq .result.metrics.bytes_resumed)" -gt 0 ] || fail "the copy began anew: $(job "$id")"
contains "$(journalctl -o cat HYPER_JOB_ID="$id")" "is copied with https" "the log"
lacks "$(journalctl -o export HYPER_JOB_ID="$id"; job "$id")" "\"$vcsim_password\"" "what others can see"
vcsim_no_faults
nothing_left || fail "something is left on the server: $(vcsim /state)"

# What was transferred is counted, also by attempts that have failed.
for way in nfc https vddk; do
        [ "$(metric "hyper_vsphere_bytes_total{server=\"$server\",way=\"$way\"}")" -gt 1000000 ] ||
                fail "what was received with $way is not counted: $(curl -s http://127.0.0.1:8080/metrics)"
done
for name in logins leases; do
        [ "$(metric "hyper_vsphere_${name}_total{server=\"$server\"}")" -ge 5 ] || fail "$name are not counted"
done
equal "$(metric 'hyper_vsphere_sessions{of="jobs"}')" 0 "the sessions of jobs"
