#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
# slow: the power of two machines is cut in each phase of a job
# runs-on: host
# second-machine: yes
#
# The power of the worker, and that of the server, is cut in every phase of a job of hyper-agentd: each job
# has one end and a whole output. (Events that no disk had are lost with their journal.)

# shellcheck source=tests/system/lib/lib-agent.sh
. "$(dirname "$0")/../lib/lib-agent.sh"

set_up_server
make_images
set_up_worker

cut_worker() { worker_machine crash; }
boot_worker() {
        worker_machine up
        plug
        slow_source
        eventually 60 "the agent is connected" is_connected
}
in_every_phase worker cut_worker boot_worker some

cut_server() { server_machine crash; }
boot_server() {
        server_machine up
        plug
        eventually 90 "the agent is connected" is_connected
}
in_every_phase server cut_server boot_server some
stop_slow_source
