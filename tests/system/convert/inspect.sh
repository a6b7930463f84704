#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Files are inspected without a job, in a process of its own: the bus, HTTP, hyperctl; what is wrong with them
# is a concern. The process has nothing but the open file.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

# found FILE: the inspection over the bus
found() { busctl --json=short call "${manager[@]}" InspectSource 'sa{sv}' \
        "$(jq -cn --arg path "$1" '{type: "file", path: $path}')" 0 | jq -r '.data[0]'; }
# shown FILE JQ-PROGRAM
shown() { found "$1" | jq -r "$2"; }

cd "$dir" || exit
chmod a+rx .
raw_image disk.raw 8
qemu-img convert -O qcow2 disk.raw disk.qcow2
qemu-img convert -O vmdk -o subformat=streamOptimized disk.raw disk.vmdk
qemu-img create -q -f qcow2 -F qcow2 -b disk.qcow2 top.qcow2
printf '<!doctype html><html></html>' >page.raw
chmod 600 ./*

# --- formats and concerns
equal "$(shown "$dir/disk.raw" '"\(.format) \(.size) \(.concerns | length)"')" "raw 8388608 0" "a raw disk"
equal "$(shown "$dir/disk.qcow2" '"\(.format) \(.size) \(.concerns | length)"')" "qcow2 8388608 0" "a qcow2"
equal "$(shown "$dir/disk.vmdk" '"\(.format) \(.size) \(.concerns | length)"')" "vmdk 8388608 0" "a VMDK"
equal "$(shown "$dir/top.qcow2" '.concerns[0] | "\(.severity) \(.code)"')" "error differencing" "an overlay"
equal "$(shown "$dir/page.raw" '.concerns[0] | "\(.severity) \(.code)"')" "error image_refused" "a page"
contains "$(shown "$dir/page.raw" '.concerns[0].text')" "HTML page" "the concern of a page"

# --- hostile images: a tenth of the bytes of each is changed, and there is always an answer
for i in 1 2 3 4 5; do
        for image in disk.qcow2 disk.vmdk; do
                cp "$image" hostile
                head -c 400 /dev/urandom | dd of=hostile bs=1 seek=$((i * 16)) conv=notrunc status=none
                shown "$dir/hostile" .concerns >/dev/null || fail "no answer about a damaged $image"
        done
done

# --- roles: an operator sees only what may be a source
useradd -G hyper-operator olga
runuser -u olga -- hyperctl inspect --quick /etc/shadow 2>error && fail "an operator has inspected /etc/shadow"
contains "$(cat error)" "may not be here" "the error"
as hyper-viewer hyperctl inspect --quick "$dir/disk.qcow2" 2>error && fail "a viewer has inspected a file"

# --- HTTP and hyperctl
answer=$(http POST "$api/inspect/source" "$(jq -cn --arg path "$dir/disk.vmdk" \
        '{source: {type: "file", path: $path}}')")
equal "$(status)" 200 "the status, $answer"
equal "$(jq -r '"\(.format) \(.disks[0].file)"' <<<"$answer")" "vmdk disk.vmdk" "the answer over HTTP"
http POST "$api/inspect/source" '{}' >/dev/null
equal "$(status)" 400 "the status without a source"
answer=$(http POST "$api/inspect/destination" "$(jq -cn --arg path "$dir/disk.raw" \
        '{destination: {type: "file", path: $path}, size: 1024}')")
equal "$(jq -r '.concerns[0].code' <<<"$answer")" destination_exists "the concern of a destination"
jq -e '.free > 0 and .total >= .free' <<<"$answer" >/dev/null || fail "no space: $answer"
contains "$(hyperctl inspect --quick "$dir/top.qcow2")" "error: top.qcow2 is on top of another image (disk.qcow2)" \
        "hyperctl inspect --quick"

# --- the log of a job by page
submit "$(spec "$dir/disk.raw" "$dir/out.qcow2" '.job_id = "logged"')" >/dev/null
wait_state logged COMPLETED
answer=$(http GET "$api/jobs/logged/log?limit=2")
equal "$(jq '.entries | length' <<<"$answer")" 2 "the first page of the log"
next=$(jq -r '.next | @uri' <<<"$answer")
jq -e --argjson first "$answer" '.entries[0] != $first.entries[0] and (.entries | length) > 0' \
        <<<"$(http GET "$api/jobs/logged/log?cursor=$next")" >/dev/null || fail "the next page of the log"
contains "$(as hyper-viewer hyperctl logs logged 2>&1)" "The disk image $dir/out.qcow2 is complete" "the log for a viewer"
equal "$(as hyper-viewer hyperctl logs -q -n 2 logged | wc -l)" 2 "the last lines of the log for a viewer"

# --- the process: no privileges, no network, no other files; nothing runs afterwards
unit=hyper-inspect@.service
equal "$(systemctl show -P CapabilityBoundingSet hyper-inspect@x.service)" "" "capabilities of $unit"
equal "$(systemctl show -P PrivateNetwork hyper-inspect@x.service)" yes "the network of $unit"
equal "$(systemctl show -P DynamicUser hyper-inspect@x.service)" yes "the user of $unit"
idle() { [ -z "$(systemctl list-units --no-legend --state=active 'hyper-inspect@*')" ]; }
eventually 10 "no inspection runs" idle
# Without it, there is an error that says where to look.
systemctl stop hyper-inspect.socket
hyperctl inspect --quick "$dir/disk.raw" 2>error && fail "an inspection without the socket"
contains "$(cat error)" "hyper-inspect.socket" "the error without the socket"
systemctl start hyper-inspect.socket
hyperctl inspect --quick "$dir/disk.raw" >/dev/null || fail "the socket was started, but there is no inspection"
