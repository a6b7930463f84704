#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: console
# npm: @novnc/novnc@1.5.0
# timeout: 300
# slow: a browser draws every route, and a machine boots
# weight: 0.3
#
# The display of a VM in a browser: npm's noVNC over the hosts API's WebSocket shows what the VM draws, and
# the VM receives keys. Clients without permission are refused. And a page that reads every route of the hosts
# API.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=tests/system/lib/lib-libvirt.sh
. "$(dirname "$0")/../lib/lib-libvirt.sh"

here=$(dirname "$0")
artifacts=/usr/lib/hyper-tests/artifacts
mkdir -p "$artifacts"
export HOME=$dir
v1=$hosts_api/api/v1

python3 "$here/console-server.py" "$dir/reports" &
server=$!
trap 'kill $server; rm -rf "$dir"' EXIT

# A boot sector that draws: the left half red, the right half green; after a key all is blue
boot_sector() {
        printf '\xfc\xb8\x13\x00\xcd\x10\xb8\x00\xa0\x8e\xc0\x31\xff\xba\xc8\x00'
        printf '\xb9\xa0\x00\xb0\x04\xf3\xaa\xb9\xa0\x00\xb0\x02\xf3\xaa\x4a\x75\xef'
        printf '\x31\xc0\xcd\x16\x31\xff\xb9\x00\xfa\xb0\x01\xf3\xaa\xf4\xeb\xfd'
}
truncate -s 1M "$dir/disk.img"
boot_sector | dd of="$dir/disk.img" conv=notrunc status=none
printf '\x55\xaa' | dd of="$dir/disk.img" bs=1 seek=510 conv=notrunc status=none
chmod 755 "$dir"
chown libvirt-qemu "$dir/disk.img"

libvirt_up
mkdir -p /srv/pool
truncate -s 2M /srv/pool/a.raw
virsh -q pool-create-as pool dir --target /srv/pool
# (its display listens nowhere)
domain guest | sed -e "s|<graphics .*|<graphics type='vnc'><listen type='none'/></graphics>|" \
        -e "s|</devices>|<interface type='user'><model type='virtio'/></interface></devices>|" >"$dir/guest.xml"
virsh -q define "$dir/guest.xml"
virsh -q start guest
settings 'api: {cors_origins: ["http://127.0.0.1:3000"]}'
systemctl stop hyper.service
add_host qemu:///system here >/dev/null
uuid=$(virsh domuuid guest)

reported() { jq -es "any($1)" "$dir/reports" >/dev/null 2>&1; }

# --- every route -------------------------------------------------------------------------------------------
: >"$dir/reports"
setsid chromium --headless --no-sandbox --disable-gpu --no-first-run --user-data-dir="$dir/browser-routes" \
        --window-size=1500,3000 --timeout=30000 --virtual-time-budget=20000 --screenshot="$artifacts/routes.png" \
        "http://127.0.0.1:3000/hosts-page.html#$v1" >"$dir/browser-routes.log" 2>&1 || :
eventually 60 "the page has read all routes; it reported: $(cat "$dir/reports")" reported '.[]; .["/hosts"]'
wrong=$(jq -c 'to_entries | map(select(.value.status != 200 or (.value.missing | length) > 0))' "$dir/reports")
equal "$wrong" "[]" "routes that are not as the page needs them"
equal "$(jq -r '.["/storage/volumes"].count' "$dir/reports")" 1 "the volumes"
exists "$artifacts/routes.png"

# --- the console -------------------------------------------------------------------------------------------
: >"$dir/reports"
setsid chromium --headless --no-sandbox --disable-gpu --no-first-run --user-data-dir="$dir/browser-console" \
        "http://127.0.0.1:3000/console-page.html#${v1/http/ws}/hosts/here/vms/guest/console" \
        >"$dir/browser-console.log" 2>&1 &
browser=$!
eventually 60 "noVNC connects" reported '.[]; .connected'
equal "$(ss -ltnHp | grep -c qemu)" 0 "ports that qemu listens on" || :
eventually 40 "red and green are on the screen; it reported: $(cat "$dir/reports")" reported '.[]; .left == "168,0,0" and .right == "0,168,0"'
eventually 60 "the VM has heard the key" reported '.[]; .left == "0,0,168" and .right == "0,0,168"'
reported '.[]; .error' && fail "the page reported an error: $(cat "$dir/reports")"

# --- its end: the VM goes, and so does the display ---------------------------------------------------------
virsh -q destroy guest
eventually 20 "noVNC is told that the display is gone" reported '.[]; .disconnected and .clean'
kill -- "-$browser" 2>/dev/null || :
wait "$browser" || :

# --- who gets none -----------------------------------------------------------------------------------------
console() {
        curl -s -o "$dir/answer" -w '%{http_code}' --max-time 10 -H 'Connection: Upgrade' -H 'Upgrade: websocket' \
                -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' "$@" || :
}
equal "$(console "$v1/hosts/here/vms/guest/console")" 409 "the console of a VM that is off"
contains "$(cat "$dir/answer")" "not running" "the error"
virsh -q start guest
equal "$(console "$v1/hosts/here/vms/none/console")" 404 "the console of a VM that does not exist"
equal "$(console "$v1/hosts/here/vms/guest/spice")" 409 "SPICE of a VM that has VNC only"
contains "$(cat "$dir/answer")" "no display of type spice" "the error"
equal "$(console -H 'Origin: http://evil.example' "$v1/hosts/here/vms/guest/console")" 403 "another page"
equal "$(console -H 'Origin: http://localhost:4000' "$v1/hosts/here/vms/guest/console")" 403 \
        "another local page"
equal "$(as hyper-viewer curl -s -o /dev/null -w '%{http_code}' -H 'Connection: Upgrade' -H 'Upgrade: websocket' \
        -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' \
        "$v1/hosts/here/vms/guest/console")" 403 "the console for a viewer"
error=$(as hyper-viewer busctl call org.hyper1.Hosts "$(vm_path here guest)" org.hyper1.Hosts.Vm OpenConsole s '' 2>&1) \
        && fail "a viewer may open a display"
contains "$error" "org.hyper1.manage-vms" "the error"

# --- hyperctl ----------------------------------------------------------------------------------------------
virsh -q destroy guest
eventually 10 "the VM is off" vm_is here guest STOPPED
error=$(hyperctl vm console here guest 2>&1) && fail "the console of a VM that is off was shown"
contains "$error" "hyperctl vm start here guest" "the error"
virsh -q start guest
eventually 10 "the VM runs" vm_is here guest ACTIVE
equal "$(hyperctl vm console here guest | head -1)" \
        "virt-viewer --connect 'qemu:///system' --attach --uuid -- $uuid" "how to reach it"
equal "$(hyperctl vm console here guest --json=short | jq -r .websocket)" \
        "${v1/http/ws}/hosts/here/vms/guest/console" "its WebSocket"
colors() { hyperctl vm screenshot here guest - | python3 "$here/png-colors.py"; }
is_drawn() { [ "$(colors)" = "168,0,0 0,168,0" ]; }
eventually 30 "the screenshot has the colors of the screen" is_drawn
hyperctl vm screenshot here guest "$artifacts/screenshot.png"
error=$(hyperctl vm screenshot here guest "$artifacts/screenshot.png" 2>&1) && fail "a file was overwritten"
contains "$error" "File exists" "the error"

# --- SPICE -------------------------------------------------------------------------------------------------
sed -e "s|<name>.*|<name>spicy</name>|" -e "s|<graphics type='vnc'>|<graphics type='spice'>|" \
        -e "s|<disk .*</disk>||" -e "s|/console-[0-9a-f]*.log|/console-spicy.log|" "$dir/guest.xml" >"$dir/spicy.xml"
virsh -q define "$dir/spicy.xml"
virsh -q start spicy
eventually 20 "the VM runs" vm_is here spicy ACTIVE
for path in spice console 'console?type=spice'; do
        equal "$(python3 "$here/spice-link.py" 8890 "/api/v1/hosts/here/vms/spicy/$path")" REDQ \
                "what the display answers at $path"
done
equal "$(console "$v1/hosts/here/vms/spicy/console?type=vnc")" 409 "VNC of a VM that has SPICE only"
equal "$(console "$v1/hosts/here/vms/spicy/console?type=telnet")" 400 "a display of another type"
virsh -q destroy spicy

# --- screenshots -------------------------------------------------------------------------------------------
http GET "$v1/hosts/here/vms/$uuid/screenshot" >"$dir/shot.png"
equal "$(head -c 4 "$dir/shot.png" | od -An -tx1 | tr -d ' ')" 89504e47 "what the screenshot begins with"

# --- one URI is one host -----------------------------------------------------------------------------------
equal "$(curl -s -o "$dir/answer" -w '%{http_code}' "$v1/hosts" -d '{"id": "again", "uri": "qemu:///system"}')" 409 \
        "the same URI under another id"
contains "$(jq -r .message "$dir/answer")" "host here has this URI already" "the error"

# --- disconnected, until it is connected again -------------------------------------------------------------
equal "$(http POST "$v1/hosts/here/disconnect" '' | jq -r .state)" DISCONNECTED "the host"
systemctl stop hyper-hostd.service
equal "$(http GET "$v1/hosts/here" | jq -rc '[.state, .auto_reconnect_disabled]')" '["DISCONNECTED",true]' \
        "the host after a restart"
equal "$(http POST "$v1/hosts/here/connect" '' | jq -r .state)" CONNECTED "the host that is connected again"
