#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# machine: guest
# timeout: 2400
# weight: 1.3
# tier: all
# slow: six appliances start under emulation
#
# While a guest is changed in place, what works on it is killed, in each step: QEMU of the appliance,
# hyper-guest, the manager, and the job. An attempt that has lost something fails with its reason and is
# repeated, and the image is as it was until the last one. Without a retry, the job fails. Commits that are
# killed are in fix-commit.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=tests/system/lib/lib-guest.sh
. "$(dirname "$0")/../lib/lib-guest.sh"

guest_of_vmware
chmod 755 "$dir"
before=$(sha256sum <"$dir/guest.img")
unchanged() { equal "$(sha256sum <"$dir/guest.img")" "$before" "the image after $1"; }
attempt() { [ "$(job killed | jq .attempt)" -ge "$1" ] && [ "$(state killed)" = RUNNING ]; }
# The log of the job, from the beginning of its last attempt that began
said() { journalctl -q -o cat HYPER_JOB_ID=killed | tac | sed '/^Starting the appliance/q' | tac | grep -q "$1"; }
# in_step ATTEMPT TEXT: until this attempt is in that step
in_step() {
        eventually 300 "attempt $1 runs" attempt "$1"
        eventually 600 "attempt $1: $2" eval "appliance_runs && said '$2'"
}
# failed_by TEXT: the attempt that ended last
failed_by() {
        failed() { journalctl -q -o cat HYPER_JOB_ID=killed | grep -c "$1" >"$dir/now" && [ "$(cat "$dir/now")" -ge "$2" ]; }
        eventually 60 "the attempt fails: $1" failed "$1" "$2"
        unchanged "$1"
}

submit "$(spec "$dir/guest.img" "$dir/unused.raw" 'del(.destination) | .source.format = "raw" | .job_id = "killed" |
        .operation = "offline_fix" | .parameters.fix = ["fs_repair", "offline_fix", "boot_repair", "initramfs_regenerate"] |
        .execution_policy.retry_count = 5')" >/dev/null

in_step 1 '^Starting the appliance'
pkill -KILL -f "$appliance"
failed_by 'Starting the appliance failed' 1

in_step 2 '^Inspecting the guest'
pkill -KILL -f "$appliance"
failed_by 'The appliance has ended before the work was done' 1

fixing="^Fixing \\(the guest.s configuration\\|the boot loader\\|the initramfs\\)"
in_step 3 "$fixing"
pkill -KILL -f "$appliance"
failed_by 'The appliance has ended before the work was done' 2

in_step 4 "$fixing"
pkill -KILL -x hyper-guest
failed_by 'hyper-guest was killed' 1

in_step 5 '^Inspecting the guest'
systemctl kill -s KILL "$(unit killed)"
eventually 20 "nothing of the job is left" eval '! appliance_runs'
unchanged "the job was killed"

# The manager does not matter: the same attempt goes on.
in_step 6 '^Inspecting the guest'
systemctl kill --kill-whom=main -s KILL hyper-managerd.service
wait_state killed COMPLETED 900
equal "$(job killed | jq .attempt)" 6 "the attempts"
uuid=$(debugfs -R 'show_super_stats -h' "$dir/guest.img?offset=1048576" 2>/dev/null | sed -n 's/^Filesystem UUID: *//p')
contains "$(debugfs -R 'cat /etc/fstab' "$dir/guest.img?offset=1048576" 2>/dev/null)" "UUID=$uuid / ext4" \
        "fstab in the image"
equal "$(job killed | jq -r .result.guest.virtio)" true "the drivers of virtio"
missing "$dir/.guest.img.hyper-part"
