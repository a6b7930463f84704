#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: libvirt
#
# A host's URI runs no program, opens no other URI and reads no file, whoever gives it, over the bus and over
# HTTP; and one that an older hyper took is kept, and never opened.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=tests/system/lib/lib-libvirt.sh
. "$(dirname "$0")/../lib/lib-libvirt.sh"

libvirt_up
chmod 755 "$dir"
printf '#!/bin/sh\nid >>%s\n' "$dir/ran" >"$dir/attack"
chmod 755 "$dir/attack"
install -m 666 /dev/null "$dir/ran"
ran_nothing() { equal "$(cat "$dir/ran")" "" "what a URI had run"; }
printf 'secret-first-line\nmore\n' >"$dir/secret"
chmod 644 "$dir/secret"

uris=(
        "qemu:///system?name=qemu%2Bext:///system%3Fcommand=$dir/attack"
        "qemu:///system?name=qemu+ext:///system?command=$dir/attack"
        "qemu:///system?socket=$dir/x"
        "qemu+unix:///system?name=qemu%2Bext:///system%3Fcommand=$dir/attack"
        "qemu+ext:///system?command=$dir/attack"
        "qemu+ssh://root@127.0.0.1/system?command=$dir/attack"
        "qemu+ssh://root@127.0.0.1/system?netcat=$dir/attack"
        "qemu+ssh://root@127.0.0.1/system?keyfile=$dir/secret"
        "qemu+ssh://-oProxyCommand=$dir%2Fattack/system"
        "qemu+ssh://root@127.0.0.1/system?no_verify=1&command=$dir/attack"
        "qemu+tls://localhost/system?pkipath=$dir"
        "qemu+libssh2://root@127.0.0.1/system?known_hosts=$dir/secret"
        "qemu:///embed?root=$dir"
        "test://$dir/secret"
        "lxc:///system"
)
for uri in "${uris[@]}"; do
        error=$(add_host "$uri" attack 2>&1) && fail "$uri was taken"
        contains "$error" "uri: must" "the refusal of $uri"
        lacks "$error" secret-first-line "the refusal of $uri"
        answer=$(http POST "$hosts_api/api/v1/hosts" "$(jq -cn --arg u "$uri" '{id: "attack", uri: $u}')")
        equal "$(status)" 400 "the status for $uri"
        contains "$answer" "uri: must" "the refusal of $uri over HTTP"
        ran_nothing
done

# --- those that an older hyper took ------------------------------------------------------------------------
add_host qemu:///system here >/dev/null
systemctl stop hyper-hostd.service
columns='id, uri, shown_uri, name, state, error, created_at, updated_at'
for i in "${!uris[@]}"; do
        sqlite3 /var/lib/hyper-hosts/hosts.db "INSERT INTO hosts ($columns) SELECT 'old-$i', '${uris[$i]}', 'old', 'old', state, '', 1, 1 FROM hosts WHERE id = 'here'"
done
eventually 20 "the host that is allowed is connected to" host_is here CONNECTED
listed=$(busctl --json=short call "${hosts[@]}" ListHosts |
        jq -c '[.data[0][] | select(.[0] | startswith("old-")) | [.[4], .[5]]]')
equal "$(jq length <<<"$listed")" ${#uris[@]} "the hosts that are kept"
equal "$(jq -r '[.[][0]] | unique | join(" ")' <<<"$listed")" ERROR "their states"
equal "$(jq '[.[] | select(.[1] | startswith("its URI is not allowed, it must"))] | length' <<<"$listed")" \
        ${#uris[@]} "their reasons: $listed"
ran_nothing
busctl -q call "${hosts[@]}" RemoveHost s old-0

# --- a file is not quoted ----------------------------------------------------------------------------------
cp "$dir/secret" "$dir/hidden" # (a host of the old database has the other one)
mkdir -p /etc/hyper/config.d
echo 'hosts: {allow_test: true}' >/etc/hyper/config.d/90-test.yaml
busctl -q call "${hosts[@]}" Reload
error=$(add_host "test://$dir/hidden" quoted 2>&1) && fail "a text file is a host"
lacks "$error" secret-first-line "what is said of a file"
contains "$error" "cannot be read as a host" "what is said of a file"
other=$(add_host "test://$dir/nonexi" quoted 2>&1) && fail "a missing file is a host"
equal "${other//nonexi/hidden}" "$error" "what is said of a file that is not there"
lacks "$(journalctl -q -u hyper-hostd.service)" secret-first-line "the log"
ran_nothing
