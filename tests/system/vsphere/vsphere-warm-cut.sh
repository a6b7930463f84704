#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 900
# tier: all
# slow: some twenty VMs are copied in passes, twice, and the machine is booted twice
# weight: 1
# runs-on: host
# vcsim: yes
# machine: libvirt
#
# Warm jobs in each of their phases when all their processes and the manager are killed, and when the power is
# cut: some go on, and their copies are right to the byte; others fail, and their VMs are as they were. Neither
# a snapshot nor a session nor changed block tracking is left, and a domain is defined once.

# shellcheck disable=SC2016 # much of it is for the shell inside
# shellcheck source=tests/system/lib/host.sh
. "$(dirname "$0")/../lib/host.sh"

# --- the server, which keeps its power ----------------------------------------------------------------------

# The phases in which jobs are held. "VM" goes on after the event. "VM-not" is not idempotent, and fails.
phases='create first again down last remove'
finishing='finish named tracked defined'
vms() {
        local phase
        for phase in $phases; do printf '%s\n' "$phase" "$phase-not"; done
        # shellcheck disable=SC2086 # words
        printf '%s\n' $finishing waiting cancelled failed
}

dir=$(mktemp -d /tmp/hyper-warm-cut.XXXXXX)
server=''
trap '[ -z "$server" ] || { kill -KILL "$server"; wait "$server" || :; } 2>/dev/null; rm -rf "$dir"' EXIT
vms | jq -R '{name: ., power: "on", tools: "running", disks: [{size: "1M"}]}' | jq -s '{vms: .}' \
        >"$dir/inventory.json"
"$(dirname "$0")/../../vcsim/build" "$dir/program"
# shellcheck disable=SC2094 # of the new namespace
unshare --net sh -c 'ip link set lo up; echo 1 >/proc/sys/net/ipv4/ip_nonlocal_bind; exec "$@"' _ "$dir/program" \
        -listen 10.77.0.2:443 -control 127.0.0.1:8990 -dir "$dir/vcsim" -inventory "$dir/inventory.json" -vm 0 \
        -shutdown-time 100ms -task-time 50ms >"$dir/out" 2>"$dir/err" &
server=$!

eventually() { # SECONDS WHAT COMMAND…
        local limit=$1 what=$2 end=$((SECONDS + $1))
        shift 2
        until "$@"; do
                [ $SECONDS -lt $end ] || { vcsim /state | jq -c "del(.vms)"; vcsim /faults | jq -c .; fail "waited $limit s for this, in vain: $what"; }
                sleep 0.1
        done
}
vcsim() {
        local path=$1
        shift
        nsenter -t "$server" -n curl -sSf "$@" "http://127.0.0.1:8990$path"
}
vm() { vcsim /state | jq -c --arg n "$1" '.vms[] | select(.name == $n) | '"$2"; }
plug_in() {
        local leader
        leader=$(machine .leader 2>/dev/null) || return
        nsenter -t "$server" -n ip link delete cable 2>/dev/null || :
        nsenter -t "$leader" -n ip link add cable type veth peer name cable netns "/proc/$server/ns/net" &&
                nsenter -t "$leader" -n sh -ec 'ip address add 10.77.0.1/24 dev cable; ip link set cable up' &&
                nsenter -t "$server" -n sh -ec 'ip address add 10.77.0.2/24 dev cable; ip link set cable up'
}

# --- jobs ---------------------------------------------------------------------------------------------------

functions='
warm() { # ROUND VM
        jq -cn --arg round "$1" --arg vm "$2" --rawfile ca /srv/warm/ca.pem "{job_id: (\$vm + \"-\" + \$round),
                operation: \"convert\",
                source: {type: \"vsphere\", vcenter_url: \"10.77.0.2\", username: \"administrator@vsphere.local\",
                        password: \"secret\", vm_path: \"DC0/vm/\(\$vm)\", ca: \$ca},
                destination: (if \$vm == \"defined\"
                        then {type: \"kvm\", name: \$vm, directory: \"/srv/warm/\(\$round)\", format: \"raw\"}
                        else {type: \"file\", path: \"/srv/warm/\(\$round)/\(\$vm).raw\", format: \"raw\"} end),
                parameters: {warm: true, fix: \"none\", shutdown_timeout_seconds: (if \$vm | startswith(\"down\") then 60 else 5 end)},
                execution_policy: {idempotent: (\$vm | endswith(\"-not\") | not), retry_count: 5}}"
}
waits() { job "$1" | jq -e ".warm.phase == \"waiting\" and .warm.passes >= 1" >/dev/null; }
tidy() { [ ! -e "/var/lib/hyper/jobs/$(systemd-escape -- "$1")" ]; }
'

# hold VM JSON [SKIP]: requests of its job that match wait, after the first ones
hold() {
        jq -cn --arg agent "($1-$round)" --argjson rule "$2" --argjson skip "${3:-0}" '{agent: $agent, skip: $skip,
                delay_ms: 900000, on: "sdk", kind: "delay"} + $rule' | vcsim /faults --data-binary @-
}
all_are_held() { vcsim /faults | jq -e 'all(.[]; .hits > .skip)' >/dev/null; }
is_asked() { inside journalctl -q -o cat HYPER_JOB_ID="$1-$round" | grep -q "Shutting down the guest"; }
slow='{"on": "folder", "kind": "slow", "rate": 15000}'
create='{"method": "CreateSnapshot_Task"}'

# Begins jobs with all VMs, and waits until each is in its phase.
arrange() {
        local id
        inside mkdir -p "/srv/warm/$round"
        for id in create create-not; do hold $id "$create"; done
        for id in first first-not; do hold $id "$slow" 1; done
        lib "$functions"'for vm in '"$(vms | tr '\n' ' ')"'; do submit "$(warm '"$round"' $vm)" >/dev/null; done
                for vm in '"$(vms | grep -vE '^(create|first)' | tr '\n' ' ')"'; do
                        eventually 200 "the first pass of $vm" waits $vm-'"$round"'
                done'
        for id in $(vms); do
                head -c 300000 /dev/urandom | vcsim "/disk/write?vm=$id&disk=0&offset=4096" --data-binary @- >/dev/null
        done
        for id in again again-not; do hold $id "$slow"; done
        for id in last last-not; do hold $id '{"method": "QueryChangedDiskAreas"}' 1; done
        for id in remove remove-not; do hold $id '{"method": "RemoveSnapshot_Task"}' 1; done
        for id in down down-not; do vcsim "/vm?name=$id&shutdown=hang"; done
        hold cancelled '{"method": "ReconfigVM_Task"}'
        hold failed '{"method": "QueryChangedDiskAreas", "kind": "soap", "fault": "NoPermission"}' 1
        hold failed '{"method": "PowerOnVM_Task"}'
        lib 'for vm in again again-not last last-not remove remove-not down down-not failed; do
                        hyperctl cutover $vm-'"$round"'
                done
                hyperctl cancel cancelled-'"$round"
        for id in down down-not; do eventually 200 "the guest is asked" is_asked $id; done
        eventually 200 "each job is in its phase" all_are_held
        # "finish" does not wait for the server for long.
        hold finish '{"method": "RetrieveServiceContent"}' 1
        # It is off already: its power state is read twice in the cutover, and twice in its publication.
        for id in named defined; do
                vcsim "/vm?name=$id&power=off"
                hold $id '{"method": "RetrievePropertiesEx", "reads": "runtime.powerState"}' 3
        done
        hold tracked '{"method": "ReconfigVM_Task"}'
        lib 'for vm in '"$finishing"'; do hyperctl cutover $vm-'"$round"'; done'
        eventually 20 "each job is finished in part" all_are_held
        # Its disk has its name. libvirtd does not answer when the domain is defined.
        inside pkill -STOP -x libvirtd
        vcsim "/faults?agent=(defined-$round)" -X DELETE
        eventually 20 "the domain is being defined" inside pgrep -f '[h]yper-job define'
}

# The guests that have not shut down do, and the server answers again.
release() {
        local id
        for id in down down-not; do vcsim "/vm?name=$id&shutdown=work"; done
        vcsim "/vm?name=down-not&power=off"
        vcsim /faults -X DELETE
}

# is_done VM: its job has the result that it should have, and so has the VM
is_done() { [ "$(vm "$1" '[.power, .tracking, ([.disks[].snapshots | length] | add)]')" = "[\"$2\",false,0]" ]; }
nothing_left() { [ "$(vcsim /state | jq -c '[.sessions, .leases]')" = "[0,0]" ]; }
check_all() {
        local id state=COMPLETED
        # These have no pass for an hour.
        lib 'for vm in create first; do
                        eventually 200 "the first pass of $vm" eval "[ \"\$(job $vm-'"$round"' | jq -r .warm.phase)\" = waiting ]"
                        hyperctl cutover $vm-'"$round"'
                done'
        for id in create first again down last remove $finishing; do
                lib "wait_state $id-$round COMPLETED 200"
                equal "$(vcsim "/disk/read?vm=$id&disk=0" | sha256sum)" \
                        "$(inside cat "/srv/warm/$round/$id.raw" | sha256sum)" "the copy of $id"
                eventually 60 "$id is off, and else as it was" is_done "$id" poweredOff
        done
        equal "$(inside virsh -q list --all --name | grep -c .)" 1 "the number of domains"
        inside virsh -q domblklist defined | grep -q "/srv/warm/$round/defined.raw" || fail "the domain has another disk"
        inside virsh -q undefine --nvram defined
        for id in $(vms | grep -- -not) cancelled failed; do
                state=FAILED
                [ "$id" != cancelled ] || state=CANCELLED
                lib "$functions wait_state $id-$round $state 200; eventually 200 '$id is put back' tidy $id-$round
                        missing /srv/warm/$round/$id.raw"
                eventually 60 "$id is as it was" is_done "$id" poweredOn
        done
        lib "$functions"'waits waiting-'"$round"' || fail "the job waits no more"
                hyperctl cancel waiting-'"$round"'; eventually 60 "it is put back" tidy waiting-'"$round"
        eventually 60 "no session is left" nothing_left
        equal "$(inside find "/srv/warm/$round" -name '.cancelled*' -o -name '.waiting*')" "" "unfinished outputs"
}

# The VMs are started again; what has failed has not changed them.
again() {
        local id
        for id in create first again down last remove $finishing; do vcsim "/vm?name=$id&power=on"; done
}

inside mkdir -p /srv/warm /etc/hyper/config.d
printf 'jobs: {max_running: 64, max_per_source: 64}\n' | inside sh -c 'cat >/etc/hyper/config.d/90-test.yaml; hyperctl reload'
eventually 30 "the simulator listens" grep -q '^URL=' "$dir/out"
inside sh -c 'cat >/srv/warm/ca.pem; sync' <"$dir/vcsim/ca.pem"
eventually 10 "the machine is connected" plug_in
lib '. /usr/lib/hyper-tests/system/lib/lib-libvirt.sh; libvirt_up; sync'

round=killed
arrange
inside sh -c 'systemctl kill -s KILL "hyper-job-*"; pkill -KILL -x hyper-managerd; pkill -CONT -x libvirtd'
release
check_all
again

round=power
arrange
machine crash
release
# The network is there early, as usual: jobs go on while the machine boots.
machine up &
up=$!
eventually 60 "the machine has begun to boot" plug_in
wait $up
check_all
