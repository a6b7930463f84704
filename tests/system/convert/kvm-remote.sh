#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: libvirt
# timeout: 300
# weight: 0.8
# tier: all
# slow: the connection to the other host is slow, and calls are repeated after pauses
#
# A domain on another host, which is this machine, over ssh: a pool that is full, a cancel, and the death of
# all that takes part while a disk is sent, and during a proof of boot.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=tests/system/lib/lib-libvirt.sh
. "$(dirname "$0")/../lib/lib-libvirt.sh"

remote=qemu+ssh://root@127.0.0.1/system
# to_remote NAME POOL: a job for the other host
to_remote() { submit "$(spec "$dir/disk.raw" "$dir/unused.qcow2" ".job_id = \"$1\" | .destination = {type: \"kvm\",
        name: \"$1\", directory: \"$dir/vm\", libvirt_uri: \"$remote\", pool: \"$2\"} | .parameters.fix = \"none\"")" >/dev/null; }

libvirt_up
mkdir "$dir/vm" "$dir/pool" "$dir/small"
cd "$dir"
raw_image disk.raw 16

# Its ssh goes through a program that slows it down while $dir/slow exists.
cat >"$dir/throttle" <<'EOF'
#!/usr/bin/python3
import os, subprocess, sys, time
slow = sys.argv[1]
child = subprocess.Popen(["/bin/sh", "-c", os.environ["SSH_ORIGINAL_COMMAND"]], stdin=subprocess.PIPE)
while data := os.read(0, 65536):
    child.stdin.write(data)
    child.stdin.flush()
    if os.path.exists(slow):
        time.sleep(0.05)
EOF
chmod 755 "$dir/throttle"
mkdir -p /root/.ssh
printf 'command="%s %s" %s\n' "$dir/throttle" "$dir/slow" "$(busctl --json=short get-property "${hosts[@]}" \
        PublicKey | jq -r .data)" >>/root/.ssh/authorized_keys
ssh-keyscan 127.0.0.1 >>/etc/ssh/ssh_known_hosts 2>/dev/null
add_host "$remote" remote >/dev/null
mount -t tmpfs -o size=2M tmpfs "$dir/small"
virsh -q pool-define-as vms dir --target "$dir/pool"
virsh -q pool-define-as small dir --target "$dir/small"
virsh -q pool-start vms
virsh -q pool-start small

# --- what fails leaves the disk here, and nothing there -----------------------------------------------------
to_remote full small
wait_state full FAILED
contains "$(reason full)" "the storage pool 'small' has" "the reason of a pool that is full"
exists vm/full.qcow2
equal "$(find small -type f)" "" "the volumes of a job that failed"

touch slow
to_remote stopped vms
eventually 60 "the disk is sent" test -e pool/stopped.qcow2
busctl -q call "${manager[@]}" CancelJob s stopped
wait_state stopped FAILED
contains "$(reason stopped)" "sending the disks was cancelled on request" "the reason of a job that was cancelled"
exists vm/stopped.qcow2
missing pool/stopped.qcow2

# --- killed while the disk is sent: libvirtd, hyper-hostd, the manager, and the step itself -----------------
to_remote twice vms
eventually 60 "the disk is sent" test -e pool/twice.qcow2
systemctl kill --kill-whom=main -s KILL hyper-managerd.service
systemctl kill --kill-whom=main -s KILL hyper-hostd.service
sending() { journalctl -o cat HYPER_JOB_ID=twice | grep -c 'Sending disk 1' >"$dir/now" && [ "$(cat "$dir/now")" -gt "$1" ]; }
eventually 60 "the disk is sent again" sending 0
systemctl kill --kill-whom=main -s KILL libvirtd.service
eventually 60 "the disk is sent once more" sending "$(cat now)"
pkill -KILL -f 'hyper-job define /var/lib/hyper/jobs/twice'
rm slow
wait_state twice COMPLETED
same disk.raw pool/twice.qcow2 qcow2
missing vm/twice.qcow2
equal "$(virsh list --all --name | grep -c '^twice$')" 1 "the domains of that name"
umount small

# --- a proof of boot, with UEFI, and all of it killed on the other host: nothing is left of the first one ---
trial_pid() { pgrep -f 'guest=hyper-boot-'; }
other_trial() { local pid; pid=$(trial_pid) && [ "$pid" != "$1" ]; }
submit "$(spec "$dir/disk.raw" "$dir/unused.qcow2" ".job_id = \"proof\" | .destination = {type: \"kvm\", name: \"proof\",
        directory: \"$dir/vm\", libvirt_uri: \"$remote\", pool: \"vms\", hardware: {memory: 268435456, firmware: \"efi\"}} |
        .parameters += {fix: \"none\", boot_check: true}")" >/dev/null
overlay() { [ -n "$(find pool -name 'proof.qcow2.TRANSIENT-hyper-boot-*')" ]; }
eventually 60 "the trial has an overlay" overlay
pid=$(trial_pid)
systemctl kill -s KILL libvirtd.service
eventually 60 "the trial begins again" other_trial "$pid"
pkill -KILL -f 'hyper-job boot /var/lib/hyper/jobs/proof'
wait_state proof COMPLETED
contains "$(reason proof)" "the proof that it boots was stopped" "the reason"
equal "$(find pool -name '*TRANSIENT*')" "" "the overlays"
equal "$(find /var/lib/libvirt/qemu/nvram -name 'hyper-boot-*')" "" "the variables of the firmware of the trial"
equal "$(virsh list --all --name | sed -n '/^hyper-boot-/p')" "" "the trial"
same disk.raw pool/proof.qcow2 qcow2
systemctl -q reset-failed 2>/dev/null || :
