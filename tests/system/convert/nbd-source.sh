#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# debian-13: yes
#
# A disk behind an NBD server becomes a file.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

raw_image "$dir/disk.raw" 32
serve "$dir/s.sock" file "$dir/disk.raw"
id=$(submit "$(spec "$(nbd_uri "$dir/s.sock")" "$dir/disk.qcow2" '.parameters.verify = true')")
wait_state "$id" COMPLETED
same "$dir/disk.raw" "$dir/disk.qcow2" qcow2
stop_serving "$dir/s.sock"

systemd-run -q --collect --unit=test-nbd-tcp -p Type=forking -p PIDFile=/run/test-nbd.pid nbdkit --pidfile \
        /run/test-nbd.pid -i 127.0.0.1 -p 10809 file "$dir/disk.raw"
id=$(submit "$(spec nbd://127.0.0.1:10809 "$dir/tcp.raw")")
wait_state "$id" COMPLETED
same "$dir/disk.raw" "$dir/tcp.raw" raw
systemctl stop test-nbd-tcp
