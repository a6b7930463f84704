#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# machine: guest
# timeout: 900
# weight: 1.3
# slow: two guests and the appliance start under emulation
#
# A guest of VMware, whose initramfs has no drivers of virtio and whose files name /dev/sda1, does not find
# its root on KVM. One job makes a domain of libvirt of it, in which it does. The appliance and the guests run
# under emulation.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=tests/system/lib/lib-libvirt.sh
. "$(dirname "$0")/../lib/lib-libvirt.sh"
# shellcheck source=tests/system/lib/lib-guest.sh
. "$(dirname "$0")/../lib/lib-guest.sh"

libvirt_up
guest_of_vmware

# heard FILE: a guest has written to its console whether it has found its root. The last line may still be
# being written.
heard() { tr -d '\r' <"$1" | sed '$d' | grep -a -m1 -o '^guest-.*' >"$dir/heard"; }

timeout 300 qemu-system-x86_64 -accel tcg -cpu max -m 512 -display none -monitor none -serial "file:$dir/before.log" \
        -nic none -drive "file=$dir/guest.img,format=raw,if=virtio,snapshot=on" &
eventually 300 "the guest as it came has booted" heard "$dir/before.log"
kill $!
wait $! 2>/dev/null || :
equal "$(cat "$dir/heard")" "guest-lost /dev/sda1" "the guest as it came"

# --- the job ------------------------------------------------------------------------------------------------

qemu-img convert -q -f raw -O vmdk -o subformat=streamOptimized "$dir/guest.img" "$dir/box-disk1.vmdk"
cat >"$dir/box.ovf" <<'EOF'
<?xml version="1.0"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="r" xmlns:vmw="v" xmlns:vssd="s">
<References><File ovf:href="box-disk1.vmdk" ovf:id="f1"/></References>
<DiskSection><Info/><Disk ovf:capacity="200" ovf:capacityAllocationUnits="byte * 2^20" ovf:diskId="d1" ovf:fileRef="f1"/></DiskSection>
<VirtualSystem ovf:id="box"><Info/><Name>box</Name>
<OperatingSystemSection ovf:id="96" vmw:osType="debian12_64Guest"><Info/></OperatingSystemSection>
<VirtualHardwareSection><Info/>
<System><vssd:VirtualSystemType>vmx-19</vssd:VirtualSystemType></System>
<Item><rasd:ResourceType>3</rasd:ResourceType><rasd:VirtualQuantity>1</rasd:VirtualQuantity></Item>
<Item><rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits><rasd:ResourceType>4</rasd:ResourceType><rasd:VirtualQuantity>512</rasd:VirtualQuantity></Item>
<Item><rasd:Address>00:50:56:aa:bb:01</rasd:Address><rasd:Connection>VM Network</rasd:Connection><rasd:ResourceSubType>VmxNet3</rasd:ResourceSubType><rasd:ResourceType>10</rasd:ResourceType><vmw:Config vmw:key="slotInfo.pciSlotNumber" vmw:value="192"/></Item>
<Item><rasd:Address>00:50:56:aa:bb:02</rasd:Address><rasd:Connection>Storage</rasd:Connection><rasd:ResourceSubType>VmxNet3</rasd:ResourceSubType><rasd:ResourceType>10</rasd:ResourceType><vmw:Config vmw:key="slotInfo.pciSlotNumber" vmw:value="224"/></Item>
</VirtualHardwareSection></VirtualSystem></Envelope>
EOF
tar --format=ustar -C "$dir" -cf "$dir/box.ova" box.ovf box-disk1.vmdk
mkdir -m 755 "$dir/vm"
chmod 755 "$dir"
virsh -q net-undefine default 2>/dev/null || :
job=$(submit "$(spec "$dir/box.ova" "$dir/unused.img" ".parameters.fix = \"auto\" | .parameters.verify = true |
        .destination = {type: \"kvm\", name: \"fixed\", directory: \"$dir/vm\", format: \"raw\", start: true}")")
wait_state "$job" COMPLETED 600
equal "$(find "$dir/vm" -mindepth 1 -printf '%P')" fixed.raw "the files of the job"
image=$dir/vm/fixed.raw
equal "$(virsh domstate fixed)" running "the state of the domain"
cat "$(virsh ttyconsole fixed)" >"$dir/after.log" &
reader=$!

# What was found and changed
uuid=$(debugfs -R 'show_super_stats -h' "$image?offset=1048576" 2>/dev/null | sed -n 's/^Filesystem UUID: *//p')
guest=$(curl -sf "$worker/jobs/$job" | jq -c .result.guest)
equal "$(jq -r .os.hostname <<<"$guest")" esx-guest "the host name that was found"
equal "$(jq -r .firmware <<<"$guest")" bios "the firmware"
equal "$(jq -r .virtio <<<"$guest")" true "the drivers of virtio"
equal "$(jq -c '[.boot_disk, .kernels[0].default]' <<<"$guest")" '[0,null]' "what starts: grub.cfg has no menu"
contains "$(jq -c '.changes[] | select(.file == "/etc/fstab")' <<<"$guest")" "\"to\":\"UUID=$uuid\"" \
        "the change of fstab"
# The rule is of another VM, the address is that of the NIC in slot 192.
link=$(debugfs -R 'cat /etc/systemd/network/10-hyper-ens192.link' "$image?offset=1048576" 2>/dev/null)
contains "$link" MACAddress=00:50:56:aa:bb:01 "the file that keeps the name of the network interface"
equal "$(virsh dumpxml fixed | grep -c "mac address='00:50:56:aa:bb:0[12]'")" 2 "the NICs of the domain"

eventually 300 "the fixed guest has booted" heard "$dir/after.log"
virsh -q destroy fixed
kill "$reader" 2>/dev/null || :
equal "$(cat "$dir/heard")" "guest-booted /dev/vda1 UUID=$uuid / ext4 errors=remount-ro 0 1" "the fixed guest"

# --- a job that is cancelled while its appliance starts leaves nothing --------------------------------------

appliance_is_gone() { ! appliance_runs; }
job=$(submit "$(spec "$dir/guest.img" "$dir/cancelled.raw" \
        '.source.format = "raw" | .parameters.fix = ["fs_repair"]')")
eventually 120 "the appliance starts" appliance_runs
busctl -q call "${manager[@]}" CancelJob s "$job"
wait_state "$job" CANCELLED
eventually 20 "the appliance is gone" appliance_is_gone
eventually 60 "the unit has ended" unit_gone "$job" # it removes what it has made
missing "$dir/cancelled.raw"
missing "$dir/.cancelled.raw.hyper-part"

# --- hostile file systems, without an operating system ------------------------------------------------------

# An operation that is ordered by name fails, and nothing else happens: the disks of the VM, two damaged file
# systems and an empty disk, are as they were.
mkdir "$dir/hostile"
truncate -s 4M "$dir/hostile/empty.img"
mkfs.ext4 -q -F -d "$dir/root/etc" "$dir/hostile/little.img" 8M
mkfs.ext4 -q -F -d "$dir/root/etc" "$dir/hostile/much.img" 8M
python3 - "$dir/hostile" <<'EOF'
import random, sys
r = random.Random(1)
for name, count in (("little", 8), ("much", 4000)):
    with open(f"{sys.argv[1]}/{name}.img", "r+b") as f:
        for _ in range(count):
            f.seek(r.randrange(1024, 256 * 1024))
            f.write(bytes([r.randrange(256)]))
EOF
before=$(sha256sum "$dir"/hostile/*)
job=$(submit "$(spec "$dir/hostile/much.img" "$dir/unused.img" ".operation = \"offline_fix\" | del(.destination) |
        .source = {type: \"file\", path: \"$dir/hostile/much.img\", format: \"raw\",
                further_disks: [\"$dir/hostile/little.img\", \"$dir/hostile/empty.img\"]}")")
wait_state "$job" FAILED 600
code=$(curl -sf "$worker/jobs/$job" | jq -r .result.error.code)
[[ $code = guest_unknown || $code = guest_inspection_failed ]] || fail "the reason is $code: $(reason "$job")"
eventually 20 "the appliance is gone" appliance_is_gone
eventually 60 "the unit has ended" unit_gone "$job"
equal "$(sha256sum "$dir"/hostile/*)" "$before" "the hostile disks"
equal "$(find "$dir/hostile" -mindepth 1 ! -name '*.img')" "" "what is left beside the hostile disks"

# --- one whose appliance is killed fails, and changes nothing -----------------------------------------------
before=$(sha256sum <"$dir/guest.img")
job=$(submit "$(spec "$dir/guest.img" "$dir/unused.raw" 'del(.destination) | .source.format = "raw" |
        .operation = "offline_fix" | .execution_policy.retry_count = 0')")
eventually 120 "the appliance starts" appliance_runs
pkill -KILL -f "$appliance"
wait_state "$job" FAILED
equal "$(job "$job" | jq -r .result.error.code)" appliance_failed "the code of: $(reason "$job")"
equal "$(sha256sum <"$dir/guest.img")" "$before" "the image whose guest was not changed"
missing "$dir/.guest.img.hyper-part"

# --- without a copy -----------------------------------------------------------------------------------------

# In place, all that the guest needs, with hyper-guest killed in the first attempt. The file system is
# damaged, and e2fsck -p refuses to repair it.
debugfs -w -R 'sif /etc/motd mode 0777' "$dir/guest.img?offset=1048576" 2>/dev/null
before=$(sha256sum <"$dir/guest.img")
hyperctl fix "$dir/guest.img" --force --id=in-place >"$dir/fixed" 2>&1 &
fix=$!
guest_runs() { pgrep -x hyper-guest >/dev/null; }
eventually 120 "hyper-guest runs" guest_runs
equal "$(sha256sum <"$dir/guest.img")" "$before" "the image while its guest is changed"
guest=$(pgrep -x hyper-guest)
kill_manager
equal "$(pgrep -x hyper-guest)" "$guest" "hyper-guest after the manager was killed"
pkill -KILL -x hyper-guest
wait $fix || fail "hyperctl fix: $(cat "$dir/fixed")"
contains "$(hyperctl logs in-place)" "hyper-guest was killed" "the log of the job"
contains "$(cat "$dir/fixed")" "repaired, data may be lost" "the repair of the file system"
contains "$(cat "$dir/fixed")" "Boots on KVM: yes" "whether it boots"
missing "$dir/.guest.img.hyper-part"
contains "$(debugfs -R 'cat /etc/fstab' "$dir/guest.img?offset=1048576" 2>/dev/null)" "UUID=$uuid / ext4" \
        "fstab in the image"

# An inspection reads only. All appliances are in use at first.
held=()
for slot in /var/lib/hyper/appliance/slots/*; do
        flock --no-fork "$slot" sleep infinity &
        held+=($!)
        in_use() { ! flock -n "$slot" true; }
        eventually 10 "an appliance is in use" in_use
done
equal "${#held[@]}" 4 "the slots of appliances"
before=$(sha256sum <"$dir/box.ova")
hyperctl inspect --json=short --id=looked-at "$dir/box.ova" >"$dir/guest.json" 2>"$dir/inspection" &
inspection=$!
waits() { [[ $(hyperctl logs looked-at) = *"Waiting for one of "*" appliances: all are in use"* ]]; }
eventually 120 "the job waits for an appliance" waits
kill_manager
equal "$(state looked-at)" RUNNING "the state of the job that waits"
kill "${held[@]}"
wait $inspection || fail "hyperctl inspect: $(cat "$dir/inspection")"
equal "$(jq -r '.os.hostname, .root, .virtio, .bootable' "$dir/guest.json" | xargs)" \
        "esx-guest /dev/sda1 false no" "the inspected guest"
contains "$(jq -r '.reasons[]' "$dir/guest.json")" "/etc/fstab names /dev/sda1" "the reasons"
contains "$(jq -r '.reasons[]' "$dir/guest.json")" "lacks virtio_" "the reasons"
equal "$(jq -c '[.network[] | .name, .dhcp]' "$dir/guest.json")" '["ens192",true]' "the network"
equal "$(jq -c .changes "$dir/guest.json")" "[]" "the changes of an inspection"
equal "$(sha256sum <"$dir/box.ova")" "$before" "the inspected image"
