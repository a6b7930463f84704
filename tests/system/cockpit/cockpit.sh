#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: all
# timeout: 900
# weight: 1
# machine: cockpit
# cockpit: yes
# vcsim: yes
# npm: playwright-core@1.52.0 axe-core@4.10.3
# slow: a browser, and many views
#
# The page in Cockpit, after a login with a password, as an administrator, an operator, a viewer, and a user
# without a role.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=tests/system/lib/lib-libvirt.sh
. "$(dirname "$0")/../lib/lib-libvirt.sh"
# shellcheck source=tests/system/lib/lib-vcsim.sh
. "$(dirname "$0")/../lib/lib-vcsim.sh"

here=$(dirname "$0")
export HOME=$dir DIR=$dir ARTIFACTS=/usr/lib/hyper-tests/artifacts
mkdir -p "$ARTIFACTS" "$dir/images" "$dir/out" "$dir/out/fast"

# user NAME GROUPS: a user with a password
user() {
        useradd -m -G "$2" -s /bin/bash "$1"
        echo "$1:password of $1" | chpasswd
}
user alice sudo
user olga hyper-operator
user vera hyper-viewer
user nora users

raw_image "$dir/disk.raw" 4
cp "$dir/disk.raw" "$dir/images/disk.raw"
cp "$dir/disk.raw" "$dir/images/other.raw"
truncate -s 4096 "$dir/damaged.qcow2"
printf 'QFI\xfb\0\0\0\3' | dd of="$dir/damaged.qcow2" conv=notrunc status=none
chmod -R a+rX "$dir"
mkdir -p /etc/hyper/config.d
cat >/etc/hyper/config.d/90-test.yaml <<EOF
daemon: {idle_timeout: 20}
files: {roots: [$dir/images, $dir/out]}
jobs: {source_paths: [$dir/images, $dir/disk.raw], destination_paths: [$dir]}
hosts: {allow_test: true}
EOF
# A system that shows a login prompt on its serial port and its screen
libvirt_up
mkdir "$dir/vm"
chmod 755 "$dir/vm"
boot_disk "$dir/images/boots.raw" '\r\nDebian GNU/Linux 12 box ttyS0\r\n\r\nbox login: '
chmod a+r "$dir/images/boots.raw"
serve "$dir/slow.sock" --filter=noextents --filter=rate memory 64M rate=4M
SLOW_URI=$(nbd_uri "$dir/slow.sock")
cat >"$dir/inventory.json" <<EOF
{"datastores": [{"name": "fast"}],
 "vms": [{"name": "app", "power": "off", "disks": [{"size": "1M"}], "nics": [{"network": "VM Network"}]},
         {"name": "shop", "power": "off", "datastore": "fast", "disks": [{"size": "1M"}]},
         {"name": "web", "power": "on", "tools": "running", "disks": [{"size": "2M"}]},
         {"name": "mail", "power": "on", "tools": "not-running", "vtpm": true, "firmware": "efi",
          "disks": [{"size": "1M"}, {"size": "1M", "mode": "independent_persistent"}]},
         {"name": "db", "power": "off", "disks": [{"size": "1M", "rdm": "physicalMode"}]}]}
EOF
vcsim_start -inventory "$dir/inventory.json" -vm 0 -shutdown-time 100ms
export SLOW_URI VCSIM_URL=$vcsim_url VCSIM_USER=$vcsim_user VCSIM_PASSWORD=$vcsim_password
export VCSIM_THUMBPRINT=$vcsim_thumbprint
busctl -q call "${manager[@]}" RegisterWorker s '{"worker_id": "w1", "capabilities": []}'
systemctl start cockpit.socket

# flow USER FLOW…: what the user does, in one session
flow() { timeout 400 node "$here/flows.mjs" "$@" || fail "see the pictures in $ARTIFACTS"; }

# many_jobs: jobs for workers, of which there are none
many_jobs() {
        settings "$(cat /etc/hyper/config.d/90-test.yaml; echo 'worker: {local: false}')"
        jq -rn --arg url "$worker/jobs?queue=true" 'range(1000) | ({job_id: "many-\(.)", operation: "convert",
                image: {path: "/srv/a.raw", format: "raw"},
                parameters: {output_format: "qcow2", output_path: "/srv/many-\(.).qcow2"}}
                | tojson | tojson) as $data
                | (if . > 0 then "next" else empty end),
                "url = \"\($url)\"\noutput = /dev/null\nheader = \"Content-Type: application/json\"",
                "data = \($data)"' | curl -sSf -K -
}

# An empty list is the first that the administrator sees
flow nora nobody
flow alice jobs kvm schedules settings workers sources warm idle
flow alice looks
flow alice narrow
flow olga operator
flow vera viewer
many_jobs
flow alice many
