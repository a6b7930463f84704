#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 240
#
# What an image says about other files is not believed: it is refused, nothing of the other file gets out, no
# output appears.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

secret="the-secret-$RANDOM$RANDOM"
mkdir "$dir/vault" "$dir/in" "$dir/out"
head -c 1M < <(yes "$secret") >"$dir/vault/secret.raw"
cd "$dir/in"

# qcow2: another file as backing file, by several names; as data file; in /usr, which a job's namespace does
# hold, so that only the inspection stands between
backed() { qemu-img create -q -u -f qcow2 -b "$2" -F raw "$1" 1M; }
backed backing.qcow2 "$dir/vault/secret.raw"
backed relative.qcow2 ../vault/secret.raw
backed shadow.qcow2 /etc/shadow
backed usr.qcow2 /usr/lib/os-release
backed json.qcow2 \
        "json:{\"driver\":\"raw\",\"file\":{\"driver\":\"file\",\"filename\":\"$dir/vault/secret.raw\"}}"
backed nbd.qcow2 nbd:127.0.0.1:10809
qemu-img create -q -f qcow2 itself.qcow2 1M
qemu-img rebase -q -u -b itself.qcow2 -F qcow2 itself.qcow2
cp "$dir/vault/secret.raw" data.raw
qemu-img create -q -f qcow2 -o "data_file=data.raw,data_file_raw=on" data.qcow2 1M
qemu-img amend -q -o "data_file=$dir/vault/secret.raw" data.qcow2 2>/dev/null || :
# a size that nobody has: 2^62 bytes; and an L1 table to match
qemu-img create -q -f qcow2 absurd.qcow2 1M
printf '\x40\0\0\0\0\0\0\0' | dd of=absurd.qcow2 bs=1 seek=24 conv=notrunc status=none
printf '\x7f\xff\xff\xff' | dd of=absurd.qcow2 bs=1 seek=36 conv=notrunc status=none
# cut short
qemu-img create -q -f qcow2 short.qcow2 64M
truncate -s 80 short.qcow2

# VMDK: extents that are no plain files beside the descriptor
descriptor() {
        printf '# Disk DescriptorFile\nversion=1\nCID=11111111\nparentCID=%s\ncreateType="%s"\n%s\nddb.adapterType = "ide"\nddb.geometry.cylinders = "2"\nddb.geometry.heads = "16"\nddb.geometry.sectors = "63"\n' \
                "${4:-ffffffff}" "$2" "$3" >"$1"
}
descriptor absolute.vmdk monolithicFlat "RW 2048 FLAT \"$dir/vault/secret.raw\" 0"
descriptor upward.vmdk monolithicFlat 'RW 2048 FLAT "../vault/secret.raw" 0'
descriptor passwd.vmdk monolithicFlat 'RW 2 FLAT "/etc/passwd" 0'
descriptor usr.vmdk monolithicFlat 'RW 1 FLAT "/usr/lib/os-release" 0'
ln -s ../vault/secret.raw link.raw
descriptor link.vmdk monolithicFlat 'RW 2048 FLAT "link.raw" 0'
mknod device.raw b 7 0
descriptor device.vmdk monolithicFlat 'RW 2048 FLAT "device.raw" 0'
mkfifo fifo.raw
descriptor fifo.vmdk monolithicFlat 'RW 2048 FLAT "fifo.raw" 0'
descriptor url.vmdk monolithicFlat 'RW 2048 FLAT "nbd:127.0.0.1:10809" 0'
descriptor parent.vmdk monolithicSparse "parentFileNameHint=\"$dir/vault/secret.raw\"
RW 2048 FLAT \"data.raw\" 0" 22222222
descriptor absurd.vmdk monolithicFlat 'RW 9223372036854775807 ZERO'

n=0
for image in *.qcow2 *.vmdk; do
        n=$((n + 1))
        out=$dir/out/$image.raw
        if ! id=$(submit "$(spec "$dir/in/$image" "$out" \
                '.execution_policy = {idempotent: true, retry_count: 1}')" 2>"$dir/error"); then
                grep -q "$image" "$dir/error" ||
                        fail "$image was refused, but not by name: $(cat "$dir/error")"
                echo "$image: refused at once: $(cat "$dir/error")"
                continue
        fi
        [ -n "$id" ] || { echo "$image: refused at once: $(cat "$dir/error")"; continue; }
        ended() { is_final "$(state "$id")"; }
        eventually 60 "the job for $image ends" ended
        equal "$(state "$id")" FAILED "the state of the job for $image"
        equal "$(job "$id" | jq -r .attempt)" 1 "attempts for $image: it gets no better"
        echo "$image: $(reason "$id")"
        missing "$out"
        lacks "$(job "$id")$(journalctl -q -o cat "HYPER_JOB_ID=$id")" "$secret" "what is told about $image"
done
[ $n -ge 18 ] || fail "only $n images were tried"
equal "$(grep -rl "$secret" "$dir/out" || :)" "" "files that the secret got into"

# A path that is a link to a directory of the system, and the system's own files
ln -s /etc "$dir/etc"
for path in /etc/shadow "$dir/etc/shadow" /proc/self/mem /dev/zero /sys/kernel/notes \
        /var/lib/hyper/hyper.db; do
        submit "$(spec "$path" "$dir/out/system.raw")" >/dev/null 2>&1 &&
                fail "$path was accepted as a source"
done
for path in /etc/hyper.raw "$dir/etc/hyper.raw" /usr/lib/hyper.raw /dev/shm/../null /var/lib/hyper/hyper.db \
        /proc/hyper.raw; do
        submit "$(spec "$dir/vault/secret.raw" "$path")" >/dev/null 2>&1 &&
                fail "$path was accepted as a destination"
done
true
