#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: libvirt
#
# hyperctl -H over a real ssh and sshd: what it does there, who it is there, and what becomes of a
# connection that is lost.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

here=$(dirname "$0")/../lib
export HOME=/root
install -d -m 0700 /root/.ssh
ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
cat /root/.ssh/id_ed25519.pub >>/root/.ssh/authorized_keys
useradd --create-home --groups hyper-viewer --shell /bin/bash alice
install -d -m 0700 -o alice -g alice /home/alice/.ssh
install -m 0600 -o alice -g alice /root/.ssh/id_ed25519.pub /home/alice/.ssh/authorized_keys
echo root:the-password | chpasswd
raw_image "$dir/disk.raw" 16

# exits STATUS COMMAND…
exits() {
        local expected=$1 status=0
        shift
        timeout 60 "$@" >"$dir/out" 2>&1 </dev/null || status=$?
        equal "$status" "$expected" "the exit status of '$*', which said '$(tail -n 3 "$dir/out")',"
}

# A machine whose key is not known is not trusted, and one that does not answer is named with a remedy.
exits 8 hyperctl -H root@127.0.0.1 list
contains "$(cat "$dir/out")" "(root@127.0.0.1) failed" "the error"
ssh-keyscan 127.0.0.1 >/root/.ssh/known_hosts 2>/dev/null
exits 8 hyperctl -H root@127.0.0.1:1 list
contains "$(cat "$dir/out")" 'Check that "ssh HOST systemd-stdio-bridge" works' "the error"

exits 0 hyperctl -H root@127.0.0.1 submit --wait --id=over-ssh "$dir/disk.raw" "$dir/over-ssh.qcow2"
contains "$(cat "$dir/out")" "COMPLETED" "what was shown"
same "$dir/disk.raw" "$dir/over-ssh.qcow2" qcow2
contains "$(hyperctl -H root@127.0.0.1 list --no-legend)" over-ssh "the list of the other machine"
contains "$(hyperctl -H root@127.0.0.1 status over-ssh)" "$dir/over-ssh.qcow2" "the status"
equal "$(hyperctl -H root@127.0.0.1:22 logs over-ssh)" "$(hyperctl logs over-ssh)" \
        "the log of the other machine"
exits 5 hyperctl -H root@127.0.0.1 status nobody
exits 3 hyperctl -H root@127.0.0.1 submit --wait --checksum="sha256:$(printf '0%.0s' {1..64})" \
        "$dir/disk.raw" "$dir/wrong.qcow2"
contains "$(cat "$dir/out")" "Copy the source here again" "the next step"
# A path is one of the other machine: a relative one is refused.
exits 2 hyperctl -H root@127.0.0.1 submit disk.raw "$dir/relative.qcow2"

# There one has the role of the user that one logs in as.
exits 0 hyperctl -H alice@127.0.0.1 list
exits 7 hyperctl -H alice@127.0.0.1 submit "$dir/disk.raw" "$dir/alice.qcow2"
missing "$dir/alice.qcow2"
# In a session over ssh polkit asks at the terminal.
python3 "$here/type-password.py" root '' the-password ssh -tt alice@127.0.0.1 \
        hyperctl submit --id=asked "$dir/disk.raw" "$dir/asked.qcow2" >"$dir/shown" ||
        fail "status $?: $(cat "$dir/shown")"
contains "$(cat "$dir/shown")" "AUTHENTICATION COMPLETE" "the terminal"
wait_state asked COMPLETED

# A connection that is cut while a job is watched is made anew.
serve "$dir/slow.sock" --filter=rate file "$dir/disk.raw" rate=16M
hyperctl submit --id=slow "$(nbd_uri "$dir/slow.sock")" "$dir/slow.raw"
wait_bytes slow 1
hyperctl -H root@127.0.0.1 watch slow >"$dir/watched" 2>&1 &
watcher=$!
eventually 20 "the watch sees the job" grep -q RUNNING "$dir/watched"
pkill -KILL -f '^sshd: root' || fail "there is no session of ssh"
wait "$watcher" || fail "the watch over a connection that was cut: status $?: $(cat "$dir/watched")"
contains "$(tail -n 1 "$dir/watched")" COMPLETED "what the watch said last"
stop_serving "$dir/slow.sock"
