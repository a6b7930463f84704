#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Every example of the manual pages that is marked as one works as it is printed. A block
#
#   .\" example: NAME
#   .Bd -literal -offset indent
#   ...
#   .Ed
#
# is run by bash, all blocks of a page in one shell, in their order. They may count on an image /srv/a.vmdk.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

# examples PAGE: its blocks as a script
examples() {
        awk '
                /^\.\\" example: / { name = substr($0, 14); next }
                /^\.Bd -literal/ && name { printf "echo \"--- %s\"\n", name; inside = 1; next }
                /^\.Ed/ { inside = 0; name = ""; next }
                inside' | sed -e 's/\\&//g' -e 's/\\-/-/g' -e "s/\\\\(aq/'/g" -e 's/\\e/\\/g'
}

# Those about hosts use a host of libvirt's test driver.
mkdir -p /etc/hyper/config.d
echo 'hosts: {allow_test: true}' >/etc/hyper/config.d/90-test.yaml
raw_image "$dir/a.raw" 32
qemu-img convert -f raw -O vmdk "$dir/a.raw" /srv/a.vmdk
pages=0
for page in /usr/share/man/man[1-8]/{hyper,org.hyper1}*; do
        [ -e "$page" ] || continue
        case $page in
        *.gz) zcat "$page" ;;
        *) cat "$page" ;;
        esac | examples >"$dir/script"
        [ -s "$dir/script" ] || continue
        pages=$((pages + 1))
        echo "=== $page"
        (cd /srv && bash -euo pipefail "$dir/script" </dev/null) ||
                fail "an example of $page does not work (status $?); it is the one named last above"
done
[ "$pages" -ge 4 ] || fail "only $pages pages with examples were found in /usr/share/man"

# What the examples were about has really happened.
wait_state nightly.1 COMPLETED
wait_state over-http COMPLETED
for image in /srv/a.qcow2 /srv/b.qcow2 /srv/nightly.qcow2 /srv/http.qcow2; do
        same "$dir/a.raw" "$image" qcow2
done
rm -f /srv/a.vmdk /srv/*.qcow2 /srv/*.raw
