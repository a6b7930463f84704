#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# debian-13: yes
#
# The units are sound, and systemd finds them well protected.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

# A service that a timer makes has a drop-in only; here it gets a file.
mkdir -p /run/systemd/system
echo '[Unit]' >/run/systemd/system/hyper-schedule-x.service
systemctl daemon-reload
systemd-analyze verify --man=no /lib/systemd/system/hyper*[!d] /run/systemd/system/hyper-schedule-x.service \
        2>"$dir/verify" || fail "systemd-analyze verify: $(cat "$dir/verify")"
equal "$(grep hyper "$dir/verify" || :)" "" "what systemd-analyze verify says"
for unit in $(cd /lib/systemd/system && echo hyper*.service) hyper-schedule-x.service; do
        score=$(systemd-analyze security --no-pager "$unit" |
                sed -n 's/.*Overall exposure level for .*: \([0-9.]*\) .*/\1/p')
        echo "$unit: $score"
        awk "BEGIN { exit !($score < 3.0) }" ||
                fail "$unit has an exposure of $score: $(systemd-analyze security --no-pager "$unit" |
                grep -v ✓)"
done
rm -r /run/systemd/system/hyper-schedule-x.service*
systemctl daemon-reload
equal "$(systemctl is-active hyper.socket hyper-worker.socket hyper-hosts.socket hyper-peers.socket |
        tr '\n' ' ')" "active active active active " "the sockets"
for f in /lib/systemd/system/hyper*.service /lib/systemd/system/hyper*.socket; do
        grep -q '^Documentation=' "$f" || fail "$f has no Documentation="
done
for user in hyper-api hyper-hosts hyper-vsphere hyper-carbon hyper-slurmd hyper-agent; do
        getent passwd $user >/dev/null || fail "sysusers has made no user $user"
done
for group in hyper-viewer hyper-operator hyper-admin; do
        getent group $group >/dev/null || fail "sysusers has made no group $group"
done
equal "$(ss -ltnH '( sport = :8080 or sport = :8000 or sport = :8890 )' | awk '{print $4}' | sort |
        tr '\n' ' ')" "127.0.0.1:8000 127.0.0.1:8080 127.0.0.1:8890 " "the addresses that are listened on"
