#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: libvirt
# timeout: 300
# weight: 0.8
#
# A job whose destination is a domain: it is defined with the source's hardware, and started; what is taken or
# missing is refused before the copy; its disks are put into a storage pool, and sent to another host; libvirtd,
# the manager and the job's last step die at the end of a job. What fails while disks are sent is in kvm-remote.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=tests/system/lib/lib-libvirt.sh
. "$(dirname "$0")/../lib/lib-libvirt.sh"

# kvm SOURCE NAME [JQ-PROGRAM]: the spec of a job that defines the domain NAME
kvm() { spec "$1" "$dir/unused.qcow2" ".destination = {type: \"kvm\", name: \"$2\", directory: \"$dir/vm\"} |
        .parameters.fix = \"none\" | ${3:-.}"; }
result() { job "$1" | jq -c "${2:-.result}"; }
xml() { virsh dumpxml --inactive "$1" | xmllint --xpath "$2" -; }
libvirt_away() { systemctl -q stop libvirtd.service libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket; }
libvirt_back() { systemctl start libvirtd.socket libvirtd.service; }
# refused ID CODE TEXT: the job failed before it copied anything
refused() {
        wait_state "$1" FAILED
        equal "$(result "$1" .result.error.code)" "\"$2\"" "the code of $(result "$1" .result.error)"
        contains "$(reason "$1")" "$3" "the reason"
        equal "$(result "$1" '.result.outputs | length')" 0 "the outputs of a job that was refused"
}

libvirt_up
mkdir "$dir/vm"
chmod 755 "$dir/vm"
cd "$dir"
raw_image disk.raw 16

# --- a bare disk: a plain machine, which is defined ---------------------------------------------------------
id=$(submit "$(kvm "$dir/disk.raw" plain '.parameters.verify = true')")
wait_state "$id" COMPLETED
contains "$(reason "$id")" "the domain plain is defined" "the reason"
same disk.raw vm/plain.qcow2 qcow2
equal "$(xml plain 'string(/domain/devices/disk/source/@file)')" "$dir/vm/plain.qcow2" "the disk"
equal "$(virsh domstate plain)" "shut off" "the state of a domain that was not to be started"
equal "$(result "$id" .result.domain.uuid)" "\"$(virsh domuuid plain)\"" "the UUID in the result"
contains "$(result "$id" .result.domain.xml)" "<name>plain</name>" "the XML in the result"
equal "$(stat -c %U:%a vm/plain.qcow2)" root:600 "the owner of the disk"

# --- an OVA: its hardware, started; no network is there for its NIC ------------------------------------------
virsh -q net-undefine default 2>/dev/null || :
qemu-img convert -q -f raw -O vmdk -o subformat=streamOptimized disk.raw box-disk1.vmdk
cat >box.ovf <<'OVF'
<?xml version="1.0"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="r" xmlns:vmw="v" xmlns:vssd="s">
<References><File ovf:href="box-disk1.vmdk" ovf:id="f1"/></References>
<DiskSection><Info/><Disk ovf:capacity="16" ovf:capacityAllocationUnits="byte * 2^20" ovf:diskId="d1" ovf:fileRef="f1"/></DiskSection>
<VirtualSystem ovf:id="box"><Info/><Name>box</Name>
<OperatingSystemSection ovf:id="96" vmw:osType="debian12_64Guest"><Info/></OperatingSystemSection>
<VirtualHardwareSection><Info/>
<System><vssd:VirtualSystemType>vmx-19</vssd:VirtualSystemType></System>
<Item><rasd:ResourceType>3</rasd:ResourceType><rasd:VirtualQuantity>2</rasd:VirtualQuantity><vmw:CoresPerSocket>2</vmw:CoresPerSocket></Item>
<Item><rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits><rasd:ResourceType>4</rasd:ResourceType><rasd:VirtualQuantity>64</rasd:VirtualQuantity></Item>
<Item><rasd:Address>00:50:56:aa:bb:cc</rasd:Address><rasd:Connection>VM Network</rasd:Connection><rasd:ResourceSubType>VmxNet3</rasd:ResourceSubType><rasd:ResourceType>10</rasd:ResourceType></Item>
<vmw:ExtraConfig vmw:key="uuid.bios" vmw:value="42 10 c0 de 00 01 40 02-80 03 00 00 00 00 ab cd"/>
</VirtualHardwareSection></VirtualSystem></Envelope>
OVF
tar --format=ustar -cf box.ova box.ovf box-disk1.vmdk
id=$(submit "$(kvm "$dir/box.ova" web '.destination.start = true')")
wait_state "$id" COMPLETED
contains "$(reason "$id")" "the domain web is running" "the reason"
equal "$(virsh domstate web)" running "the state of a domain that was to be started"
equal "$(virsh domuuid web)" 4210c0de-0001-4002-8003-00000000abcd "the UUID of the source"
equal "$(xml web 'string(/domain/devices/interface/mac/@address)')" 00:50:56:aa:bb:cc "the MAC address"
equal "$(xml web 'string(/domain/devices/interface/link/@state)')" down "the link without a network"
equal "$(xml web 'string(/domain/vcpu)')" 2 "the processors"
equal "$(xml web 'string(/domain/memory)')" 65536 "the memory in KiB"
contains "$(result "$id" .result.domain.warnings)" "NIC 1 with the MAC address 00:50:56:aa:bb:cc" "the warnings"
equal "$(result "$id" .result.vm.memory)" $((64 << 20)) "the hardware in the result"

# --- what is taken or missing is refused before the copy ----------------------------------------------------
refused "$(submit "$(kvm "$dir/disk.raw" web '.destination.directory += "/new"')")" domain_exists \
        "domain 'web' already exists with uuid 4210c0de"
missing vm/new
refused "$(submit "$(kvm "$dir/box.ova" web2)")" domain_exists "the UUID 4210c0de-0001-4002-8003-00000000abcd"
other_uuid='.destination.hardware = {uuid: "11111111-2222-4333-8444-555555555555"}'
refused "$(submit "$(kvm "$dir/box.ova" web2 "$other_uuid")")" domain_exists "the MAC address 00:50:56:aa:bb:cc"
refused "$(submit "$(kvm "$dir/disk.raw" lan '.destination.network_map = {"VM Network": "lan"}')")" libvirt_refused \
        "libvirt has no network 'lan'"
firmware=/usr/share/qemu/firmware
mv $firmware $firmware.away
refused "$(submit "$(kvm "$dir/disk.raw" uefi '.destination.hardware = {firmware: "efi"}')")" libvirt_refused ovmf
# a disk with an EFI system partition and nothing for a BIOS
put() { printf %b "$2" | dd of=esp.raw bs=1 seek="$1" conv=notrunc status=none; }
truncate -s 1M esp.raw
put 450 '\xee'
put 510 '\x55\xaaEFI PART'
put 584 '\x02\0\0\0\0\0\0\0\x80\0\0\0\x80\0\0\0'
put 1024 '\x28\x73\x2a\xc1\x1f\xf8\xd2\x11\xba\x4b\0\xa0\xc9\x3e\xc9\x3b'
refused "$(submit "$(kvm "$dir/esp.raw" esp)")" libvirt_refused "the source has UEFI firmware"
mv $firmware.away $firmware
equal "$(find vm -name '*.qcow2' | sort | xargs)" "vm/plain.qcow2 vm/web.qcow2" "the disks"

# --- the same address runs on another host that is known ----------------------------------------------------
mkdir -p /etc/hyper/config.d
printf 'hosts: {allow_test: true}\n' >/etc/hyper/config.d/90-test.yaml
systemctl -q stop hyper-hostd.service
cat >"$dir/office.xml" <<'EOF'
<node><domain type='test'><name>old</name><memory>1024</memory><os><type>hvm</type></os><devices>
<interface type='bridge'><mac address='00:50:56:00:00:99'/><source bridge='br0'/></interface></devices></domain></node>
EOF
chmod 644 "$dir/office.xml"
add_host "test://$dir/office.xml" office >/dev/null
id=$(submit "$(kvm "$dir/box.ova" twin ".destination.start = true | $other_uuid |
        .destination.hardware.nics = [{mac: \"00:50:56:00:00:99\"}]")")
wait_state "$id" FAILED
equal "$(result "$id" .result.error.code)" '"start_failed"' "the code of a domain whose address is used"
contains "$(reason "$id")" "old on the host office runs with the MAC address 00:50:56:00:00:99" "the reason"
equal "$(virsh domstate twin)" "shut off" "the domain whose address is used"

# --- another host, as HyperSDK's clients write it: one that is not known is refused -------------------------
remote=qemu+ssh://root@127.0.0.1/system
http POST $api/jobs/submit "{\"vm_path\": \"$dir/disk.raw\", \"destination\": {\"type\": \"kvm\", \
        \"libvirt_uri\": \"$remote\", \"output_dir\": \"$dir/vm\", \"name\": \"sent\"}, \
        \"options\": {\"fix\": \"none\"}}" >/dev/null
equal "$(status)" 201 "the status of a job for another host: $(cat body)"
refused "$(jq -r .job_id body)" libvirt_unavailable "is not the URI of a host that was added"

mkdir -p /root/.ssh
busctl --json=short get-property "${hosts[@]}" PublicKey | jq -r .data >>/root/.ssh/authorized_keys
ssh-keyscan 127.0.0.1 >>/etc/ssh/ssh_known_hosts 2>/dev/null
add_host "$remote" remote >/dev/null
# to_remote NAME POOL [JQ-PROGRAM]: a job for the other host
to_remote() { submit "$(kvm "$dir/disk.raw" "$1" ".job_id = \"$1\" | .destination.libvirt_uri = \"$remote\" |
        .destination.pool = \"$2\" | ${3:-.}")"; }
mkdir "$dir/pool"
virsh -q pool-define-as vms dir --target "$dir/pool"
refused "$(to_remote no-pool none)" libvirt_refused "no storage pool 'none' (there are: "
refused "$(to_remote inactive vms)" libvirt_refused "the storage pool 'vms' is not active"
virsh -q pool-start vms
truncate -s 1M pool/taken.qcow2
refused "$(to_remote taken vms)" domain_exists "has a volume 'taken.qcow2' already"

# --- a pool of this machine: its directory is used, if it may be --------------------------------------------
in_pool() { kvm "$dir/disk.raw" "$1" ".job_id = \"$1\" | del(.destination.directory) | .destination.pool = \"$2\""; }
submit "$(in_pool pooled vms)" >/dev/null
wait_state pooled COMPLETED
same disk.raw pool/pooled.qcow2 qcow2
for bad in "none:no storage pool 'none'" "unset:the storage pool 'unset' is not active"; do
        [ "${bad%%:*}" = none ] || virsh -q pool-define-as unset dir --target "$dir/unset"
        contains "$(submit "$(in_pool bad "${bad%%:*}")" 2>&1)" "${bad#*:}" "the error of a pool that cannot be used"
done
virsh -q pool-undefine unset

# --- sent, compared and defined; the disk is no longer here -------------------------------------------------
to_remote sent vms '.destination.start = true' >/dev/null
wait_state sent COMPLETED
missing vm/sent.qcow2
equal "$(xml sent 'string(/domain/devices/disk/source/@file)')" "$dir/pool/sent.qcow2" "the disk"
equal "$(virsh domstate sent)" running "the state of a domain on another host"
equal "$(result sent .result.outputs[0].path)" "\"$dir/pool/sent.qcow2\"" "the path in the result"
contains "$(journalctl -o cat HYPER_JOB_ID=sent)" "was read back and compared" "the log"
virsh -q destroy sent
same disk.raw pool/sent.qcow2 qcow2

# --- libvirtd away, and the manager killed, between publish and define --------------------------------------
# slow ID NAME: a job that has asked libvirt what it needs before the copy
slow() {
        serve "$dir/$1.sock" --filter=rate -r file "$dir/disk.raw" rate=16M
        submit "$(kvm "$(nbd_uri "$dir/$1.sock")" "$2" ".job_id = \"$1\"")" >/dev/null
        wait_bytes "$1" 1
}
published() { [ -e "/var/lib/hyper/jobs/$1/published" ]; }
slow away away
libvirt_away
eventually 60 "the disk has its name" published away
systemctl kill --kill-whom=main -s KILL hyper-managerd.service
exists vm/away.qcow2
busctl -q call "${manager[@]}" CancelJob s away 2>/dev/null && fail "a job was cancelled whose output is published"
libvirt_back
wait_state away COMPLETED
equal "$(virsh domstate away)" "shut off" "the domain that was defined late"

# --- the step itself is killed: it is repeated ----------------------------------------------------------
slow killed killed
libvirt_away
eventually 60 "the disk has its name" published killed
killed_define() { pkill -KILL -f 'hyper-job define /var/lib/hyper/jobs/killed'; }
eventually 20 "the domain is being defined" killed_define
libvirt_back
wait_state killed COMPLETED
virsh -q dominfo killed >/dev/null
equal "$(virsh list --all --name | grep -c '^killed$')" 1 "the domains of that name"

virsh -q destroy web
stop_serving "$dir/away.sock"
stop_serving "$dir/killed.sock"
systemctl -q reset-failed 2>/dev/null || :
