# shellcheck shell=bash disable=SC2034 # variables are for the scripts
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What unusual.sh and layouts.sh have in common. Their arguments are HYPER-GUEST APPLIANCE [CASE…].

set -euo pipefail

program=$(readlink -f "$1") appliance=$(readlink -f "$2")
shift 2
wanted=" $* "
d=$(mktemp -d)
trap 'rm -rf "$d"' EXIT
failed=0

# image NAME SIZE: NAME.img from the tree NAME
image() {
        mkfs.ext4 -q -F -d "$d/$1" "$d/$1.img" "$2" >/dev/null
}

# run NAME ORDERS DISK…: the last event is in NAME.last
run() {
        local name=$1 orders=$2 disks='' i
        shift 2
        for i; do disks+="${disks:+, }{\"path\": \"$d/$i.img\", \"format\": \"raw\"}"; done
        mkdir -p "$d/$name.tmp"
        printf '{"disks": [%s], "appliance": "%s", "runtime": "%s/%s.tmp", %s}' "$disks" "$appliance" "$d" "$name" \
                "$orders" >"$d/$name.orders"
        timeout 1800 "$program" 3<"$d/$name.orders" >"$d/$name.events" 2>"$d/$name.log" || :
        rm -rf "$d/$name.tmp"
        tail -n1 "$d/$name.events" >"$d/$name.last"
}

# check NAME JQ-FILTER: the filter is true for the last event
check() {
        if jq -e "$2" "$d/$1.last" >/dev/null; then
                echo "ok $1"
        else
                echo "FAILED $1: $(head -c 1500 "$d/$1.last")"
                tail -n3 "$d/$1.log"
                failed=1
        fi
}

want() { [ "$wanted" = "  " ] || [[ $wanted = *" $1 "* ]]; }
warned() { echo "(.guest.warnings | map(select(.message | test(\"$1\"))) | length) > 0"; }
