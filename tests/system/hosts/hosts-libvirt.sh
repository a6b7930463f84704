#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: libvirt
# timeout: 300
#
# hyper-hostd with a real libvirtd and qemu: a VM is started, boots, answers the power button; hardware and
# statistics are those that virsh shows; what others do with virsh is seen.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=tests/system/lib/lib-libvirt.sh
. "$(dirname "$0")/../lib/lib-libvirt.sh"
# shellcheck source=tests/system/lib/lib-v1.sh
. "$(dirname "$0")/../lib/lib-v1.sh"

libvirt_up
guest_image
define guest "<description>a guest</description>"
equal "$(add_host qemu:///system here)" /org/hyper1/hosts/here "the host's object"
equal "$(vm_property here guest State)" STOPPED "the state of a VM that was never started"
equal "$(vm_property here guest Description)" "a guest" "its description"
equal "$(vm_property here guest MemoryBytes)" $((128 * 1024 * 1024)) "its memory"
equal "$(vm_property here guest Uuid)" "$(virsh domuuid guest)" "its UUID"
contains "$(busctl tree --list org.hyper1.Hosts)" "$(vm_path here guest)" "the tree of objects"
info=$(busctl --json=short call org.hyper1.Hosts /org/hyper1/hosts/here org.hyper1.Hosts.Host GetInfo)
equal "$(jq -r '.data[1]' <<<"$info")" "$(virsh nodeinfo | awk '/^CPU\(s\)/ { print $2 }')" \
        "the host's processors"
equal "$(jq -r '.data[2]' <<<"$info")" $(($(virsh nodeinfo | awk '/^Memory size/ { print $3 }') * 1024)) \
        "the host's memory"

# --- started, booted ---------------------------------------------------------------------------------------
vm_call here guest Start
equal "$(vm_property here guest State)" ACTIVE "the state right after the start"
equal "$(virsh domstate guest)" running "what virsh says then"
error=$(vm_call here guest Start 2>&1) && fail "a VM that runs was started"
contains "$error" "running already" "the error"
eventually 120 "the guest boots" is_up guest

# --- hardware as virsh dumpxml has it ----------------------------------------------------------------------
hardware=$(vm_call here guest GetHardware)
virsh dumpxml guest >"$dir/live.xml"
xml() { xmllint --xpath "$1" "$dir/live.xml"; }
equal "$(jq -r '.disks | length' <<<"$hardware")" "$(xml 'count(/domain/devices/disk)')" "how many disks"
equal "$(jq -r '.disks[0].path' <<<"$hardware")" "$(xml 'string(/domain/devices/disk[1]/source/@file)')" \
        "the disk's path"
equal "$(jq -r '.disks[0].driver.type' <<<"$hardware")" "$(xml \
        'string(/domain/devices/disk[1]/driver/@type)')" "the disk's format"
equal "$(jq -r '.disks[0].target.dev' <<<"$hardware")" "$(xml \
        'string(/domain/devices/disk[1]/target/@dev)')" "the disk's name"
equal "$(jq -r '.networks | length' <<<"$hardware")" "$(xml 'count(/domain/devices/interface)')" \
        "how many networks"
equal "$(jq -r '.graphics[0].port' <<<"$hardware")" "$(xml 'string(/domain/devices/graphics/@port)')" \
        "the display's port"

# --- statistics as virsh domstats has them -----------------------------------------------------------------
stat_of() { virsh domstats --raw guest | sed -n "s/^ *$1=//p"; }
low_cpu=$(stat_of cpu.time) low_read=$(stat_of block.0.rd.bytes)
stats=$(vm_call here guest GetStats)
high_cpu=$(stat_of cpu.time) high_read=$(stat_of block.0.rd.bytes)
cpu=$(jq .cpu_time <<<"$stats") reads=$(jq '.disk_stats[0].read_bytes' <<<"$stats")
between() { if [ "$1" -lt "$2" ] || [ "$1" -gt "$3" ]; then fail "$4: $1 is not between $2 and $3"; fi; }
between "$cpu" "$low_cpu" "$high_cpu" "cpu_time"
between "$reads" "$low_read" "$high_read" "read_bytes"
[ "$reads" -gt 0 ] || fail "the guest has read nothing of its disk"
equal "$(jq -r '.disk_stats[0].device' <<<"$stats")" vda "the disk"
equal "$(jq .state <<<"$stats")" 1 "the state"
equal "$(jq .vcpu <<<"$stats")" 1 "the processors"
equal "$(jq .memory <<<"$stats")" "$(stat_of balloon.current)" "the memory"
jq -e '.uptime > 0' <<<"$stats" >/dev/null || fail "the uptime of a VM whose start was seen: $stats"

# --- what others do is seen within a second ----------------------------------------------------------------
virsh -q suspend guest
eventually 2 "a suspend by virsh is seen" vm_is here guest PAUSED
virsh -q resume guest
eventually 2 "a resume by virsh is seen" vm_is here guest ACTIVE
# A VM that runs drifts from a persistent definition that is changed, and no longer when it is changed back.
drift_is() { [ "$(vm_property here guest Drift)" = "$1" ]; }
drift_is "" || fail "a VM drifts that nobody has changed: $(vm_property here guest Drift)"
virsh dumpxml --inactive guest >"$dir/persistent.xml"
sed -E 's|<memory unit=.KiB.>[0-9]+</memory>|<memory unit="KiB">999424</memory>|' "$dir/persistent.xml" >"$dir/more.xml"
virsh -q define "$dir/more.xml"
eventually 10 "a changed definition is seen" drift_is memory
virsh -q define "$dir/persistent.xml"
eventually 10 "the definition as it was is seen" drift_is ""
name='Größe & "ein" Gast'
define "$name"
eventually 2 "a VM that virsh defined is seen" has_vm here "$name"
virsh -q undefine "$name"
eventually 2 "a VM that virsh undefined is gone" has_no_vm here "$name"

# --- and the power button ----------------------------------------------------------------------------------
vm_call here guest Shutdown
eventually 60 "the guest shuts down" vm_is here guest STOPPED
contains "$(console guest)" "power button" "the guest's console"
error=$(vm_call here guest Shutdown 2>&1) && fail "a VM that is off was shut down"
contains "$error" "not running" "the error"
vm_call here guest Start
vm_call here guest Reset
vm_call here guest Destroy
equal "$(vm_property here guest State)" STOPPED "the state right after a destroy"

# --- polkit ------------------------------------------------------------------------------------------------
as_nobody() { as hyper-viewer "$@"; }
path=$(vm_path here guest)
error=$(as_nobody busctl call org.hyper1.Hosts "$path" org.hyper1.Hosts.Vm Start 2>&1) &&
        fail "anybody may start VMs"
contains "$error" "Not allowed (org.hyper1.manage-vms)" "the error"
error=$(as_nobody busctl call "${hosts[@]}" RemoveHost s here 2>&1) && fail "anybody may remove hosts"
error=$(as_nobody busctl call "${hosts[@]}" AddHost 'sa{sv}' test:///default 0 2>&1) &&
        fail "anybody may add hosts"
as_nobody busctl -q call "${hosts[@]}" ListHosts || fail "reading is refused"
cat >/etc/polkit-1/rules.d/10-test.rules <<'EOF'
polkit.addRule(function(action, subject) {
        if (action.id == "org.hyper1.manage-vms" && subject.user == "nobody") return polkit.Result.YES;
});
EOF
systemctl restart polkit.service
as_nobody busctl -q call org.hyper1.Hosts "$path" org.hyper1.Hosts.Vm Start ||
        fail "a rule for nobody was not heeded"
vm_call here guest Destroy

# --- the v1 API: a domain for an image ---------------------------------------------------------------------
v1_up
virsh -q net-undefine default 2>/dev/null || :
virsh -q net-define /dev/stdin <<<"<network><name>default</name><bridge name='virbr9'/></network>"
virsh -q net-start default
images=/var/lib/libvirt/images
qemu-img create -q -f qcow2 $images/web-server-01.qcow2 16M
vm=$(published <<'EOF'
curl -sk -X POST https://your-server:5080/api/v1/vms/deploy \
-H "Authorization: Bearer TOKEN" \
-H "Content-Type: application/json" \
-d '{
"name": "web-server-01",
"disk_path": "/var/lib/libvirt/images/web-server-01.qcow2",
"cpu": 4,
"memory_mb": 8192,
"network": "default",
"autostart": true,
"target": "libvirt"
}'
EOF
)
equal "$(jq -c '[.name, .uuid, .status, .target, .cpu, .memory_mb, .disk_path, .network, .autostart]' <<<"$vm")" \
        "[\"web-server-01\",\"$(virsh domuuid web-server-01)\",\"running\",\"libvirt\",4,8192,$(
        )\"$images/web-server-01.qcow2\",\"default\",true]" "the domain; $vm"
equal "$(jq -r .mac <<<"$vm")" "$(virsh domiflist web-server-01 | awk '/network/ { print $5 }')" "its MAC address"
equal "$(jq -r .vnc_port <<<"$vm")" $((5900 + $(virsh vncdisplay web-server-01 | cut -d: -f2))) "its display"
contains "$(virsh dominfo web-server-01)" "Autostart:      enable" "the domain"
v1 POST /vms/deploy "{\"name\": \"other\", \"disk_path\": \"$images/web-server-01.qcow2\"}" >/dev/null
equal "$(v1_status)" 409 "the status for an image that is in use"
qemu-img create -q -f qcow2 -b web-server-01.qcow2 -F qcow2 $images/top.qcow2
cp $images/web-server-01.qcow2 $images/renamed.raw
for disk in top.qcow2 renamed.raw; do
        v1 POST /vms/deploy "{\"name\": \"other\", \"disk_path\": \"$images/$disk\"}" >/dev/null
        equal "$(v1_status)" 400 "the status for $disk"
done
v1 POST /vms/deploy '{"name": "other", "disk_path": "/etc/machine-id", "format": "raw"}' >/dev/null
equal "$(v1_status)" 403 "the status for a file elsewhere"
truncate -s 1M $images/plain.raw
contains "$(v1 POST /vms/deploy "{\"name\": \"other\", \"disk_path\": \"$images/plain.raw\", $(
        )\"network\": \"nowhere\"}")" nowhere "the answer about a network"
equal "$(v1_status)" 400 "the status for a network that does not exist"
equal "$(virsh list --all --name | grep -c other)" 0 "domains that were refused" || :
equal "$(v1 GET "/libvirt/domain?name=web-server-01" | jq -c '[.provider_id, .disks[0].format, .nics[0].network]')" \
        '["libvirt","qcow2","default"]' "the domain"
v1 POST /libvirt/domain/destroy '{"name": "web-server-01"}' >/dev/null
equal "$(v1_status)" 200 "the status of a destroy"
equal "$(virsh domstate web-server-01)" "shut off" "the state"
for action in create revert; do
        v1 POST "/libvirt/snapshot/$action" '{"name": "web-server-01", "snapshot": "before"}' >"$dir/answer"
        equal "$(v1_status)" 200 "the status of $action; $(cat "$dir/answer")"
done
equal "$(v1 GET "/libvirt/snapshots?name=web-server-01" | jq -c '[.data[] | [.name, .state, .current]]')" \
        '[["before","shutoff",true]]' "the snapshots"
equal "$(v1 POST /vms/browse '{"vm": "web-server-01"}' | jq -c '[.snapshot_count, (.snapshots[] | .name, .current,
        (.created_at | type))]')" '[1,"before",true,"string"]' "its snapshots"
v1 POST /libvirt/snapshot/create '{"name": "web-server-01", "snapshot": "<x>"}' >/dev/null
equal "$(v1_status)" 400 "the status of a snapshot with a wrong name"
v1 POST /libvirt/snapshot/delete '{"name": "web-server-01", "snapshot": "before"}' >/dev/null
equal "$(virsh snapshot-list web-server-01 --name | grep -c before)" 0 "the snapshots at the end" || :
equal "$(v1 GET /libvirt/networks | jq -c '[.data[].name]')" '["default"]' "the networks"
equal "$(v1 GET /readiness | jq -c '[.checks[] | select(.name == "libvirt" or .name == "default_network") |
        .status]')" '["ok","ok"]' "the readiness"
virsh -q undefine web-server-01
qemu-img create -q -f qcow2 $images/second.qcow2 8M
v1 POST /vms/deploy "{\"name\": \"two disks\", \"disks\": [{\"path\": \"$images/plain.raw\"}, {\"path\": \"$images/second.qcow2\",
        \"bus\": \"sata\"}], \"network\": \"none\", \"graphics\": \"none\", \"start\": false, \"host\": \"local\", \"firmware\": \"efi\"}" >"$dir/answer"
equal "$(v1_status)" 201 "the status for two disks: $(cat "$dir/answer")"
equal "$(jq -c '[.status, .vnc_port, .mac]' "$dir/answer")" '["stopped",null,null]' "the domain"
equal "$(virsh domblklist "two disks" | awk '/images/ { printf "%s ", $1 }')" "vda sda " "its disks"
lacks "$(virsh dumpxml "two disks")" "<graphics" "the domain"
contains "$(virsh dumpxml "two disks")" "<os firmware='efi'>" "the domain"
virsh -q undefine --nvram "two disks"
for field in '"cpu": 0' '"cpu": 513' '"memory_mb": 63' '"memory_mb": 16777217' '"name": "'"$(printf '%081d' 1)"'"' '"host": "k2"' \
        '"graphics": "spice"' '"bus": "ide"' '"target": "aws"' '"os": "bsd"' '"firmware": "uefi"' '"mac": "1"'; do
        body=$(jq -c ". + {$field}" <<<"{\"name\": \"other\", \"disk_path\": \"$images/plain.raw\"}")
        equal "$(v1 POST /vms/deploy "$body" | jq -r '.errors[0].field')" "$(cut -d'"' -f2 <<<"$field")" "the field that is wrong"
        equal "$(v1_status)" 400 "the status for $field"
done

# --- removed, and nothing is left --------------------------------------------------------------------------
busctl call "${hosts[@]}" RemoveHost s here
equal "$(busctl tree --list org.hyper1.Hosts | grep -c vm)" 0 "objects of VMs" || :
equal "$(sqlite3 -readonly /var/lib/hyper-hosts/hosts.db 'SELECT count(*) FROM vms')" 0 "rows of VMs"
