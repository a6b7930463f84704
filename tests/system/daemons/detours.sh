#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# debian-13: yes
#
# The detours around faults of systemd that src/README.md lists are still necessary. If this fails with a newer
# systemd, the detour may be dropped there.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

version=$(systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
systemd=(org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager)
# start NAME PROPERTIES…: start a transient unit
start() { busctl -q call -- "${systemd[@]}" StartTransientUnit 'ssa(sv)a(sa(sv))' "$1" replace "${@:2}" 0; }
gone() { [ "$(systemctl show -P LoadState "$1")" = not-found ]; }
run_true=(ExecStart 'a(sasb)' 1 /usr/bin/true 1 true false)
run_sleep=(ExecStart 'a(sasb)' 1 /usr/bin/sleep 2 sleep infinity false)

# "+" in the command lines of transient units is lost in a daemon-reload by 252. What is bound is bound for
# them, too, so that nsenter(1) is required with any version.
mkdir "$dir/below" "$dir/above"
printf 'below\n' >"$dir/below/name"
printf 'above\n' >"$dir/above/name"
start test-plus.service 4 CollectMode s inactive-or-failed \
        BindPaths 'a(ssbt)' 1 "$dir/above" "$dir/below" false 0 "${run_sleep[@]}" \
        ExecStopPostEx 'a(sasas)' 1 /usr/bin/sh 3 sh -c "cat $dir/below/name >$dir/seen" 1 privileged
systemctl daemon-reload
systemctl stop test-plus.service
if [ "$version" -le 252 ]; then
        missing "$dir/seen"
else
        equal "$(<"$dir/seen")" above "what a command with + sees below a bound path"
fi

# The file of LogExtraFields= is left behind
start test-fields.service 3 CollectMode s inactive-or-failed LogExtraFields aay 1 3 65 61 66 "${run_true[@]}"
eventually 10 "the unit is gone" gone test-fields.service
exists /run/systemd/units/log-extra-fields:test-fields.service
rm /run/systemd/units/log-extra-fields:test-fields.service

# A transient timer cannot have Unit=
start test-timer.timer 2 TimersCalendar 'a(ss)' 1 OnCalendar 2099-01-01 Unit s dbus.service 2>"$dir/error" &&
        fail "a transient timer may have Unit="
contains "$(<"$dir/error")" "Unit" "the error"

# Binds of paths with ":" and "\" are lost in a daemon-reload
mkdir "$dir/q:\\x"
start test-binds.service 3 CollectMode s inactive-or-failed \
        BindPaths 'a(ssbt)' 1 "$dir/q:\\x" "$dir/q:\\x" true 0 "${run_sleep[@]}"
before=$(systemctl show -P BindPaths test-binds.service)
systemctl daemon-reload
[ "$(systemctl show -P BindPaths test-binds.service)" != "$before" ] || fail "the binds are kept"
systemctl stop test-binds.service

# LogRateLimitIntervalSec=0 leaves the limit of journald in force
systemd-run -q --wait --collect --unit=test-limit -p LogRateLimitIntervalSec=0 seq 1 200000
journalctl --sync
lines=$(journalctl -u test-limit.service -o cat | grep -c '^[0-9]*$')
[ "$lines" -lt 200000 ] || fail "nothing was suppressed with LogRateLimitIntervalSec=0"

# RestrictSUIDSGID= makes openat2(2) fail
equal "$(systemd-run -q --collect --wait --pipe -p RestrictSUIDSGID=yes python3 -c '
import ctypes
how = (ctypes.c_uint64 * 3)(0, 0, 0)
print(ctypes.CDLL(None).syscall(437, -100, b"/etc", ctypes.byref(how), 24))')" -1 "the result of openat2()"
