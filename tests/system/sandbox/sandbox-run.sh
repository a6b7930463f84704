#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# runs-on: host
# timeout: 300
#
# hyper-job run itself was taken over (sandbox-run-attack.c in its place), in each kind of job, while another
# job runs: it has what the lists below allow it, and nothing else. It cannot see, signal or trace the other
# job, or daemons, or change what was planned. And no daemon's user namespace belongs to a user that a job can
# have.

# shellcheck source=tests/system/lib/host.sh
. "$(dirname "$0")/../lib/host.sh"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
gcc -O1 -static -o "$scratch/attack" "$(dirname "$0")/sandbox-run-attack.c"
inside sh -c 'cat >/root/attack && chmod 755 /root/attack' <"$scratch/attack"

# shellcheck disable=SC2016 # for the inner shell
lib '
list=/usr/lib/hyper-tests/attack-list
raw_image "$dir/disk.raw" 16
qemu-img convert -O vmdk "$dir/disk.raw" "$dir/disk.vmdk"
chmod 600 "$dir/disk.vmdk"
mkdir "$dir/out"
truncate -s 16M "$dir/out.raw"
echo secret >/srv/secret
secret=$(head -c 32 /dev/urandom | od -An -tx1 | tr -d " \n")
echo "alice:$secret" >"$dir/keys.psk"
serve "$dir/in.sock" -r file "$dir/disk.raw"
serve "$dir/other.sock" -r file "$dir/disk.raw"
serve "$dir/tls.sock" --tls=require --tls-psk="$dir/keys.psk" file "$dir/out.raw"
systemd-run -q --collect --unit=test-nbd-tcp nbdkit -f -p 10809 -r file "$dir/disk.raw"
eventually 10 "the server on port 10809 listens" listens 10809
systemd-run -q --collect --unit=test-abstract nc -lkuU "@hyper-test"

# The other job: it reads a server with a key of its own, and has a qemu-nbd
cp "$dir/keys.psk" "$dir/victim.psk"
head -c 96M /dev/urandom >"$dir/victim.raw"
serve "$dir/victim.sock" --tls=require --tls-psk="$dir/victim.psk" --filter=rate file "$dir/victim.raw" rate=8M
submit "$(spec "nbds+unix://alice@/?socket=$dir/victim.sock" "$dir/out/victim.vmdk" ".job_id = \"victim\" | .source.tls_psk = \"alice:$secret\"")" >/dev/null
wait_bytes victim 1
victim=$(systemctl show -P MainPID "$(unit victim)")
victim_uid=$(stat -c %u "/proc/$victim")
[ "$victim_uid" -ge 61184 ] && [ "$victim_uid" -le 65519 ] || fail "the user of a job is $victim_uid"
victim_part=$(find "$dir/out" -name "*.hyper-part")
[ -n "$victim_part" ] || fail "the other job has no part directory"
for path in "$victim_part/image" "$victim_part/lock" /var/lib/hyper/jobs/victim/job.json "/run/credentials/$(unit victim)/source.tls_psk"; do
        exists "$path"
done
# shared memory that everybody may write
python3 -c "import ctypes, sys; sys.exit(ctypes.CDLL(None).shmget(0x4711, 4096, 0o1666) < 0)"

mv /usr/libexec/hyper-job /usr/libexec/hyper-job.real
cp /root/attack /usr/libexec/hyper-job

# What no job may
never() {
        local path
        for path in /etc/shadow /etc/passwd /etc/machine-id /etc/hyper/config.yaml /etc/ssl/private /var/lib/hyper/hyper.db /srv/secret \
                /proc/1/environ /proc/1/root/etc/shadow /proc/kallsyms /proc/kcore /dev/mem /dev/kmsg /dev/loop-control /dev/net/tun \
                "$dir/keys.psk" /var/lib/hyper/jobs/victim/job.json "/run/credentials/$(unit victim)/source.tls_psk" \
                "$victim_part/image" "$victim_part/lock" "/proc/$victim/status"; do
                echo "-r $path"
        done
        for path in /root /home /var/lib/hyper/credentials /var/lib/hyper/jobs/victim "$victim_part" /run/systemd/units /tmp /var/tmp /dev/shm \
                /dev/mqueue /dev/disk; do
                echo "-e $path"
        done
        for path in / /usr /usr/libexec /etc /tmp /var/tmp /dev /dev/shm /run/credentials /root /srv "$dir" "$dir/out" \
                /var/lib/hyper /var/lib/hyper/jobs/victim "$victim_part" /sys/fs/cgroup; do
                echo "-c $path"
        done
        for path in /usr/bin/true /usr/libexec/hyper-job /proc/sysrq-trigger /proc/sys/kernel/core_pattern /sys/fs/cgroup/cgroup.procs; do
                echo "-w $path"
        done
        for path in /run/dbus/system_bus_socket /run/systemd/private /run/systemd/journal/stdout /run/systemd/journal/dev-log \
                /run/systemd/journal/io.systemd.journal /run/systemd/io.system.ManagedOOM /run/systemd/userdb/io.systemd.DynamicUser \
                /run/udev/control /run/hyper/api.sock /run/libvirt/libvirt-sock "$dir/other.sock" "$dir/victim.sock"; do
                echo "-s $path"
        done
}
# What each job may, and may not, with the files it was given. Results are hostile to all that read them.
own() {
        local directory=/var/lib/hyper/jobs/$1
        echo "+r $directory/job.json"
        echo "+s /run/systemd/journal/socket"
        echo "+c /run"
        for file in job.json published cancelled ending; do echo "-w $directory/$file"; done
        echo "-c $directory"
        echo "-x $directory/job.json"
        echo "-m $directory/job.json"
        echo "-m $directory/results"
        echo "+c $directory/results"
}
local_only() { printf "%s\n" "-t 8080" "-t 22" "-t 10809" "-a hyper-test"; }
# The network, where the API knows it for a user without a role. Abstract sockets belong to the network.
network() { printf "%s\n" "+t 10809" "+t 8080" "-h 8080" "-h 8000" "+a hyper-test"; }
source_file() { printf "%s\n" "+r $1" "-w $1" "-x $1" "-m $1"; }
destination_file() { printf "%s\n" "+c $1" "-m $1" "-l /usr/bin/true"; }
n=0
# attacked KIND SOURCE DESTINATION JQ-PROGRAM: with the list of what is more than the above on standard input
attacked() {
        local id=attacked$n said uid
        n=$((n + 1))
        { never; own "$id"; cat; } >"$list"
        submit "$(spec "$2" "$3" ".job_id = \"$id\" | .execution_policy.retry_count = 0 | ${4:-.}")" >/dev/null
        wait_state "$id" FAILED
        said=$(journalctl -q --no-pager -o cat HYPER_JOB_ID="$id" --grep="^attack:")
        echo "$1: $said; then: $(reason "$id")"
        contains "$said" "attack: as promised" "$1"
        uid=$(sed -n "s/^attack: uid //p" <<<"$said")
        [ "$uid" -ge 61184 ] && [ "$uid" -le 65519 ] && [ "$uid" != "$victim_uid" ] || fail "$1: its user is $uid, that of another job $victim_uid"
        equal "$(systemctl show -P MainPID "$(unit victim)") $(state victim)" "$victim RUNNING" "the other job"
}
part() { echo "$dir/out/.$1.hyper-part"; }
attacked "file to file" "$dir/disk.vmdk" "$dir/out/a.qcow2" < <(local_only; source_file "$dir/disk.vmdk"; destination_file "$(part a.qcow2)")
attacked "NBD over UNIX to a file" "$(nbd_uri "$dir/in.sock")" "$dir/out/b.vmdk" < <(local_only; echo "-r $dir/disk.vmdk"
        echo "+s $dir/in.sock"; destination_file "$(part b.vmdk)")
attacked "NBD over TCP to a file" nbd://127.0.0.1:10809 "$dir/out/c.vmdk" < <(network; destination_file "$(part c.vmdk)")
attacked "file to NBD with a key" "$dir/disk.vmdk" "nbds+unix://alice@/?socket=$dir/tls.sock" ".destination.tls_psk = \"alice:$secret\"" < <(
        local_only; source_file "$dir/disk.vmdk"; echo "+s $dir/tls.sock"
        echo "+r /run/credentials/$(unit attacked3)/destination.tls_psk"; echo "-w /run/credentials/$(unit attacked3)/destination.tls_psk")
for id in a.qcow2 b.vmdk c.vmdk; do missing "$dir/out/$id"; done
# What else a job left in its part directory stays there, out of reach of users that get the same number later
equal "$(find "$dir/out" -name "*.hyper-part" ! -path "$victim_part" -printf "%u %m\n" | sort -u)" "root 700" "the part directories that are left"

# Block devices. There is no udev here, so the nodes are made.
devices=()
attach() {
        [ -e /dev/loop-control ] || mknod /dev/loop-control c 10 237 || return
        local i device
        for i in 1 2 3 4 5 6 7 8; do
                device=$(losetup -f) || return
                [ -e "$device" ] || mknod "$device" b 7 "${device#/dev/loop}" || return
                losetup "$device" "$1" || continue # another machine was faster
                devices+=("$device")
                return 0
        done
        return 1
}
cp --sparse=always "$dir/disk.raw" "$dir/device.raw"
if attach "$dir/device.raw" && attach "$dir/out.raw"; then
        attacked "a block device to a file" "${devices[0]}" "$dir/out/d.vmdk" ".source.format = \"raw\"" < <(local_only
                printf "%s\n" "+r ${devices[0]}" "-w ${devices[0]}" "-r ${devices[1]}"; destination_file "$(part d.vmdk)")
        attacked "file to a block device" "$dir/disk.vmdk" "${devices[1]}" ".destination.format = \"raw\"" < <(local_only
                source_file "$dir/disk.vmdk"; printf "%s\n" "+r ${devices[1]}" "+w ${devices[1]}" "-r ${devices[0]}")
else
        echo "no loop devices can be had here: jobs with block devices are left out"
fi
for device in "${devices[@]}"; do losetup -d "$device"; done
mv /usr/libexec/hyper-job.real /usr/libexec/hyper-job
cancel victim
wait_state victim CANCELLED
eventually 30 "the unit of the other job is gone" unit_gone victim

# Who may do all in the user namespaces of daemons
http GET "$api/health" >/dev/null
systemctl start hyper-hostd.service
receiver 9001
hook "{\"url\":\"http://127.0.0.1:9001/\",\"events\":[\"job.submitted\"]}" >/dev/null
quick_job hooked
eventually 30 "the webhook was delivered" has_seen 9001 1
for unit in hyper hyper-hostd hyper-notifyd hyper-managerd; do
        pid=$(systemctl show -P MainPID "$unit")
        [ "$pid" -gt 0 ] || fail "$unit does not run"
        # NS_GET_OWNER_UID, ioctl_ns(2)
        owner=$(python3 -c "
import fcntl, struct, sys
print(struct.unpack(\"I\", fcntl.ioctl(open(sys.argv[1]), 0xb704, b\"....\"))[0])" "/proc/$pid/ns/user")
        private=$([ "$(readlink "/proc/$pid/ns/user")" = "$(readlink /proc/1/ns/user)" ] && echo "the machine'"'"'s" || echo "its own")
        echo "$unit: user namespace: $private, of user $owner"
        equal "$owner" 0 "the user whose the user namespace of $unit is"
done
wait_state hooked COMPLETED
receiver_down 9001
for socket in in other tls victim; do stop_serving "$dir/$socket.sock"; done
systemctl stop test-nbd-tcp
systemctl stop test-abstract
ipcrm -M 0x4711
rm -rf "$dir" /srv/secret "$list"
'
