#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 240
# runs-on: host
#
# After a power cut a job goes on from its checkpoint instead of beginning anew, and the result is right to
# the byte.

# shellcheck disable=SC2016 # much of it is for the shell inside
# shellcheck source=tests/system/lib/host.sh
. "$(dirname "$0")/../lib/host.sh"

inside sh -c 'mkdir -p /srv/cut; cd /srv/cut; head -c 96M /dev/urandom >disk.raw; sync
cat >/etc/systemd/system/test-nbd.service <<EOF
[Service]
Type=forking
PIDFile=/run/test-nbd.pid
ExecStart=nbdkit --pidfile /run/test-nbd.pid -U /run/test-nbd.sock --filter=rate file /srv/cut/disk.raw rate=64M
[Install]
WantedBy=multi-user.target
EOF
systemctl daemon-reload; systemctl enable -q --now test-nbd.service; sync'
lib 'submit "$(spec "nbd+unix:///?socket=/run/test-nbd.sock" /srv/cut/disk.out.raw ".job_id = \"cut\" | .execution_policy = {idempotent: true, retry_count: 3} | .parameters.verify = true")"'
lib 'wait_bytes cut 60000000'
machine crash
machine up
lib 'wait_state cut COMPLETED 120; same /srv/cut/disk.raw /srv/cut/disk.out.raw raw; no_part_left /srv/cut'
inside systemctl stop test-nbd.service
inside rm -rf /srv/cut
