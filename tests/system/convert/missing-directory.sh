#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Directories above a destination that do not exist are made, below a directory that the caller may write to,
# and nowhere else. A job that does not complete leaves none of them.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

useradd -M -s /bin/sh -G hyper-operator t-operator
outside=/opt/missing-directory
mkdir -p "$outside" "$dir/in"
raw_image "$dir/in/a.raw" 8
settings "jobs: {source_paths: [$dir/in], destination_paths: [$dir/in], max_running: 1}"
operator() { runuser -u t-operator -- "$@"; }

# --- two levels, through HTTP and hyperctl -----------------------------------------------------------------
body=$(jq -cn --arg s "$dir/in/a.raw" --arg d "$dir/in/new/deep" \
        '{id: "http", source: {type: "file", path: $s, format: "raw"}, output_dir: $d, format: "qcow2"}')
answer=$(operator curl -sS -m 60 "$api/jobs/submit" -H 'Content-Type: application/json' -d "$body")
wait_state http COMPLETED
same "$dir/in/a.raw" "$dir/in/new/deep/a.qcow2" qcow2
for made in new new/deep; do
        equal "$(stat -c '%U %a %F' "$dir/in/$made")" "root 755 directory" "the directory $made"
done

operator hyperctl submit --wait -q "$dir/in/a.raw" "$dir/in/ctl/deep/b.qcow2"
same "$dir/in/a.raw" "$dir/in/ctl/deep/b.qcow2" qcow2
operator hyperctl submit --wait -q "$dir/in/a.raw" "$dir/in/slash/deep/"
same "$dir/in/a.raw" "$dir/in/slash/deep/a.qcow2" qcow2
# an administrator elsewhere
hyperctl submit --wait -q "$dir/in/a.raw" "$outside/new/c.qcow2"
same "$dir/in/a.raw" "$outside/new/c.qcow2" qcow2
# where a mistyped path does not become a tree
answer=$(hyperctl submit "$dir/in/a.raw" "$outside/typo/deep/c.qcow2" 2>&1) && fail "a tree was accepted: $answer"
contains "$answer" "only the last one is created" "the refusal"
missing "$outside/typo"
# and nothing is made where a file system is not mounted
mkdir "$dir/in/nas"
echo "tmpfs $dir/in/nas tmpfs noauto 0 0" >>/etc/fstab
answer=$(hyperctl submit "$dir/in/a.raw" "$dir/in/nas/new/c.qcow2" 2>&1) && fail "an unmounted place: $answer"
contains "$answer" "is not mounted" "the refusal"
missing "$dir/in/nas/new"
mount "$dir/in/nas"
hyperctl submit --wait -q "$dir/in/a.raw" "$dir/in/nas/new/c.qcow2"
same "$dir/in/a.raw" "$dir/in/nas/new/c.qcow2" qcow2
umount "$dir/in/nas"
sed -i "\\|$dir/in/nas|d" /etc/fstab

# --- refused -----------------------------------------------------------------------------------------------
refused() {
        local answer
        answer=$(operator hyperctl submit "$dir/in/a.raw" "$1" 2>&1) && fail "$1 was accepted: $answer"
        contains "$answer" "$2" "the refusal of $1"
}
refused "$outside/other/deep/x.qcow2" "must be below a directory of jobs.destination_paths"
ln -s "$outside" "$dir/in/link"
refused "$dir/in/link/other/x.qcow2" "must be below a directory of jobs.destination_paths"
ln -s nowhere "$dir/in/dangling"
refused "$dir/in/dangling/other/x.qcow2" "leads nowhere"
refused "$dir/in/$(printf 'd%.0s/' {1..33})x.qcow2" "more than 32 directories"
missing "$outside/other"
missing "$dir/in/nowhere"
missing "$dir/in/d"

# --- two jobs with one destination that does not exist yet -------------------------------------------------
serve "$dir/in/s.sock" --filter=rate file "$dir/in/a.raw" rate=8M
holder=$(submit "$(spec "$(nbd_uri "$dir/in/s.sock")" "$dir/holder.qcow2")")
wait_state "$holder" RUNNING
first=$(submit "$(spec "$dir/in/a.raw" "$dir/in/same/deep/x.qcow2")")
refused "$dir/in/same/deep/x.qcow2" "job $first, which is not finished, writes there"

# --- a link that is put there while the job waits ----------------------------------------------------------
ln -s "$outside" "$dir/in/same"
cancel "$holder"
wait_state "$first" FAILED
contains "$(reason "$first")" "symbolic link" "why the job failed"
missing "$outside/deep"
rm "$dir/in/same"

# --- a cancelled job leaves nothing ------------------------------------------------------------------------
id=$(submit "$(spec "$(nbd_uri "$dir/in/s.sock")" "$dir/in/gone/deep/x.qcow2")")
wait_bytes "$id" 1
exists "$dir/in/gone/deep/.x.qcow2.hyper-part"
cancel "$id"
wait_state "$id" CANCELLED 30
eventually 30 "the unit is gone" unit_gone "$id"
missing "$dir/in/gone"
# nor one that fails; but what somebody else has put there stays
truncate -s 1M "$dir/in/zero.vmdk"
id=$(submit "$(spec "$dir/in/zero.vmdk" "$dir/in/failed/deep/x.qcow2" \
        '.source.format = "vmdk" | .execution_policy.retry_count = 0')")
wait_state "$id" FAILED
eventually 30 "the unit is gone" unit_gone "$id"
missing "$dir/in/failed"
id=$(submit "$(spec "$(nbd_uri "$dir/in/s.sock")" "$dir/in/kept/deep/x.qcow2")")
wait_bytes "$id" 1
touch "$dir/in/kept/other"
cancel "$id"
wait_state "$id" CANCELLED 30
eventually 30 "the unit is gone" unit_gone "$id"
exists "$dir/in/kept/other"
missing "$dir/in/kept/deep"

# --- many jobs with one new directory, of which every second one fails -------------------------------------
settings "jobs: {source_paths: [$dir/in], destination_paths: [$dir/in], max_running: 4}"
good=() bad=()
for i in {1..12}; do
        bad+=("$(submit "$(spec "$dir/in/zero.vmdk" "$dir/in/many/deep/bad$i.qcow2" \
                '.source.format = "vmdk" | .execution_policy.retry_count = 0')")")
        good+=("$(submit "$(spec "$dir/in/a.raw" "$dir/in/many/deep/good$i.qcow2" \
                '.execution_policy.retry_count = 0')")")
done
for id in "${good[@]}"; do wait_state "$id" COMPLETED; done
for id in "${bad[@]}"; do wait_state "$id" FAILED; done
equal "$(find "$dir/in/many/deep" -name 'good*.qcow2' | wc -l)" 12 "the images in the new directory"
no_part_left "$dir"
stop_serving "$dir/in/s.sock"
rm -r "$outside"
