#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: libvirt
# timeout: 300
# slow: it waits for calls to hosts that hang, longer than a busy machine needs for those that do not
#
# hyper-hostd when hosts go away: libvirtd restarted, killed, stopped in the middle of a call; ssh cut;
# hyper-hostd itself killed. What hangs delays only itself, lists answer, and all of it comes back by itself.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=tests/system/lib/lib-libvirt.sh
. "$(dirname "$0")/../lib/lib-libvirt.sh"

mkdir -p /etc/hyper/config.d
echo 'hosts: {call_timeout: 10, allow_test: true}' >/etc/hyper/config.d/90-test.yaml
libvirt_up
define one
add_host qemu:///system here >/dev/null
add_host test:///default other >/dev/null
hostd_pid() { systemctl show -P MainPID hyper-hostd.service; }
get_info() { busctl --timeout=60 call org.hyper1.Hosts "/org/hyper1/hosts/$1" org.hyper1.Hosts.Host GetInfo; }
pid=$(hostd_pid)

# --- libvirtd restarted, killed ----------------------------------------------------------------------------
systemctl restart libvirtd.service
eventually 20 "the host is connected again after a restart of libvirtd" host_is here CONNECTED
define two
eventually 10 "a VM defined after that is seen" has_vm here two
# Neither systemd nor a connection brings it back before what follows has been looked at.
mkdir -p /run/systemd/system/libvirtd.service.d
printf '[Service]\nRestart=no\n' >/run/systemd/system/libvirtd.service.d/away.conf
systemctl daemon-reload
systemctl stop libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket
systemctl kill --kill-whom=main -s KILL libvirtd.service
eventually 20 "libvirtd is killed, which is seen" host_is here DISCONNECTED
contains "$(host_property here Error)" "broke" "why"
equal "$(vm_property here one State)" STOPPED "a VM of a host that is away"
error=$(vm_call here one Start 2>&1) && fail "a VM was started on a host that is away"
contains "$error" "not connected" "the error"
rm /run/systemd/system/libvirtd.service.d/away.conf
systemctl daemon-reload
systemctl reset-failed libvirtd.service
systemctl start libvirtd.service
eventually 90 "it is connected again" host_is here CONNECTED

# --- libvirtd stopped --------------------------------------------------------------------------------------
systemctl kill -s STOP libvirtd.service
get_info here >"$dir/answer" 2>&1 &
call=$!
# The other host answers while this one hangs, and so do lists.
for _ in 1 2 3 4 5 6 7 8 9 10; do
        begun=${EPOCHREALTIME/[.,]/}
        get_info other >/dev/null
        busctl -q call "${hosts[@]}" ListVms stt here 0 10
        [ $((${EPOCHREALTIME/[.,]/} - begun)) -lt 8000000 ] || fail "a host that hangs delays others"
done
# Nor do many requests over HTTP that wait for it.
http GET "$hosts_api/api/hosts" >/dev/null
seq 150 | xargs -P 150 -I{} curl -s -o /dev/null -w '%{http_code}\n' "$hosts_api/api/hosts/here/info" \
        >"$dir/statuses" &
many=$!
begun=${EPOCHREALTIME/[.,]/}
for _ in 1 2 3 4 5; do
        http GET "$hosts_api/api/hosts/other/info" >/dev/null
        equal "$(status)" 200 "the status of another host's figures"
done
[ $((${EPOCHREALTIME/[.,]/} - begun)) -lt 8000000 ] ||
        fail "requests for a host that hangs delay those for others"
kill -0 $call 2>/dev/null || fail "the call to a host that hangs was answered at once: $(cat "$dir/answer")"
wait $call && fail "a host that hangs has answered"
contains "$(cat "$dir/answer")" "did not answer within 10s" "the error"
host_is here DISCONNECTED || fail "a host that hangs counts as connected"
wait $many
equal "$(sort "$dir/statuses" | uniq -c | tr -s ' ')" " 150 503" \
        "the answers to requests for a host that hangs"
equal "$(vm_property here two State)" STOPPED "a VM of a host that hangs"
systemctl kill -s CONT libvirtd.service
eventually 90 "it is connected again after it hung" host_is here CONNECTED
get_info here >/dev/null

# --- ssh ---------------------------------------------------------------------------------------------------
error=$(add_host qemu+ssh://root@127.0.0.1/system remote 2>&1) &&
        fail "a machine whose key is not known was logged in to"
mkdir -p /root/.ssh
busctl --json=short get-property "${hosts[@]}" PublicKey | jq -r .data >>/root/.ssh/authorized_keys
ssh-keyscan 127.0.0.1 >>/etc/ssh/ssh_known_hosts 2>/dev/null
add_host qemu+ssh://root@127.0.0.1/system remote >/dev/null
equal "$(host_property remote Uri)" "qemu+ssh://***@127.0.0.1/system" "the URI that is shown"
has_vm remote one || fail "the VMs of a host over ssh are not there"
virsh -q undefine two
eventually 5 "what is gone is seen over ssh" has_no_vm remote two
# The session in the middle of a call
pkill -STOP -x sshd
get_info remote >"$dir/answer" 2>&1 && fail "a host whose ssh hangs has answered"
contains "$(cat "$dir/answer")" "did not answer within 10s" "the error"
host_is remote DISCONNECTED || fail "a host whose ssh hangs counts as connected"
get_info here >/dev/null || fail "ssh that hangs disturbs another host"
pkill -CONT -x sshd
eventually 120 "it is connected again over ssh" host_is remote CONNECTED
# The session is gone
pkill -KILL -f '^sshd: root' || fail "there is no session of ssh"
eventually 20 "the end of ssh is seen" host_is remote DISCONNECTED
eventually 60 "it is connected again over ssh" host_is remote CONNECTED

# --- hyper-hostd killed ------------------------------------------------------------------------------------
equal "$(hostd_pid)" "$pid" "the process of hyper-hostd, after all that"
systemctl kill --kill-whom=main -s KILL hyper-hostd.service
eventually 20 "it is started again" systemctl -q is-active hyper-hostd.service
for host in here other remote; do eventually 30 "$host is connected again" host_is $host CONNECTED; done
has_vm here one || fail "a VM was forgotten"
# Stopped and called again: it knows its hosts.
systemctl stop hyper-hostd.service
equal "$(sqlite3 -readonly /var/lib/hyper-hosts/hosts.db 'SELECT DISTINCT state FROM hosts')" DISCONNECTED \
        "the state of hosts while nobody looks"
eventually 30 "a call starts it again" host_is here CONNECTED

# --- a wrong configuration is told, not waited for ---------------------------------------------------------
systemctl stop hyper-hostd.service
echo 'hosts: {call_timeout: soon}' >/etc/hyper/config.d/90-test.yaml
error=$(busctl call "${hosts[@]}" ListHosts 2>&1) && fail "a wrong configuration was taken"
contains "$error" "hosts.call_timeout: must be" "the error"
rm /etc/hyper/config.d/90-test.yaml
eventually 20 "it works again when that is mended" busctl -q call "${hosts[@]}" ListHosts
systemctl stop hyper-hostd.service
mkdir "$dir/kept"
mv /var/lib/hyper-hosts/hosts.db* "$dir/kept/"
echo "this is no database, and it is longer than nothing" >/var/lib/hyper-hosts/hosts.db
error=$(busctl call "${hosts[@]}" ListHosts 2>&1) && fail "a file that is no database was taken"
contains "$error" "The database cannot be opened" "the error"
rm /var/lib/hyper-hosts/hosts.db
cp -p "$dir"/kept/* /var/lib/hyper-hosts/
eventually 20 "it works again when that is mended" has_vm here one
systemctl reset-failed
