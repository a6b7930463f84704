#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# vcsim: yes
#
# VMs of a vCenter over HTTP and with hyperctl: named sources and their passwords, certificates, pages, power,
# CD-ROMs, a server that hangs, roles, and what hyper-vsphered leaves behind when it has ended.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=tests/system/lib/lib-vcsim.sh
. "$(dirname "$0")/../lib/lib-vcsim.sh"
# shellcheck source=tests/system/lib/lib-v1.sh
. "$(dirname "$0")/../lib/lib-v1.sh"

settings 'daemon: {idle_timeout: 5}'
cat >"$dir/inventory.json" <<'EOF'
{"vms": [{"name": "a%2fb %25+é& c", "directory": "odd", "dir": "odd+é& d", "power": "on", "tools": "running",
          "cdrom": "[LocalDS_0] iso/tools.iso", "disks": [{"size": "1M"}], "nics": [{}]},
         {"name": "web-server-1", "directory": "production", "power": "off", "disks": [{"size": "1M"}]}]}
EOF
vcsim_password='Zwetschge %&+1'
vcsim_start -inventory "$dir/inventory.json" -vm 20 -password "$vcsim_password"
path='DC0/vm/odd/a%2fb %25+é& c'

# --- named sources -----------------------------------------------------------------------------------------

printf '%s\n' "$vcsim_password" >"$dir/password"
hyperctl source add vc1 "$vcsim_url" --user="$vcsim_user" --ca="$vcsim_ca" --password-file="$dir/password" ||
        fail "the source is not added"
hyperctl source add vc1 "$vcsim_url" --user=x <"$dir/password" 2>"$dir/error" && fail "two have one name"
contains "$(cat "$dir/error")" "exists already" "the error"
equal "$(hyperctl source list --no-legend | awk '{print $1, $2, $4, $6}')" "vc1 vsphere $vcsim_user ca" \
        "the list"
lacks "$(http GET "$api/sources")" "$vcsim_password" "the list over HTTP"
contains "$(hyperctl source test vc1)" "VMware" "the server"
equal "$(find /var/lib/hyper/credentials -name 'source-*' | wc -l)" 1 "the secrets"
grep -rlF "$vcsim_password" /var/lib/hyper && fail "the password is stored as it is"

# A certificate that is not trusted: the error has the thumbprint, with which it is.
hyperctl source add vc2 "$vcsim_url" --user="$vcsim_user" <"$dir/password" || fail "the source is not added"
hyperctl source test vc2 2>"$dir/error" && fail "any certificate is accepted"
contains "$(cat "$dir/error")" "$vcsim_thumbprint" "the error"
hyperctl source rm vc2
shown=$(grep -oE '([0-9A-F]{2}:){31}[0-9A-F]{2}' "$dir/error")
hyperctl source add vc2 "$vcsim_url" --user="$vcsim_user" --thumbprint="$shown" <"$dir/password" ||
        fail "the source is not added"
hyperctl source test vc2 >/dev/null || fail "the thumbprint is not accepted"

# --- discovery ---------------------------------------------------------------------------------------------

answer=$(http GET "$api/vms/list?source=vc1")
total=$(jq .total <<<"$answer")
[ "$total" -ge 41 ] || fail "only $total VMs: $answer"
equal "$(jq '.vms | length' <<<"$answer")" "$total" "the VMs of one page"
paths=$(jq -r '.vms[].path' <<<"$answer")
contains "$paths" "$path" "the paths"
cursor='' all=''
while :; do
        answer=$(http GET "$api/vms/list" '' -G -d source=vc1 -d limit=7 --data-urlencode "cursor=$cursor")
        all+=$(jq -r '.vms[].path' <<<"$answer")$'\n'
        cursor=$(jq -r '.next_cursor // ""' <<<"$answer")
        [ -n "$cursor" ] || break
done
equal "$all" "$paths"$'\n' "the pages"
equal "$(hyperctl vsphere list vc1 --json=short | jq -r '.[].path')" "$paths" "the list of hyperctl"

# The published forms, with the credentials of the client
own=(-G --data-urlencode "vcenter_url=$vcsim_url" --data-urlencode "thumbprint=$vcsim_thumbprint"
        --data-urlencode "vm_path=$path")
answer=$(http GET "$api/vms/info" '' "${own[@]}" --data-urlencode "username=$vcsim_user" \
        --data-urlencode "password=$vcsim_password")
equal "$(jq -r '.path, .disks[0].capacity_kb, .hardware.num_virtual_disks' <<<"$answer" | tr '\n' '|')" \
        "$path|1024|1|" "the VM; $answer"
grep -qi '^cache-control: no-store' "$dir/headers" || fail "the answer may be cached"
body=$(jq -cn --arg u "$vcsim_url" --arg n "$vcsim_user" --arg p "$vcsim_password" --arg v "$path" \
        --arg t "$vcsim_thumbprint" '{vcenter_url: $u, username: $n, password: $p, thumbprint: $t, vm_path: $v}')
equal "$(http POST "$api/vms/remove-cdrom" "$body" | jq -r .message)" "CD-ROM devices removed" "the answer"
equal "$(http POST "$api/vms/info" "$body" | jq -c .cdroms)" "[]" "the CD-ROMs"
equal "$(http GET "$api/vms/info" '' "${own[@]}" -u "$vcsim_user:$vcsim_password" | jq -r .path)" "$path" \
        "the VM with Authorization: Basic"
equal "$(http POST "$api/vms/shutdown" "$body" | jq -r .message)" "VM shutdown initiated" "the answer"
off() { [ "$(http POST "$api/vms/info" "$body" | jq -r .power_state)" = poweredOff ]; }
eventually 20 "the VM is off" off
hyperctl vsphere poweroff vc1 DC0_H0_VM0 || fail "the VM is not powered off"
equal "$(hyperctl vsphere show vc1 DC0_H0_VM0 --json=short | jq -r .power_state)" poweredOff "the other VM"
wrong=$(jq -c '.password = "not-the-password"' <<<"$body")
contains "$(http POST "$api/vms/info" "$wrong")" "Server" "the answer to a wrong password"
equal "$(status)" 400 "the status for a wrong password"
http POST "$api/vms/info" "$(jq -c '.vm_path = "nowhere"' <<<"$body")" >/dev/null
equal "$(status)" 404 "the status for no such VM"
http GET "$api/vms/list?source=nobody" >/dev/null
equal "$(status)" 404 "the status for no such source"

# --- the examples of hyper-vsphered(8) ---------------------------------------------------------------------

zcat -f /usr/share/man/man8/hyper-vsphered.8* | awk '/^\.\\" vsphere example/ { marked = 1 }
        /^\.Ed/ { inside = marked = 0 }
        inside
        /^\.Bd -literal/ && marked { inside = 1 }' | sed -e 's/\\-/-/g' -e "s|vcenter.example.com|$vcsim_url|" \
        -e "s|vcenter.pem|$vcsim_ca|" -e 's|Datacenter|DC0|' -e 's|vc1|example|' >"$dir/examples"
equal "$(wc -l <"$dir/examples")" 6 "the lines of the examples"
bash -euo pipefail "$dir/examples" <"$dir/password" >"$dir/shown" || fail "an example does not work: $(cat "$dir/shown")"
contains "$(cat "$dir/shown")" "web-server-1" "what the examples print"
exists /srv/web-server-1.qcow2
rm /srv/web-server-1.qcow2
hyperctl source rm example

# --- the same in the v1 API --------------------------------------------------------------------------------

v1_up
answer=$(published <<'EOF'
curl -sk -H "Authorization: Bearer TOKEN" \
"https://your-server:5080/api/v1/vms/list?provider=vsphere&limit=5"
EOF
)
equal "$(jq -c '[(.data | length), .pagination.offset, .pagination.limit, .pagination.has_more]' <<<"$answer")" \
        '[5,0,5,true]' "the page; $answer"
equal "$(jq '[.data[] | select(.provider == "vsphere" and .cpu and .memory_mb and .disks[0].size_gb and
        .power_state and .last_seen)] | length' <<<"$answer")" 5 "the VMs; $answer"
equal "$(published <<'EOF' | jq -c '[(.data | length), .pagination.total]'
curl -sk -H "Authorization: Bearer TOKEN" \
"https://your-server:5080/api/v1/vms/list?search=prod-db&os=linux"
EOF
)" '[0,0]' "a search"
equal "$(v1 GET "/vms/list?provider=vc1&search=web-server" | jq -c '[.data[] | [.name, .provider_id, .status]]')" \
        '[["web-server-1","vc1","stopped"]]' "the VM"
equal "$(v1 POST /vms/browse '{"provider_id": "vc1", "vm": "DC0/vm/production/web-server-1"}' |
        jq -c '[.name, .disks[0].size_bytes, .migration.supported]')" '["web-server-1",1048576,true]' "the VM"
equal "$(v1 POST /vms/compare '{"source": {"provider": "vc1", "vm": "DC0_H0_VM0"}, "ignore": ["mac", "name"],
        "target": {"provider": "vc1", "vm": "DC0_H0_VM1"}}' | jq .summary.different)" 0 "the differences"
body=$(jq -cn --arg e "$vcsim_url" --arg u "$vcsim_user" --arg p "$vcsim_password" \
        '{provider: "vsphere", id: "vc-v1", endpoint: $e, username: $u, password: $p}')
equal "$(v1 POST /providers/connect "$body" | jq -r .fingerprint)" "$vcsim_thumbprint" "the fingerprint"
equal "$(v1_status)" 400 "the status for an unknown certificate"
v1 POST /providers/connect "$(jq -c '.insecure = true | .password = "not-the-password"' <<<"$body")" >/dev/null
equal "$(v1_status)" 400 "the status for a wrong password"
equal "$(v1 POST /providers/connect "$(jq -c --arg f "$vcsim_thumbprint" '.fingerprint = $f' <<<"$body")" |
        jq -c '[.id, .status]')" '["vc-v1","connected"]' "the provider"
equal "$(v1_status)" 201 "the status of a new provider"
equal "$(v1 GET "/providers?provider=vsphere&status=connected" | jq -c '[.data[].id]')" \
        '["vc-v1","vc1","vc2"]' "the providers"
equal "$(v1 GET /readiness | jq -r '.checks[] | select(.name == "manager") | .status')" ok "the readiness"
equal "$(v1 GET /system/health | jq -c '.memory.percent > 0 and .cpu.load[0] >= 0')" true "the health"
equal "$(v1 GET /system/alerts | jq .pagination.offset)" 0 "the alerts"
equal "$(hyperctl provider list --json=short | jq -c '[.[].id]')" '["vc-v1","vc1","vc2"]' "the providers"
contains "$(hyperctl provider test vc-v1)" VMware "the server"
lacks "$(v1 GET /providers)" "$vcsim_password" "the providers"
hyperctl provider add example "$vcsim_url" --user="$vcsim_user" --password-file="$dir/password" ||
        fail "the provider is not added"
hyperctl provider rm example || fail "the provider is not removed"
v1 DELETE /providers/vc-v1 >/dev/null
equal "$(v1_status)" 200 "the status of a removal"

# --- a server that hangs, and clients that do not wait -----------------------------------------------------

vcsim_fault '{"on": "sdk", "method": "RetrievePropertiesEx", "kind": "delay", "delay_ms": 600000}'
timeout 2 hyperctl vsphere list vc2 && fail "the server hangs, but there is a list"
vcsim_no_faults
first_control=$vcsim_control first_pid=$vcsim_pid
vcsim_fault '{"on": "sdk", "method": "CreateContainerView", "kind": "delay", "delay_ms": 600000}'
views=$(vcsim_calls CreateContainerView)
hyperctl vsphere list vc1 >/dev/null 2>&1 &
hanging=$!
hangs() { [ "$(vcsim_calls CreateContainerView)" -gt "$views" ]; }
eventually 10 "the call has come" hangs
mkdir -p "$dir/other"
dir=$dir/other vcsim_start -password "$vcsim_password"
hyperctl source add vc3 "$vcsim_url" --user="$vcsim_user" --thumbprint="$vcsim_thumbprint" <"$dir/password" ||
        fail "the source is not added"
hyperctl vsphere list vc3 >/dev/null || fail "another server cannot be listed"
kill -0 $hanging || fail "the call to the server that hangs has ended"
kill $hanging
second_control=$vcsim_control vcsim_control=$first_control
vcsim_no_faults
hyperctl vsphere list vc1 >/dev/null || fail "the server that did hang cannot be listed"

# The call of an HTTP client that has gone away ends at once, so that the next one need not wait for it.
vcsim_fault '{"on": "sdk", "method": "CreateContainerView", "kind": "delay", "delay_ms": 600000, "count": 1}'
views=$(vcsim_calls CreateContainerView)
curl -s "$api/vms/list?source=vc1" >/dev/null &
hanging=$!
eventually 10 "the call has come" hangs
kill $hanging
timeout 30 hyperctl vsphere list vc1 >/dev/null || fail "the call of a client that is gone goes on"
equal "$(curl -s "$api/metrics" | awk '$1 == "hyper_vsphere_sessions{of=\"hyper-vsphered\"}" { print $2 }')" \
        "$(busctl get-property org.hyper1.VSphere /org/hyper1/vsphere org.hyper1.VSphere Sessions | cut -d' ' -f2)" \
        "the sessions among the metrics"

# The session of a daemon that is killed is ended by the next process.
[ "$(vcsim_sessions)" -gt 0 ] || fail "no session is open"
systemctl kill -s KILL hyper-vsphered
no_session() { [ "$(vcsim_sessions)" = 0 ]; }
eventually 30 "the session has ended" no_session

# --- roles -------------------------------------------------------------------------------------------------

as hyper-viewer hyperctl vsphere list vc1 >/dev/null || fail "a viewer may not list a named source"
as hyper-viewer hyperctl --no-ask-password vsphere poweroff vc1 DC0_H0_VM1 2>"$dir/error" &&
        fail "a viewer may power off"
usermod -aG hyper-operator nobody
as hyper-operator hyperctl vsphere poweroff vc1 DC0_H0_VM1 || fail "an operator may not power off"
as hyper-operator hyperctl --no-ask-password source rm vc1 2>"$dir/error" &&
        fail "an operator may remove sources"
contains "$(cat "$dir/error")" "hyper-admin" "the error"
busctl call org.hyper1 /org/hyper1 org.hyper1.Sources GetLogin s vc1 >/dev/null || fail "root is refused"
for user in hyper-api hyper-notify hyper-hosts; do
        setpriv --reuid=$user --regid=$user --clear-groups busctl call org.hyper1 /org/hyper1 \
                org.hyper1.Sources GetLogin s vc1 2>/dev/null && fail "$user gets the password"
done

# --- what is left ------------------------------------------------------------------------------------------

rss=$(awk '/^VmHWM/ {print $2}' "/proc/$(systemctl show -P MainPID hyper-vsphered)/status")
[ "$rss" -lt 65536 ] || fail "hyper-vsphered has used $rss KiB"
systemctl stop hyper-vsphered
equal "$(vcsim_sessions)" 0 "the sessions of the first server"
vcsim_control=$second_control
equal "$(vcsim_sessions)" 0 "the sessions of the second server"
for word in "$vcsim_password" not-the-password; do
        journalctl --no-pager -o export | grep -aF "$word" | grep -v _CMDLINE | head -n 3 | grep . &&
                fail "the journal has a password"
done
hyperctl source rm vc1 vc2 vc3
equal "$(find /var/lib/hyper/credentials -name 'source-*' | wc -l)" 0 "the secrets of removed sources"
hyperctl vsphere list vc1 2>"$dir/error" && fail "a source that was removed is still there"
contains "$(cat "$dir/error")" "no source" "the error"
idle() { [ "$(systemctl is-active hyper-vsphered)" = inactive ]; }
eventually 30 "hyper-vsphered has ended" idle
equal "$(curl -s "$api/metrics" | awk '$1 == "hyper_vsphere_sessions{of=\"hyper-vsphered\"}" { print $2 }')" 0 \
        "the sessions of a daemon that does not run"
idle || fail "/metrics has started hyper-vsphered"
kill "$first_pid" "$vcsim_pid"
