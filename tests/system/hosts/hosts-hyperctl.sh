#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# hyperctl host and hyperctl vm, on libvirt's test driver: what a person types, and what comes of it.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

cat >"$dir/office.xml" <<'EOF'
<node><memory>16777216</memory>
  <domain type='test'><name>web server</name><title>the web</title><memory unit='MiB'>512</memory><vcpu>2</vcpu>
    <os><type>hvm</type></os>
    <devices>
      <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/srv/web.qcow2'/><target dev='vda' bus='virtio'/></disk>
      <interface type='bridge'><mac address='52:54:00:aa:bb:cc'/><source bridge='br0'/><model type='virtio'/></interface>
    </devices></domain>
  <domain type='test'><name>Größe</name><memory>1024</memory><os><type>hvm</type></os></domain>
</node>
EOF
chmod 644 "$dir/office.xml"

# fails STATUS PART COMMAND…
fails() {
        local want=$1 part=$2 status=0
        shift 2
        "$@" >"$dir/out" 2>&1 || status=$?
        equal "$status" "$want" "the exit status of $*"
        contains "$(cat "$dir/out")" "$part" "what $* says"
}

mkdir -p /etc/hyper/config.d
printf 'daemon: {idle_timeout: 3600}\nhosts: {allow_test: true}\n' >/etc/hyper/config.d/90-test.yaml
equal "$(hyperctl host list --json=short)" "[]" "the hosts at first"
equal "$(hyperctl host add test:///default)" local "the id of a host that was given none"
equal "$(hyperctl host add "test://$dir/office.xml" office)" office "the id of a host"
fails 6 "exists already" hyperctl host add test:///default office
fails 6 "uri: must begin with" hyperctl host add ftp://x/ x
fails 1 "nonexistent.xml" hyperctl host add test:///nonexistent.xml x
fails 5 "hyperctl host list" hyperctl host rm x
hyperctl host disconnect office
equal "$(hyperctl host show office --json=short | jq -rc '[.State, .AutoConnect]')" '["DISCONNECTED",false]' \
        "a host that was disconnected"
hyperctl host connect office
equal "$(hyperctl host show office --json=short | jq -rc '[.State, .AutoConnect]')" '["CONNECTED",true]' \
        "a host that was connected again"
fails 6 "has no VNC or SPICE display" hyperctl vm console local test
fails 5 "" hyperctl host show x
fails 2 "not a verb" hyperctl host
fails 2 "one more word" hyperctl vm start
contains "$(hyperctl host key)" "ssh-ed25519 " "the key"
contains "$(hyperctl host list)" "2 hosts listed" "the table of hosts"
equal "$(hyperctl host list --json=short | jq -r '.[] | [.id, .state, .vms] | join(" ")' | sort |
        tr '\n' ',')" "local CONNECTED 1,office CONNECTED 2," "the hosts"
contains "$(hyperctl host show office)" "16.0 GiB used" "the host's memory"

equal "$(hyperctl vm list office --json=short | jq -r '.[] | [.name, .state, .vcpus] | join(" ")' | sort |
        tr '\n' ',')" "Größe ACTIVE 1,web server ACTIVE 2," "the VMs"
contains "$(hyperctl vm list)" "3 VMs listed" "the table of VMs"
contains "$(hyperctl vm list)" "the web" "the title"
show=$(hyperctl vm show office "web server")
contains "$show" "/srv/web.qcow2 (vda disk, qcow2)" "the disk"
contains "$show" "52:54:00:aa:bb:cc bridge br0 (virtio)" "the network"
contains "$show" "512.0 MiB" "the memory"
uuid=$(hyperctl vm show office "web server" --json=short | jq -r .Uuid)
equal "$(hyperctl vm show office "$uuid" --json=short | jq -r .hardware.disks[0].path)" /srv/web.qcow2 \
        "the hardware, by UUID"
fails 5 "hyperctl vm list" hyperctl vm show office nothing

# A VM that only one host has needs no host.
equal "$(hyperctl vm show "web server" --json=short | jq -r .Host)" office "the host of the VM"
equal "$(hyperctl vm show "$uuid" --json=short | jq -r .Name)" "web server" "the name of the VM"
fails 5 "no VM nothing on any host" hyperctl vm show nothing
fails 6 "has no VNC or SPICE display" hyperctl vm console test
cp "$dir/office.xml" "$dir/twin.xml"
hyperctl host add "test://$dir/twin.xml" twin >/dev/null
fails 6 "exists on several hosts" hyperctl vm show "web server"
hyperctl vm show twin "web server" >/dev/null
hyperctl host rm twin

fails 6 "running already" hyperctl vm start office "web server"
hyperctl vm shutdown office "web server" Größe
equal "$(hyperctl vm list office --json=short | jq -r '[.[].state] | unique | join(" ")')" STOPPED \
        "VMs that were shut down"
hyperctl vm start office "web server" Größe
hyperctl vm reboot office "web server"
hyperctl vm destroy office Größe
contains "$(hyperctl vm top office)" "web server" "the live table, through a pipe"
lacks "$(hyperctl vm top office)" "Größe" "the live table"
equal "$(hyperctl vm top local --json=short | jq -r '.[].name')" test "the live table as JSON"
# On a terminal it is drawn again and again, until it is told to end.
timeout 60 script -qefc 'stty cols 100 rows 20; timeout --foreground -s INT 6 hyperctl vm top' \
        "$dir/typescript" </dev/null >/dev/null || :
[ "$(grep -c '%CPU' "$dir/typescript")" -ge 2 ] ||
        fail "the live table was not drawn again: $(cat -v "$dir/typescript")"

# It has stayed for its hosts, and goes when there is none.
runs() { pgrep -x hyper-hostd >/dev/null; }
runs || fail "hyper-hostd has ended while there were hosts"
hyperctl host rm local office
# The configuration is read again: a wrong one is told and not taken, another time to wait is.
printf 'hosts:\n  calltimeout: 2\n' >/etc/hyper/config.d/91-wrong.yaml
! systemctl reload hyper-hostd.service 2>/dev/null || fail "a wrong configuration was taken"
! answer=$(hyperctl reload 2>&1) || fail "a wrong configuration was taken"
contains "$answer" "91-wrong.yaml:2: hosts.calltimeout" "the answer to a reload"
rm /etc/hyper/config.d/91-wrong.yaml
systemctl reload hyper-hostd.service
echo 'daemon: {idle_timeout: 2}' >/etc/hyper/config.d/90-test.yaml
hyperctl reload
does_not_run() { ! runs; }
eventually 20 "hyper-hostd ends without a host" does_not_run
equal "$(systemctl show -P Result hyper-hostd.service)" success "how it ended"
equal "$(hyperctl vm list --json=short)" "[]" "VMs, when there is no host"
