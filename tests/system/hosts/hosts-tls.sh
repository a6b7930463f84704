#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: libvirt
#
# A host over TLS: with certificates that fit it is one like any other; a server with another name is refused,
# but with no_verify=1.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=tests/system/lib/lib-libvirt.sh
. "$(dirname "$0")/../lib/lib-libvirt.sh"

libvirt_up
define one

# --- certificates: an authority, the server's, the client's ------------------------------------------------
cd "$dir"
certificate() {
        local name=$1 subject=$2 extensions=$3
        openssl req -newkey rsa:2048 -nodes -subj "/CN=$subject" -keyout "$name.key" -out "$name.csr" \
                2>/dev/null
        openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -out "$name.pem" \
                -extfile <(printf '%s\n' "$extensions") 2>/dev/null
}
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=test-authority -days 30 -keyout ca.key -out ca.pem \
        2>/dev/null
certificate server localhost 'subjectAltName=DNS:localhost'
certificate client hyper 'keyUsage=digitalSignature'
install -D -m 644 ca.pem /etc/pki/CA/cacert.pem
install -D -m 644 server.pem /etc/pki/libvirt/servercert.pem
install -D -m 600 server.key /etc/pki/libvirt/private/serverkey.pem
install -D -m 644 client.pem /etc/pki/libvirt/clientcert.pem
install -D -m 640 -g hyper-hosts client.key /etc/pki/libvirt/private/clientkey.pem

systemctl stop libvirtd.service
systemctl start libvirtd-tls.socket
systemctl start libvirtd.service
eventually 20 "libvirtd answers" virsh -q list

add_host qemu+tls://localhost/system remote >/dev/null
equal "$(host_property remote Uri)" "qemu+tls://localhost/system" "the URI"
equal "$(vm_property remote one State)" STOPPED "a VM over TLS"
define two
eventually 5 "a VM that was defined is seen over TLS" has_vm remote two
error=$(add_host qemu+tls://127.0.0.1/system wrong 2>&1) &&
        fail "a server whose certificate has another name was taken"
contains "$error" "verify peer" "the error"
# Unless its owner wants no check, which is told in the log.
add_host 'qemu+tls://127.0.0.1/system?no_verify=1' unchecked >/dev/null
equal "$(host_property unchecked Uri)" "qemu+tls://127.0.0.1/system?no_verify=1" "the URI that is shown"
journalctl -q -u hyper-hostd.service -p warning |
        grep -q 'Host unchecked is connected to without checking' ||
        fail "nothing in the log warns of no_verify=1"
error=$(add_host 'qemu+tls://localhost/system?pkipath=/etc' wrong 2>&1) &&
        fail "a parameter names a directory"
contains "$error" "uri: must have no parameter but no_verify=1" "the error"

# The client's key is missing: it is told at once.
rm /etc/pki/libvirt/private/clientkey.pem
error=$(add_host qemu+tls://localhost:16514/system again 2>&1) && fail "a host was reached without a key"
contains "$error" "could not be added" "the error"
