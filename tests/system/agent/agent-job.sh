#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 240
# slow: two machines, and several jobs one after the other
# runs-on: host
# second-machine: yes
#
# hyper-agent-job@ID.service takes exactly one job: its end, a kill of the agent, a stop, two at once, and the
# user of a batch system, who may start these units only.

# shellcheck disable=SC2016 # for the shells inside
# shellcheck source=tests/system/lib/lib-agent.sh
. "$(dirname "$0")/../lib/lib-agent.sh"

set_up_server
make_images
# The server accepts jobs for a worker that it knows.
set_up_worker
eventually 20 "the agent is connected" is_connected
on_worker systemctl stop hyper-agentd

local_id() { on_worker journalctl -q -o cat -u 'hyper-agent-job@*' --grep "^Took job $1 of " | tail -n 1 |
        sed 's/.* as \(.*\)\.$/\1/'; }
unit_status() { on_worker systemctl show -P ExecMainStatus "hyper-agent-job@$1.service"; }
agents() { ask /workers | jq '[.workers[].worker_id | select(startswith("w1:"))] | length'; }
is_running() { [ "$(ask "/jobs/$1" | jq -r .state)" = RUNNING ]; }
no_agents() { [ "$(agents)" = 0 ]; }

# one job of two
submit other
submit one
on_worker systemctl start --wait hyper-agent-job@one.service
equal "$(unit_status one)" 0 "the exit status"
ended one
equal "$(ask /jobs/other | jq -r .state)" QUEUED "the other job"
equal "$(agents)" 0 "agents that the server still knows"
on_worker test ! -e /var/lib/hyper-agent-job/one || fail "the directory of the job is left"

# again: it has ended
on_worker systemctl start --wait hyper-agent-job@one.service
equal "$(unit_status one)" 0 "the exit status for a job that has ended"
on_worker systemctl start --wait hyper-agent-job@none.service || :
equal "$(unit_status none)" 66 "the exit status for a job that does not exist"

# kill -9 of the agent, and another agent, under another name, for the same job
submit killed-slow
on_worker systemctl start --no-block hyper-agent-job@killed-slow.service
eventually 30 "the job runs" is_running killed-slow
status=0
said=$(on_worker sh -c 'sed "s/id: w1/id: w2/" /etc/hyper/agent.yaml >/run/w2.yaml
        CREDENTIALS_DIRECTORY=/run/w2 STATE_DIRECTORY=/run/w2; export CREDENTIALS_DIRECTORY STATE_DIRECTORY
        mkdir -p /run/w2; cp /etc/credstore/hyper-agent.api-key /run/w2/
        /usr/libexec/hyper-agentd --config=/run/w2.yaml --job=killed-slow 2>&1') || status=$?
equal "$status" 75 "the exit status of a second agent, which says: $said"
contains "$said" "is held by worker w1:killed-slow:" "what the second agent says"
on_worker systemctl kill --signal=KILL hyper-agent-job@killed-slow.service
ended killed-slow
eventually 30 "the server has forgotten the agent" no_agents
equal "$(unit_status killed-slow)" 0 "the exit status after a kill"
equal "$(ask /jobs/killed-slow | jq .attempt)" 1 "the attempts"

# a stop cancels it here, and the server is told
submit stopped-slow '.execution_policy.retry_count = 0'
on_worker systemctl start --no-block hyper-agent-job@stopped-slow.service
eventually 30 "the job runs" is_running stopped-slow
on_worker systemctl stop hyper-agent-job@stopped-slow.service
equal "$(ask /jobs/stopped-slow | jq -r '[.state, .result.error.code] | join(" ")')" \
        "FAILED cancelled_on_worker" "the stopped job"
on_worker test ! -e "$directory/stopped-slow.qcow2" || fail "a stopped job has an output"
eventually 30 "the server has forgotten the agent" no_agents

# the user of a batch system
on_worker sh -ec 'useradd -r hyper-slurm; systemctl reset-failed
        sed "" /usr/share/doc/hyper/agent-job.rules.example >/etc/polkit-1/rules.d/51-hyper-agent-job.rules
        systemctl try-restart polkit'
status=0
as_user() { on_worker setpriv --reuid=hyper-slurm --clear-groups "$@"; }
as_user bash /usr/share/doc/hyper/agent-job.example other || status=$?
equal "$status" 0 "the exit status of the script"
ended other
if as_user systemctl start --no-ask-password hyper-agentd.service 2>/dev/null; then
        fail "the user may start other units, too"
fi
on_worker systemd-analyze verify --man=no hyper-agent-job@x.service
