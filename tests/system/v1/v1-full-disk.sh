#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A disk that becomes full at any chunk of an upload, with the database on it: the chunk is stored, or refused
# with 507 and not counted; with space made, the upload goes on, and the file is right.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

systemctl stop hyper.socket hyper.service hyper-managerd.service
mkdir -p /var/lib/hyper
mount -t tmpfs -o size=64m,mode=0755 tmpfs /var/lib/hyper
systemctl -q enable hyper-tls.socket
systemctl restart hyper.socket
key=$(hyperctl key add full --scope=submit,read -q)
url=https://localhost:5080/api/v1
code() { curl -sSk -m 30 -o "$dir/body" -w '%{http_code}' -H "X-API-Key: $key" "$@"; }
head -c $((16 << 20)) /dev/urandom >"$dir/disk.raw"
split -b 1M -a 2 -d "$dir/disk.raw" "$dir/chunk."
sha256=$(sha256sum <"$dir/disk.raw" | cut -d' ' -f1)
equal "$(code $url/upload/init -d "{\"filename\":\"big.raw\",\"size\":$((64 << 20))}")" 507 "an upload that is too large"
contains "$(cat "$dir/body")" '"status":507' "the error"
equal "$(code $url/upload/init -d "{\"filename\":\"disk.raw\",\"size\":$((16 << 20)),\"chunk_size\":1048576,\"sha256\":\"$sha256\"}")" \
        201 "an upload: $(cat "$dir/body")"
id=$(jq -r .upload_id "$dir/body")
fill() { dd if=/dev/zero of=/var/lib/hyper/fill bs=4k status=none 2>/dev/null || :; }
count() { code "$url/upload/status/$id" >/dev/null; jq '.received_chunks | length' "$dir/body"; }
refused=0
for i in $(seq -w 0 15); do
        before=$(count)
        fill
        status=$(code --data-binary "@$dir/chunk.$i" "$url/upload/chunk?upload_id=$id&chunk_index=$((10#$i))")
        case $status in
                200) equal "$(count)" $((before + 1)) "the chunks after one that was stored on a full disk" ;;
                507)
                        refused=$((refused + 1))
                        equal "$(count)" "$before" "the chunks after one that was refused"
                        ;;
                *) fail "chunk $i on a full disk: $status $(cat "$dir/body")" ;;
        esac
        rm /var/lib/hyper/fill
        [ "$status" = 200 ] ||
                equal "$(code --data-binary "@$dir/chunk.$i" "$url/upload/chunk?upload_id=$id&chunk_index=$((10#$i))")" \
                        200 "chunk $i, when there is space again: $(cat "$dir/body")"
done
echo "$refused of 16 chunks were refused while the disk was full"
fill
status=$(code $url/upload/complete -d "{\"upload_id\":\"$id\"}")
case $status in 200 | 507) ;; *) fail "complete on a full disk: $status $(cat "$dir/body")" ;; esac
rm /var/lib/hyper/fill
equal "$(code $url/upload/complete -d "{\"upload_id\":\"$id\"}")" 200 "complete: $(cat "$dir/body")"
cmp "$dir/disk.raw" "$(jq -r .path "$dir/body")" || fail "the file differs"
systemctl stop hyper.socket hyper.service hyper-managerd.service
umount -l /var/lib/hyper
