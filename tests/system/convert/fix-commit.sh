#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 400
# slow: it boots the machine again after each power cut
# runs-on: host
# weight: 0.6
#
# The changes of a guest on three disks are committed, all or none, to copies or in place: the job is killed,
# or the power is cut, while a disk is being committed, and after the last one. The job then repeats the
# commit, not the changes. No image is published before, and none is used that is being changed. An image that
# cannot be written is left as it is: its file system is full, it is read-only, or another process has it. A
# program in place of hyper-guest makes the changes.

# shellcheck disable=SC2016 # much of it is for the shell inside
# shellcheck source=tests/system/lib/host.sh
. "$(dirname "$0")/../lib/host.sh"

inside mkdir -p /srv/commit
inside sh -c 'cat >/usr/libexec/hyper-appliance; chmod 755 /usr/libexec/hyper-appliance' <<'EOF'
#!/bin/sh
mkdir -p "$1/none"
ln -sfn none "$1/current"
EOF
inside sh -c 'cat >/usr/libexec/hyper-guest; chmod 755 /usr/libexec/hyper-guest' <<'EOF'
#!/usr/bin/bash
/usr/bin/jq -r '.disks[].path' <&3 | while read -r path; do
        # QEMU stops its machine when the file system is full.
        /usr/bin/qemu-io -f qcow2 -c 'write -P 0x5a 1M 24M' "$path" >/dev/null || exec /usr/bin/sleep infinity
done
echo '{"event": "result", "guest": {"changes": [], "warnings": []}}'
EOF
inside bash -c '
        cd /srv/commit
        for i in 1 2 3; do
                head -c 32M /dev/urandom >disk$i.raw
                cp disk$i.raw fixed$i.raw
                qemu-io -f raw -c "write -P 0x5a 1M 24M" fixed$i.raw >/dev/null
                qemu-img convert -q -f raw -O vmdk -o subformat=streamOptimized disk$i.raw box-disk$i.vmdk
        done
        {
                echo "<Envelope xmlns:ovf=\"http://schemas.dmtf.org/ovf/envelope/1\"><References>"
                for i in 1 2 3; do echo "<File ovf:href=\"box-disk$i.vmdk\" ovf:id=\"f$i\"/>"; done
                echo "</References><DiskSection>"
                for i in 1 2 3; do
                        echo "<Disk ovf:capacity=\"33554432\" ovf:diskId=\"d$i\" ovf:fileRef=\"f$i\"/>"
                done
                echo "</DiskSection></Envelope>"
        } >box.ovf
        tar --format=ustar -cf box.ova box.ovf box-disk1.vmdk box-disk2.vmdk box-disk3.vmdk
        sync'

# the specs of a conversion to $id.raw, $id-disk2.raw and $id-disk3.raw, and of a change of these files
copy() {
        echo "{\"job_id\": \"$id\", \"operation\": \"convert\",
                \"source\": {\"type\": \"file\", \"path\": \"/srv/commit/box.ova\"},
                \"destination\": {\"type\": \"file\", \"path\": \"/srv/commit/$id.raw\", \"format\": \"raw\"},
                \"parameters\": {\"fix\": \"auto\"}, \"execution_policy\": {\"retry_count\": 3}}"
}
in_place() {
        inside bash -c 'cd /srv/commit && for i in "" -disk2 -disk3; do n=${i#-disk}; cp disk${n:-1}.raw "$1$i.raw"; done; sync' sh "$id"
        echo "{\"job_id\": \"$id\", \"operation\": \"offline_fix\",
                \"source\": {\"type\": \"file\", \"path\": \"/srv/commit/$id.raw\", \"format\": \"raw\",
                        \"further_disks\": [\"/srv/commit/$id-disk2.raw\", \"/srv/commit/$id-disk3.raw\"]},
                \"parameters\": {\"fix\": [\"fs_repair\"]}, \"execution_policy\": {\"retry_count\": 3}}"
}

# stopped NAME DISK copy|in_place: submit the job NAME, and stop qemu-img while it commits this disk. It may be
# quicker than that: then another job is tried. Set id to the job.
stopped() {
        local try state='' overlay=/disk$2/fix.qcow2
        [ "$2" != 1 ] || overlay=hyper-part/fix.qcow2
        for try in $(seq 20); do
                id=$1-$try
                state=$(lib "
                        submit '$($3)' >/dev/null
                        stop() { for _ in {1..50}; do pkill -STOP -f '^qemu-img commit .*$id.*$overlay' && return; done; return 1; }
                        until stop || is_final \"\$(state $id)\"; do :; done
                        pgrep -f '^qemu-img commit .*$id.*$overlay' >/dev/null && echo stopped || reason $id")
                [ "$state" != stopped ] || return 0
                inside sh -c "rm -f /srv/commit/$id*.raw"
        done
        fail "no commit was stopped: $state"
}

# The outputs are there in whole, or not at all.
none() { inside bash -c 'ls /srv/commit/'"$id"'*.raw 2>/dev/null | grep . && exit 1 || :' || fail "$id: an image was published"; }
all() {
        lib "wait_state $id COMPLETED 180
                same /srv/commit/fixed1.raw /srv/commit/$id.raw raw
                same /srv/commit/fixed2.raw /srv/commit/$id-disk2.raw raw
                same /srv/commit/fixed3.raw /srv/commit/$id-disk3.raw raw
                equal \"\$(find /srv/commit -name '.$id*')\" '' 'what is left'
                contains \"\$(journalctl -q -o cat HYPER_JOB_ID=$id)\" '${1:-the guest is fixed}' 'the log of a commit that is repeated'
                rm -f /srv/commit/$id*.raw"
}
kill_job() { inside bash -c 'systemctl kill -s KILL "hyper-job-$(systemd-escape -- "$1").service"' sh "$id"; }
cut_power() {
        machine crash
        machine up
}
# The last commit ends, and what follows it does not begin.
after_the_last() {
        stopped "$1" 3 copy
        lib "ended() { [ -z \"\$(pgrep -r R,S,D,T -f '^qemu-img commit')\" ]; }
                kill -STOP \"\$(systemctl show -P MainPID \"\$(unit $id)\")\"
                pkill -CONT -f '^qemu-img commit'
                eventually 60 'the last commit has ended' ended"
}

# --- images that cannot be written, or only with care -------------------------------------------------------

lib "$(cat <<'EOF'
cd /srv/commit
# change PATH FORMAT [JQ-PROGRAM]: submit a change of that image, with the name of the file as its ID
change() { submit "$(jq -cn --arg p "/srv/commit/$1" --arg f "$2" '{job_id: ($p | sub(".*/"; "")), operation: "offline_fix",
        source: {type: "file", path: $p, format: $f}, parameters: {fix: ["fs_repair"]},
        execution_policy: {retry_count: 0}}' | jq -c "${3:-.}")" >/dev/null; }
nothing_left() { equal "$(find . -name '*.hyper-part')" "" "what is left"; }
# refused PATH CODE TEXT: the job has failed, the image is as it was, and nothing is beside it
refused() {
        local id=${1##*/}
        wait_state "$id" FAILED
        equal "$(job "$id" | jq -r .result.error.code)" "$2" "the code of: $(reason "$id")"
        contains "$(reason "$id")" "$3" "the reason"
        equal "$(sha256sum <"$1")" "$(cat "$id.sum")" "the image $1"
        nothing_left
}
# sparse PATH: an image without data, whose digest is noted
sparse() { truncate -s 32M "$1"; sha256sum <"$1" >"${1##*/}.sum"; }

# A file system that has space for the overlay, but not for the image, too; one without space for the overlay
mkdir small full
mount -t tmpfs -o size=40M,mode=755 tmpfs small
mount -t tmpfs -o size=16M,mode=755 tmpfs full
sparse small/no-space
change small/no-space raw
refused small/no-space no_space "has no space for the changes of the guest: the image is left as it is"
sparse full/no-overlay
change full/no-overlay raw
refused full/no-overlay no_space "full/.no-overlay.hyper-part/fix.qcow2 is full"
umount small full

# Read-only: the mount of the file, and the file
sparse read-only
mount --bind read-only read-only
mount -o remount,bind,ro read-only
change read-only raw
refused read-only destination_refused "Opening the image /srv/commit/read-only for writing failed: Read-only file system"
umount read-only
sparse immutable
chattr +i immutable
change immutable raw
refused immutable permission_denied "Opening the image /srv/commit/immutable for writing failed: Operation not permitted"
chattr -i immutable

# Another process has it: one that writes, and one that only reads
sparse written
qemu-nbd -t --fork --pid-file=/run/written.pid -k /run/written.sock -f raw written
change written raw
refused written source_in_use "qemu-nbd"
kill "$(cat /run/written.pid)"
qemu-img create -q -f qcow2 read 32M
sha256sum <read >read.sum
qemu-nbd -t -r --fork --pid-file=/run/read.pid -k /run/read.sock -f qcow2 read
change read qcow2
refused read source_in_use "is in use by another process"
kill "$(cat /run/read.pid)"

# An image with a backing file is refused when the job is submitted.
qemu-img create -q -f qcow2 -F raw -b disk1.raw top.qcow2
sum=$(cat top.qcow2 disk1.raw | sha256sum)
contains "$(change top.qcow2 qcow2 2>&1)" "it is a snapshot or differencing disk" "the error of an image with a backing file"
contains "$(change top.qcow2 qcow2 '.parameters.chain = "flatten"' 2>&1)" \
        "must not be flatten without a destination" "the error of a chain that is to be read as one disk"
equal "$(cat top.qcow2 disk1.raw | sha256sum)" "$sum" "the image and its backing file"
nothing_left
EOF
)"

stopped killed-first 1 copy
none
kill_job
all

stopped killed-in-place 1 in_place
kill_job
all "The changes of the guest are in the image"

# The manager does not matter: the commit goes on without it.
stopped killed-manager 2 in_place
inside systemctl kill --kill-whom=main -s KILL hyper-managerd.service
inside pkill -CONT -f '^qemu-img commit'
all 'Completed'

# Another job does not get one of the disks while they are changed, nor after that until all are.
stopped cut-in-place 2 in_place
in_place=$id
lib "submit '{\"job_id\": \"other\", \"operation\": \"inspect\", \"execution_policy\": {\"retry_count\": 0},
                \"source\": {\"type\": \"file\", \"path\": \"/srv/commit/$id-disk2.raw\", \"format\": \"raw\"}}' >/dev/null
        wait_state other FAILED
        contains \"\$(reason other)\" 'are not completely written' 'the reason of another job'"
stopped cut-second 2 copy
none
cut_power
all
id=$in_place
all "The changes of the guest are in the image"

after_the_last killed-last
none
kill_job
all

after_the_last cut-last
none
cut_power
all
inside rm -rf /srv/commit
