#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
# slow: two machines, and a job for each phase in which something is killed
# runs-on: host
# second-machine: yes
#
# The server's manager and its HTTP daemon are killed with SIGKILL in every phase of a job of hyper-agentd:
# each job has one end, a whole output, and all its events.

# shellcheck source=tests/system/lib/lib-agent.sh
. "$(dirname "$0")/../lib/lib-agent.sh"

set_up_server
make_images
set_up_worker

kill_manager() { killed on_server hyper-managerd; }
kill_api() { killed on_server hyper; }
back() { eventually 60 "the agent is connected" is_connected; }
in_every_phase manager kill_manager back
in_every_phase api kill_api back
stop_slow_source
on_server systemctl reset-failed
