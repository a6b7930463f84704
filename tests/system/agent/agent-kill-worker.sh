#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
# slow: two machines, and a job for each phase in which something is killed
# runs-on: host
# second-machine: yes
#
# hyper-agentd and the manager beside it are killed with SIGKILL in every phase of a job: each job has one
# end, a whole output, and all its events.

# shellcheck source=tests/system/lib/lib-agent.sh
. "$(dirname "$0")/../lib/lib-agent.sh"

set_up_server
make_images
set_up_worker

kill_agent() { killed on_worker hyper-agentd; }
kill_manager() { killed on_worker hyper-managerd; }
back() { eventually 60 "the agent is connected" is_connected; }
in_every_phase agent kill_agent back
in_every_phase manager kill_manager back
stop_slow_source
on_worker systemctl reset-failed
