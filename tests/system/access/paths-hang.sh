#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 180
# slow: what hangs is given up after 10 s, three times
#
# A file system whose server is dead (a FUSE mount whose daemon never answers stands in for NFS): a job on
# it is refused with the path, a job that starts fails with it, and the manager goes on as if nothing was.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

dead=/mnt/dead
mkdir -p $dead/store
raw_image "$dir/a.raw" 8
cp "$dir/a.raw" $dead/store/a.raw

# One job that will start when its file system is dead already: it waits for the only slot.
mkdir -p /etc/hyper/config.d
echo 'jobs: {max_running: 1}' >/etc/hyper/config.d/90-test.yaml
raw_image "$dir/slow.raw" 64
serve "$dir/slow.sock" -r --filter=rate file "$dir/slow.raw" rate=4M
busctl -q call "${manager[@]}" SubmitJob 'sa{sv}' "$(spec "$(nbd_uri "$dir/slow.sock")" "$dir/slow.qcow2" \
        '.job_id = "slow"')" 0
wait_state slow RUNNING
busctl -q call "${manager[@]}" SubmitJob 'sa{sv}' "$(spec $dead/store/a.raw "$dir/late.qcow2" \
        '.job_id = "late"')" 0

# The daemon of the mount reads nothing and answers nothing.
cat >"$dir/dead.py" <<'END'
import ctypes, os, signal, sys
fd = os.open("/dev/fuse", os.O_RDWR)
libc = ctypes.CDLL(None, use_errno=True)
options = f"fd={fd},rootmode=40000,user_id=0,group_id=0,allow_other"
if libc.mount(b"dead", sys.argv[1].encode(), b"fuse", 0, options.encode()) < 0:
    sys.exit("mount: " + os.strerror(ctypes.get_errno()))
open(sys.argv[2], "w").close()
signal.pause()
END
systemd-run -q --collect --unit=test-dead python3 "$dir/dead.py" $dead "$dir/mounted"
eventually 20 "the dead file system is mounted" test -e "$dir/mounted"

submit_timed() { busctl --timeout=60 call "${manager[@]}" SubmitJob 'sa{sv}' "$1" 0 2>&1; }
began=$SECONDS
submit_timed "$(spec $dead/store/a.raw "$dir/b.qcow2")" >"$dir/said" &
hanging=$!
# Meanwhile everybody else is served.
busctl -q --timeout=5 call "${manager[@]}" ListJobs 'a{sv}' 0 ||
        fail "the manager does not answer while a path hangs"
answer=$(busctl --timeout=5 call "${manager[@]}" SubmitJob 'sa{sv}' \
        "$(spec "$dir/a.raw" "$dir/c.qcow2" '.job_id = "other"')" 0 2>&1) ||
        fail "no job can be submitted while a path hangs: $answer"
wait "$hanging" && fail "a job on a dead file system was accepted: $(cat "$dir/said")"
contains "$(cat "$dir/said")" "source.path: $dead/store/a.raw: it does not answer" \
        "what is said of a dead source"
[ $((SECONDS - began)) -lt 30 ] || fail "it took $((SECONDS - began)) s to say so"
answer=$(submit_timed "$(spec "$dir/a.raw" $dead/store/d.qcow2)") &&
        fail "a destination on a dead file system was accepted: $answer"
contains "$answer" "destination.path: $dead/store/d.qcow2: it does not answer" \
        "what is said of a dead destination"

# The one that was accepted before fails when its turn has come, and does not keep its slot.
cancel slow
wait_state late FAILED 60
contains "$(reason late)" "$dead/store/a.raw: it does not answer" "why it has failed"
wait_state other COMPLETED
same "$dir/a.raw" "$dir/c.qcow2" qcow2
equal "$(systemctl show -P NRestarts hyper-managerd.service)" 0 "restarts of the manager"

# Not even its end is held up by what hangs.
systemctl stop hyper-managerd.service
equal "$(systemctl show -P Result hyper-managerd.service)" success "how the manager has ended"
stop_serving "$dir/slow.sock"
systemctl stop test-dead.service
umount $dead
