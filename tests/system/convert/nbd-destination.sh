#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A file is written to an NBD server: data, and zeroes where the server had other bytes.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

raw_image "$dir/disk.raw" 32
qemu-img convert -q -f raw -O vmdk "$dir/disk.raw" "$dir/disk.vmdk"
head -c 32M /dev/urandom >"$dir/target.raw"
serve "$dir/t.sock" file "$dir/target.raw"
id=$(submit "$(spec "$dir/disk.vmdk" "$(nbd_uri "$dir/t.sock")" '.parameters.verify = true')")
wait_state "$id" COMPLETED
stop_serving "$dir/t.sock"
cmp "$dir/disk.raw" "$dir/target.raw" || fail "the server's disk is not what was sent"

# A server with too small a disk is refused before anything is written.
truncate -s 16M "$dir/small.raw"
serve "$dir/small.sock" file "$dir/small.raw"
id=$(submit "$(spec "$dir/disk.vmdk" "$(nbd_uri "$dir/small.sock")" '.execution_policy.retry_count = 0')")
wait_state "$id" FAILED
stop_serving "$dir/small.sock"
cmp "$dir/small.raw" <(head -c 16M /dev/zero) || fail "a disk that is too small was written to"

# A larger disk is perhaps another one: refused, unless it is asked for; then what lies behind is left as it
# is.
head -c 40M /dev/urandom >"$dir/large.raw"
tail -c 8M "$dir/large.raw" >"$dir/behind"
serve "$dir/large.sock" --filter=blocksize-policy file "$dir/large.raw" blocksize-minimum=4096 \
        blocksize-preferred=32768 \
        blocksize-maximum=32768 blocksize-error-policy=error
id=$(submit "$(spec "$dir/disk.vmdk" "$(nbd_uri "$dir/large.sock")" '.execution_policy.retry_count = 0')")
wait_state "$id" FAILED
contains "$(reason "$id")" "parameters.allow_larger" "the reason"
id=$(submit "$(spec "$dir/disk.vmdk" "$(nbd_uri "$dir/large.sock")" \
        '.parameters = {allow_larger: true, verify: "full"}')")
wait_state "$id" COMPLETED
equal "$(job "$id" | jq -r '.result.outputs[0] | [.verified, .read_back] | join(" ")')" "full server" \
        "what was compared"
stop_serving "$dir/large.sock"
cmp "$dir/disk.raw" <(head -c 32M "$dir/large.raw") || fail "the larger disk does not begin with the source"
cmp "$dir/behind" <(tail -c 8M "$dir/large.raw") || fail "what lies behind the source's end was changed"
