#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# debian-13: yes
# timeout: 240
#
# What a running job's namespace holds: its source, its destination, the programs, and no network. An image
# that made it through the inspection still could not reach anything.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

head -c 256M /dev/urandom >"$dir/disk.raw"
mkdir "$dir/out"
echo "beside the source" >"$dir/other.raw"
echo "beside the destination" >"$dir/out/other.raw"
id=$(submit "$(spec "$dir/disk.raw" "$dir/out/disk.qcow2" '.parameters.compress = true')")
wait_bytes "$id" 1
unit=$(unit "$id")
systemctl kill -s STOP "$unit"
trap 'systemctl kill -s CONT "$unit"; rm -rf "$dir"' EXIT
pid=$(systemctl show -P MainPID "$unit")
inside() { nsenter -t "$pid" -m -r -w "$@"; }

inside /usr/bin/test -r "$dir/disk.raw" || fail "the job does not see its source"
for path in "$dir/other.raw" "$dir/out/other.raw" /etc/shadow /etc/passwd /var/lib/hyper/hyper.db \
        /run/dbus/system_bus_socket /run/hyper /srv/../etc/hostname; do
        inside /usr/bin/test -e "$path" && fail "the job sees $path"
done
for path in /root /home; do equal "$(inside /usr/bin/find "$path" -mindepth 1 2>/dev/null || :)" "" \
        "what the job sees in $path"; done
for path in "$dir/disk.raw" "$dir/new" "$dir/out/new" /usr/new /new; do
        inside /usr/bin/touch "$path" 2>/dev/null && fail "the job may write $path"
done
writable=$(awk '$6 ~ /^rw/ {print $5}' "/proc/$pid/mountinfo" | grep -vE '^/(dev|proc)(/|$)' | sed 's/\\134/\\/g' | sort |
        tr '\n' ' ')
equal "$writable" "/run $dir/out/.disk.qcow2.hyper-part /var/lib/hyper/jobs/$(systemd-escape "$id")/results " \
        "what the job may write to"
equal "$(inside /usr/bin/find /proc -mindepth 1 -maxdepth 1 -name '[a-z]*' ! -name '*self' | tr '\n' ' ')" "" \
        "what it sees in /proc, besides processes"
equal "$(nsenter -t "$pid" -n ip -o link | cut -d: -f2 | tr -d ' ' | tr '\n' ' ')" "lo " \
        "its network interfaces"
equal "$(nsenter -t "$pid" -n ip route)" "" "its routes"
lacks "$(inside /usr/bin/find /dev -type b)" /dev "the block devices it sees"

# The second defence alone: an image that the inspection would have refused, put where the job may read it
part=$(find "$dir/out" -name '*.hyper-part' -type d)
[ -n "$part" ] || fail "no unfinished output is there"
qemu-img create -q -u -f qcow2 -b /etc/shadow -F raw "$part/evil.qcow2" 1M
error=$(inside /usr/bin/qemu-img convert -O raw "$part/evil.qcow2" "$part/stolen.raw" 2>&1) &&
        fail "/etc/shadow could be read from inside the job's namespace"
contains "$error" "/etc/shadow" "the error"
qemu-img create -q -u -f qcow2 -b "$dir/out/other.raw" -F raw "$part/evil.qcow2" 1M
inside /usr/bin/qemu-img convert -O raw "$part/evil.qcow2" "$part/stolen.raw" 2>/dev/null &&
        fail "a file beside the destination could be read from inside the job's namespace"
rm -f "$part/evil.qcow2" "$part/stolen.raw"

grep -q '^NoNewPrivs:[[:space:]]*1' "/proc/$pid/status" || fail "the job may gain privileges"
equal "$(systemctl show -P ProtectSystem "$unit")$(systemctl show -P PrivateNetwork "$unit")" \
        "$(systemctl show -P ProtectSystem "$unit")yes" "PrivateNetwork="
capabilities=$(sed -n 's/^CapEff:[[:space:]]*//p' "/proc/$pid/status")
echo "Its capabilities: $capabilities; exposure: $(systemd-analyze security --no-pager "$unit" | tail -n 1)"
for bit in 21 12 16 19 22; do # SYS_ADMIN, NET_ADMIN, SYS_MODULE, SYS_PTRACE, SYS_BOOT
        [ $(((0x$capabilities >> bit) & 1)) -eq 0 ] || fail "the job has capability number $bit"
done

systemctl kill -s CONT "$unit"
trap 'rm -rf "$dir"' EXIT
wait_state "$id" COMPLETED 120
same "$dir/disk.raw" "$dir/out/disk.qcow2" qcow2
file=/run/systemd/units/log-extra-fields:$unit
[ ! -e "$file" ] || fail "$file was left behind"
