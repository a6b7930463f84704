#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Jobs are cancelled while their output is being given its name: either the cancel is refused and the output
# stands, or the job is cancelled and leaves none.
# timeout: 240

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

raw_image "$dir/disk.raw" 2
completed=0 cancelled=0

# From the end of the copy on, later and later; every fifth when the output is claimed, which must be too
# late.
for i in {1..40}; do
        id=$(submit "$(spec "$dir/disk.raw" "$dir/out-$i.qcow2" ".job_id = \"end-$i\"")")
        directory=/var/lib/hyper/jobs/$(systemd-escape -- "$id")
        while [ -d "$directory" ] && [ ! -e "$directory/result.json" ]; do :; done
        if [ $((i % 5)) -eq 0 ]; then
                while [ -d "$directory" ] && [ ! -L "$directory/ending" ]; do :; done
        else
                sleep "0.$(printf %03d $((i * 3)))"
        fi
        said=yes
        cancel "$id" 2>"$dir/error" || said=no
        finished() { is_final "$(state "$id")"; }
        eventually 30 "job $id ends" finished
        eventually 30 "the unit of $id is gone" unit_gone "$id"
        [ ! -e "$dir/.out-$i.qcow2.hyper-part" ] || {
                hyperctl logs "$id" || :
                journalctl -q --no-pager -o short-precise -u "$(unit "$id")" || :
                fail "unfinished output of $id, which is $(state "$id"), was left behind: $(ls -lad "$dir"/{,.}out-"$i".* 2>&1)"
        }
        case $said,$(state "$id") in
                yes,CANCELLED)
                        cancelled=$((cancelled + 1))
                        missing "$dir/out-$i.qcow2"
                        ;;
                no,COMPLETED) # refused, because it is being published or already is
                        completed=$((completed + 1))
                        grep -q "$id is " "$dir/error" ||
                                fail "the error of the cancel of $id: $(cat "$dir/error")"
                        exists "$dir/out-$i.qcow2"
                        ;;
                *) fail "the cancel of $id was accepted: $said, and the job is $(state "$id"): $(reason \
                        "$id")" ;;
        esac
done
no_part_left "$dir"
[ "$completed" -ge 8 ] || fail "a job whose output was claimed was cancelled"
same "$dir/disk.raw" "$(find "$dir" -name 'out-*.qcow2' | head -n 1)" qcow2
echo "$completed were completed, $cancelled were cancelled."
