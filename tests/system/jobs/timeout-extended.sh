#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
# slow: 60 s is the shortest timeout_seconds, and the manager waits for another minute
#
# hyper-job run was taken over, and extends the time limit of its unit through the notification socket. The
# manager kills it all the same.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

raw_image "$dir/disk.raw" 8
program=/usr/libexec/hyper-job
mv "$program" "$program.real"
trap 'mv -f "$program.real" "$program"' EXIT
cat >"$program" <<'END'
#!/usr/bin/python3
import os, socket, sys, time

if sys.argv[1] != "run":
    os.execv("/usr/libexec/hyper-job.real", ["/usr/libexec/hyper-job.real"] + sys.argv[1:])
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
    while True:
        s.sendto(b"READY=1\nEXTEND_TIMEOUT_USEC=600000000\nSTATUS=Extending", os.environ["NOTIFY_SOCKET"])
        time.sleep(1)
END
chmod 755 "$program"

id=$(submit "$(spec "$dir/disk.raw" "$dir/disk.qcow2" '.execution_policy = {timeout_seconds: 60, retry_count: 0}')")
extending() { [ "$(systemctl show -P StatusText "$(unit "$id")")" = Extending ]; }
eventually 30 "the job has sent its message" extending
# systemd has let it have more time.
sleep_until() { [ "$SECONDS" -ge "$1" ]; }
eventually 100 "the limit of systemd is over" sleep_until $((SECONDS + 70))
extending || fail "systemd has ended the job: this does not test the manager"
wait_state "$id" FAILED 120
journalctl -u hyper-managerd --no-pager | grep -q "The unit of job $id should have ended, and runs; killing it" ||
        fail "the manager has not killed it"
missing "$dir/disk.qcow2"
eventually 40 "the unit is gone" unit_gone "$id"
