#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# vcsim: yes
# tier: all
# slow: the simulator needs minutes to create 10,000 VMs
# timeout: 900
# weight: 1
#
# 10,000 VMs in pages: each is listed once, the inventory is read once, and hyper-vsphered needs less than
# 64 MiB.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=tests/system/lib/lib-vcsim.sh
. "$(dirname "$0")/../lib/lib-vcsim.sh"

vcsim_patience=600
vcsim_start -vm 5000 -disk-size 0
printf '%s' "$vcsim_password" >"$dir/password"
hyperctl source add vc1 "$vcsim_url" --user="$vcsim_user" --ca="$vcsim_ca" --password-file="$dir/password" ||
        fail "the source is not added"
cursor='' pages=0
: >"$dir/paths"
while :; do
        answer=$(http GET "$api/vms/list" '' -G -d source=vc1 -d limit=1000 --data-urlencode "cursor=$cursor")
        equal "$(jq .total <<<"$answer")" 10000 "the total"
        jq -r '.vms[].path' <<<"$answer" >>"$dir/paths"
        pages=$((pages + 1))
        [ "$pages" -gt 1 ] || views=$(vcsim_calls CreateContainerView)
        cursor=$(jq -r '.next_cursor // ""' <<<"$answer")
        [ -n "$cursor" ] || break
done
equal "$pages" 10 "the pages"
equal "$(sort -u "$dir/paths" | wc -l)" 10000 "the VMs"
LC_ALL=C sort -c "$dir/paths" || fail "the VMs are not in the order of their paths"
equal "$(vcsim_calls CreateContainerView)" "$views" "readings of the inventory after the first page"
rss=$(awk '/^VmHWM/ {print $2}' "/proc/$(systemctl show -P MainPID hyper-vsphered)/status")
[ "$rss" -lt 65536 ] || fail "hyper-vsphered has used $rss KiB"
systemctl stop hyper-vsphered
equal "$(vcsim_sessions)" 0 "the sessions"
