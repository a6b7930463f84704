#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
# slow: two machines, and the cable is out for longer than requests take to give up
# runs-on: host
# second-machine: yes
#
# The cable between server and hyper-agentd is pulled out in every phase of a job, for a moment and for
# longer: each job has one end, a whole output, and all its events.

# shellcheck source=tests/system/lib/lib-agent.sh
. "$(dirname "$0")/../lib/lib-agent.sh"

set_up_server
make_images
set_up_worker

cut() { worker_machine cut; }
mend() {
        worker_machine mend
        eventually 90 "the agent is connected" is_connected
}
in_every_phase short cut mend

# Long enough for both to notice: meanwhile the job is done, and is told of afterwards.
submit long-slow
eventually 30 "the job moves" is_moving long-slow
eventually 30 "the server knows" is_state long-slow RUNNING
cut
eventually 60 "the agent sees that the link is gone" is_not_connected
equal "$(local_state long-slow)" COMPLETED "the job on the worker"
equal "$(state long-slow)" RUNNING "the job on the server"
mend
ended long-slow

# A job that was given out into a link that was dead: the answer never came.
on_worker systemctl kill -s STOP hyper-agentd
submit lost
eventually 30 "the job is given out" is_state lost ASSIGNED
cut
on_worker systemctl kill -s KILL hyper-agentd
mend
ended lost
stop_slow_source
on_worker systemctl reset-failed
