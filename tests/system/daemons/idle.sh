#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Nothing runs when nothing happens: the daemons leave after the idle timeout, and are brought back by the
# next client.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

settings 'daemon: {idle_timeout: 2}'
raw_image "$dir/disk.raw" 8
systemctl stop hyper.service
http GET "$api/health" >/dev/null
equal "$(status)" 200 "the health"
id=$(submit "$(spec "$dir/disk.raw" "$dir/disk.qcow2")")
wait_state "$id" COMPLETED
processes() { pgrep -a 'hyper-|qemu-nbd' || :; }
nothing_runs() { [ -z "$(processes)" ]; }
eventually 40 "no process of the suite is left" nothing_runs
equal "$(systemctl is-active hyper.socket hyper-worker.socket hyper-hosts.socket | tr '\n' ' ')" \
        "active active active " "the sockets"
equal "$(systemctl show -P Result hyper.service hyper-managerd.service | tr '\n' ' ')" "success  success " \
        "how the daemons ended" || :
equal "$(http GET "$api/jobs/$id" | jq -r .status)" completed "the job, after a new start by HTTP"
nothing_runs && fail "the API answered without running"
pgrep -x hyper-managerd >/dev/null && fail "a read started the manager"
eventually 40 "no process of the suite is left" nothing_runs
equal "$(state "$id")" COMPLETED "the job, after a new start by the bus"
