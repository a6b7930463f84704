#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: websocket
# timeout: 180
#
# The hosts API, as its clients speak it: hosts and VMs over HTTP under both bases, what happens over /ws,
# which goes on when hyper-hostd is killed.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

here=$(dirname "$0")
a=$hosts_api/api v=$hosts_api/api/v1
cat >"$dir/office.xml" <<'EOF'
<node><memory>16777216</memory><cpu><active>8</active><nodes>1</nodes><sockets>1</sockets><cores>4</cores><threads>2</threads></cpu>
  <domain type='test'><name>web server</name><description>the web</description><memory unit='MiB'>512</memory><vcpu>2</vcpu>
    <os><type>hvm</type></os>
    <devices>
      <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/srv/web.qcow2'/><target dev='vda' bus='virtio'/></disk>
      <interface type='bridge'><mac address='52:54:00:aa:bb:cc'/><source bridge='br0'/><model type='virtio'/></interface>
      <graphics type='vnc' port='5901'/>
    </devices></domain>
</node>
EOF
chmod 644 "$dir/office.xml"
mkdir -p /etc/hyper/config.d
echo 'hosts: {allow_test: true}' >/etc/hyper/config.d/90-test.yaml

# get URL JQ, post URL BODY JQ: what the answer has there; the status is status
get() { http GET "$1" | jq -cr "$2"; }
post() { http POST "$1" "$2" | jq -cr "${3:-.}"; }
# is STATUS WHAT
is() { equal "$(status)" "$1" "the status of $2"; }

# listen NAME: a client; what it hears is in $dir/NAME, what is written to descriptor $to it sends
listen() {
        : >"$dir/$1"
        mkfifo "$dir/$1.in"
        node "$here/../lib/websocket-client.js" ws://127.0.0.1:8890/ws <"$dir/$1.in" >"$dir/$1" \
                2>"$dir/$1.errors" &
        client=$!
        exec {to}>"$dir/$1.in"
        eventually 20 "the client is connected" grep -q '"open"' "$dir/$1"
}
heard() { [ "$(jq -c "select(.message) | .message | select($2)" "$dir/$1" | wc -l)" -ge "${3:-1}" ]; }
tell() { printf '%s\n' "$1" >&"$to"; }

# --- hosts -------------------------------------------------------------------------------------------------
equal "$(get "$a/hosts" .)" "[]" "the hosts at first"
listen first
equal "$(post "$a/hosts" '{"id": "here", "uri": "test:///default"}' '[.id, .uri, .connected, .state]')" \
        '["here","test:///default",true,"CONNECTED"]' "the host that was added"
is 200 "adding under /api"
equal "$(post "$v/hosts" "{\"uri\": \"test://$dir/office.xml\", \"id\": \"Büro 1\", \"name\": \"das Büro\"}" \
        '[.id, .name]')" '["Büro 1","das Büro"]' "the second one"
is 201 "adding under /api/v1"
eventually 10 "hosts-changed, twice" heard first '.type == "hosts-changed" and .payload == null' 2
contains "$(post "$v/hosts" '{"uri": "test:///default"}' .message)" "host here has this URI already" \
        "the same URI again"
is 409 "it"
cp "$dir/office.xml" "$dir/other.xml"
equal "$(post "$v/hosts" "{\"uri\": \"test://$dir/other.xml\"}" .id)" \
        local "the id of one that was given none"
equal "$(post "$a/hosts" '{"uri": "test:///default"}' '[.code, .details]')" '["BAD_REQUEST",null]' \
        "one without an id under /api"
is 400 "it"
contains "$(post "$a/hosts" '{"id": 7}' .message)" "uri: " "all that is wrong"
post "$a/hosts" '{"id": "here", "uri": "test:///default"}' .code >/dev/null
is 409 "an id in use"
contains "$(post "$a/hosts" '{"id": "x", "uri": "test:///nonexistent.xml"}' .message)" "nonexistent.xml" \
        "libvirt's own words"
is 500 "a host that cannot be reached"
equal "$(post "$a/hosts" '{"id": "x", "uri": "qemu+ssh://me:secret@h/system"}' .code)" BAD_REQUEST \
        "a password in a URI"
lacks "$(cat "$dir/body")" secret "the answer"
equal "$(get "$a/hosts" '[.[].id] | sort')" '["Büro 1","here","local"]' "the hosts"
equal "$(get "$v/hosts/here" .id)" here "one host"
equal "$(get "$a/hosts/B%C3%BCro%201/info" '[.cpu, .memory, .cores, .threads, .connected]')" \
        '[8,17179869184,4,2,true]' "its figures"
equal "$(get "$a/hosts/none/info" .code)" HOST_NOT_FOUND "the code"
is 404 "figures of no host"
http DELETE "$a/hosts/local" >/dev/null
is 204 "removing a host"
http DELETE "$a/hosts/local" >/dev/null
is 404 "removing it again"
http PUT "$a/hosts" '{}' >/dev/null
is 405 "a wrong method"
contains "$(cat "$dir/headers")" "Allow: " "the headers"

# --- VMs ---------------------------------------------------------------------------------------------------
office=$a/hosts/B%C3%BCro%201
equal \
        "$(get "$office/vms" \
        '.[0] | [.name, .description, .vcpu_count, .memory_bytes, .state, .graphics.vnc, .graphics.spice]')" \
        '["web server","the web",2,536870912,1,true,false]' "a VM"
equal "$(get "${office/api/api/v1}/vms" '.[0].state')" ACTIVE "its state as a word"
jq -e '.[0] | (.db_id | type) == "number" and (.uuid | length) == 36 and (.created_at | endswith("Z"))' \
        "$dir/body" >/dev/null || fail "a VM: $(cat "$dir/body")"
vm=$office/vms/web%20server
equal "$(get "$vm/hardware" '[.disks[0].path, .disks[0].driver.driver_name, .disks[0].target.bus, .networks[0].mac.address, .networks[0].source.bridge, .networks[0].model.model_type, .networks[0].model.type]')" \
        '["/srv/web.qcow2","qemu","virtio","52:54:00:aa:bb:cc","br0","virtio","virtio"]' "its hardware"
equal "$(get "$office/vms/nothing/hardware" .code)" VM_NOT_FOUND "the code"
is 404 "the hardware of no VM"
equal "$(post "$vm/action" '{"action": "start"}' .code)" VM_STATE_ERROR "the code"
is 409 "starting a VM that runs"
post "$vm/action" '{"action": "explode"}' .code >/dev/null
is 400 "an action that there is not"
http POST "$vm/action" '{"action": "shutdown"}' >/dev/null
is 204 "a shutdown"
equal "$(get "$office/vms" '.[0].state')" 5 "its state after that"
eventually 10 "vms-changed" heard first '.type == "vms-changed" and .payload.hostId == "Büro 1"'
for action in start reboot forcereset forceoff start shutdown start; do
        http POST "${vm/api/api/v1}/$action" >/dev/null
        is 204 "$action"
done

# --- statistics --------------------------------------------------------------------------------------------
subscribe='{"type":"subscribe-vm-stats","payload":{"hostId":"Büro 1","vmName":"web server"}}'
stats='.type == "vm-stats-updated" and .payload.hostId == "Büro 1" and .payload.vmName == "web server" and .payload.stats.state == 1'
tell "$subscribe"
eventually 10 "the first statistics, and more" heard first "$stats" 3
jq -c 'select(.message.type == "vm-stats-updated") | .message.payload.stats' "$dir/first" | tail -n 1 |
        jq -e '.memory == 524288 and .max_mem == 524288 and .vcpu == 2 and .disk_stats == [] and .cpu_percent == 0 and .memory_mb == 512 and .uptime >= 0' >/dev/null ||
        fail "the statistics: $(tail -n 1 "$dir/first")"
first=$client
listen second
tell "$subscribe"
eventually 10 "statistics for the second client" heard second "$stats" 2
tell '{"type":"unsubscribe-vm-stats","payload":{"hostId":"Büro 1","vmName":"web server"}}'
tell '{"type":"subscribe-vm-stats","payload":{"hostId":"none","vmName":"x"}}'
eventually 10 "the error for no host" heard second \
        '.type == "error" and (.payload.message | test("no host none"))'
tell '{"type":"dance"}'
tell 'not JSON'
tell '{"type":"subscribe-vm-stats"}'
eventually 10 "errors for malformed messages" heard second '.type == "error"' 4
count=$(jq -c 'select(.message.type == "vm-stats-updated")' "$dir/second" | wc -l)
n=$(jq -c 'select(.message.type == "vm-stats-updated")' "$dir/first" | wc -l)
eventually 10 "more statistics for the first client" heard first "$stats" $((n + 2))
equal "$(jq -c 'select(.message.type == "vm-stats-updated")' "$dir/second" | wc -l)" "$count" \
        "statistics after an unsubscription"
tell "$(printf '%05000d' 0)"
eventually 10 "a message that is too long ends the connection" grep -q '"code":1009' "$dir/second"

# --- hyper-hostd is killed ---------------------------------------------------------------------------------
n=$(jq -c 'select(.message.type == "vm-stats-updated")' "$dir/first" | wc -l)
systemctl kill --kill-whom=main -s KILL hyper-hostd.service
eventually 30 "the subscription goes on" heard first "$stats" $((n + 2))
kill -0 "$first" || fail "the client's connection has ended: $(tail -n 2 "$dir/first")"
n=$(jq -c 'select(.message.type == "vm-stats-updated")' "$dir/first" | wc -l)
systemctl stop hyper-hostd.service
eventually 30 "it is called back for its clients" heard first "$stats" $((n + 2))
eventually 10 "host-connection-changed" heard first \
        '.type == "host-connection-changed" and .payload.connected'

# --- a host that goes away ---------------------------------------------------------------------------------
mv "$dir/office.xml" "$dir/hidden.xml"
systemctl restart hyper-hostd.service
away() { [ "$(get "$a/hosts/B%C3%BCro%201" '[.connected, .state != "CONNECTED"]')" = '[false,true]' ]; }
eventually 20 "the host is marked as away" away
equal "$(get "$office/vms" '.[0].name')" "web server" "the VMs of a host that is away"
http POST "$vm/action" '{"action": "start"}' >/dev/null
is 503 "an action on a host that is away"
equal "$(get "$office/info" .code)" HOST_DISCONNECTED "the code"
is 503 "its figures"
n=$(jq -c 'select(.message.type == "vm-stats-updated")' "$dir/first" | wc -l)
mv "$dir/hidden.xml" "$dir/office.xml"
eventually 60 "the subscription goes on when it is back" heard first "$stats" $((n + 2))

kill "$first"
eventually 10 "the client is closed" grep -q '"close"' "$dir/first"
for host in here B%C3%BCro%201; do http DELETE "$a/hosts/$host" >/dev/null; done
exec {to}>&-
