#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: libvirt
# timeout: 300
# weight: 0.8
#
# The proof of boot of a domain, here and on another host: what its guest shows on the console decides, its
# disk is not changed, and nothing is left when it is cancelled, or when what takes part in it is killed. More
# of it on another host is in kvm-remote.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=tests/system/lib/lib-libvirt.sh
. "$(dirname "$0")/../lib/lib-libvirt.sh"

# proof FILE NAME [JQ-PROGRAM]: a job with a proof of boot
proof() { submit "$(spec "$dir/$1" "$dir/unused.qcow2" ".job_id = \"$2\" | .parameters += {boot_check: true, fix: \"none\"} |
        .destination = {type: \"kvm\", name: \"$2\", directory: \"$dir/vm\", hardware: {memory: 67108864}} |
        ${3:-.}")" >/dev/null; }
result() { job "$1" | jq -r ".result.$2"; }
trial() { virsh list --name | grep '^hyper-boot-'; }
trial_pid() { pgrep -f 'guest=hyper-boot-'; }
other_trial() { local pid; pid=$(trial_pid) && [ "$pid" != "$1" ] && trial >/dev/null; }
nothing_left() {
        trial && fail "a domain is left"
        equal "$(find vm pool -name '*TRANSIENT*')" "" "the overlays"
}

libvirt_up
mkdir "$dir/vm" "$dir/pool"
chmod 755 "$dir/vm"
cd "$dir"
boot_disk login.raw '\r\nDebian GNU/Linux 12 box ttyS0\r\n\r\nbox login: '
boot_disk panic.raw '\r\n[    1.0] Kernel panic - not syncing: VFS\r\n'
boot_disk hang.raw '\r\nLoading ...'

# --- a guest that boots; the trial has not changed its disk -------------------------------------------------
proof login.raw boots
wait_state boots COMPLETED
contains "$(reason boots)" "the domain boots is defined, and boots: a login prompt is on the serial" reason
equal "$(result boots boot.boots)" yes "the result"
equal "$(result boots 'boot.console | join("|")')" "Debian GNU/Linux 12 box ttyS0|box login: " "the console"
equal "$(head -c 4 "$(result boots boot.screenshot)" | tail -c 3)" PNG "the screenshot"
http GET $api/jobs/boots/boot-screen >/dev/null
equal "$(status)" 200 "the status of the screenshot"
cmp -s "$dir/body" "$(result boots boot.screenshot)" || fail "the screenshot over HTTP is another one"
contains "$(hyperctl boot boots "$dir/screen.png")" "box login: " "hyperctl boot"
cmp -s "$dir/screen.png" "$dir/body" || fail "the screenshot of hyperctl is another one"
equal "$(virsh domstate boots)" "shut off" "the domain, which was not to be started"
same login.raw vm/boots.qcow2 qcow2
nothing_left

# --- the same on another host, which is this machine over ssh: the overlay is in its storage pool -----------
remote=qemu+ssh://root@127.0.0.1/system
mkdir -p /root/.ssh
busctl --json=short get-property "${hosts[@]}" PublicKey | jq -r .data >>/root/.ssh/authorized_keys
ssh-keyscan 127.0.0.1 >>/etc/ssh/ssh_known_hosts 2>/dev/null
add_host "$remote" remote >/dev/null
virsh -q pool-define-as vms dir --target "$dir/pool"
virsh -q pool-start vms
proof login.raw far ".destination += {libvirt_uri: \"$remote\", pool: \"vms\"}"
wait_state far COMPLETED
contains "$(reason far)" "the domain far is defined, and boots: a login prompt is on the serial" reason
equal "$(result far 'boot.console | join("|")')" "Debian GNU/Linux 12 box ttyS0|box login: " "the console"
equal "$(head -c 4 "$(result far boot.screenshot)" | tail -c 3)" PNG "the screenshot"
equal "$(virsh domstate far)" "shut off" "the domain on another host, which was not to be started"
missing vm/far.qcow2
same login.raw pool/far.qcow2 qcow2
nothing_left

# --- one that does not: the domain is defined, but not started, although that was asked for -----------------
proof panic.raw panics '.destination.start = true'
wait_state panics FAILED
equal "$(result panics error.code)" boot_failed "the code"
contains "$(reason panics)" "its guest does not boot: its kernel has stopped with a panic" "the reason"
contains "$(result panics 'boot.console | join("|")')" "Kernel panic - not syncing: VFS" "the console"
equal "$(virsh domstate panics)" "shut off" "a domain that does not boot"
nothing_left

# --- UEFI with secure boot and a TPM: QEMU runs with them, which is slow; nothing of them is left ------------
proof hang.raw uefi '.parameters.boot_timeout_seconds = 1 |
        .destination.hardware = {memory: 268435456, firmware: "efi", secure_boot: true, tpm: true}'
wait_state uefi COMPLETED
contains "$(reason uefi)" "whether it boots is not known: there was neither a login prompt" "the reason"
xml=$(virsh dumpxml --inactive uefi)
equal "$(xmllint --xpath 'string(/domain/os/firmware/feature[@name="secure-boot"]/@enabled)' - <<<"$xml")" yes \
        "secure boot of the domain"
equal "$(xmllint --xpath 'string(/domain/devices/tpm/backend/@version)' - <<<"$xml")" 2.0 "the TPM of the domain"
equal "$(find /var/lib/libvirt/qemu/nvram -name 'hyper-boot-*')" "" "the variables of the firmware of the trial"
equal "$(find /var/lib/libvirt/swtpm -mindepth 1 2>/dev/null)" "" "the TPM of the trial"
nothing_left

# --- one of which nothing is known: it is started -----------------------------------------------------------
proof hang.raw unknown '.destination.start = true | .parameters.boot_timeout_seconds = 1'
wait_state unknown COMPLETED
contains "$(reason unknown)" "the domain unknown is running, and whether it boots is not known" "the reason"
contains "$(result unknown boot.message)" "within 1 s" "the message"
equal "$(virsh domstate unknown)" running "the domain"
virsh -q destroy unknown
nothing_left

# --- cancelled: only the proof ends -------------------------------------------------------------------------
proof hang.raw cancelled
eventually 60 "the trial runs" trial
pid=$(trial_pid)
kill_manager
equal "$(trial_pid)" "$pid" "the trial after the manager was killed"
busctl -q call "${manager[@]}" CancelJob s cancelled
wait_state cancelled COMPLETED
contains "$(reason cancelled)" "the proof that it boots was stopped" "the reason"
equal "$(virsh domstate cancelled)" "shut off" "the domain of a proof that was cancelled"
equal "$(job cancelled | jq '[.state_history[] | select(.state == "COMPLETED" or .state == "FAILED")] | length')" 1 "the ends"
nothing_left

# --- killed: hyper-hostd, libvirtd (with and without QEMU), and the step itself -----------------------------
proof hang.raw killed
eventually 60 "the trial runs" trial
pid=$(trial_pid)
systemctl kill --kill-whom=main -s KILL hyper-hostd.service
eventually 60 "the trial begins again without hyper-hostd" other_trial "$pid"
pid=$(trial_pid)
systemctl kill --kill-whom=main -s KILL libvirtd.service
eventually 60 "the trial begins again without libvirtd" other_trial "$pid"
pid=$(trial_pid)
systemctl kill -s KILL libvirtd.service
eventually 60 "the trial begins again without libvirtd and QEMU" other_trial "$pid"
pkill -KILL -f 'hyper-job boot /var/lib/hyper/jobs/killed'
wait_state killed COMPLETED
contains "$(reason killed)" "the proof that it boots was stopped" "the reason"
nothing_left
same hang.raw vm/killed.qcow2 qcow2
systemctl -q reset-failed 2>/dev/null || :
