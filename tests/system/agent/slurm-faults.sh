#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 900
# tier: all
# runs-on: host
# second-machine: yes
# machine: slurm
#
# Jobs that Slurm places, and what may go wrong: scancel, a time limit, a node that is lost, a second job of
# Slurm for the same job, a cut of the network. Each job has one end, and one writer.

# shellcheck disable=SC2016 # for the shells inside
# shellcheck source=tests/system/lib/lib-slurm.sh
. "$(dirname "$0")/../lib/lib-slurm.sh"

set_up_server
make_images
worker_lib 'serve /srv/agent/very-slow.sock --filter=rate file /srv/agent/slow.raw rate=3M'
set_up_worker
on_worker systemctl stop hyper-agentd
set_up_slurm n1 n2

# takes more than a minute
submit_very_slow() { submit_to_slurm "$1" ".image.path = \"nbd+unix:///?socket=$directory/very-slow.sock\" | ${2:-.}"; }
ends() { ask "/jobs/$1" | jq -r '[.state_history[].state] | join(" ")' | grep -oE 'COMPLETED|FAILED|CANCELLED' | wc -l; }
is_moving() { [ -n "$(local_id "$1")" ] && on_worker sh -c \
        'journalctl -q -o cat "HYPER_JOB_ID=$1" --grep "% complete" | grep -q .' _ "$(local_id "$1")"; }
one_end() {
        eventually 120 "job $1 ends" has_ended "$1"
        equal "$(state "$1")" "$2" "the end of job $1: $(ask "/jobs/$1" | jq -c .result)"
        equal "$(ends "$1")" 1 "the number of ends of job $1"
        eventually 120 "nothing of job $1 runs" no_units
        on_worker test ! -e "$directory/.$1.qcow2.hyper-part" || [ "$2" = FAILED ] || fail "a part of $1 is left"
}

# scancel while it runs
submit_very_slow scancelled '.execution_policy.retry_count = 0'
eventually 90 "the job moves bytes" is_moving scancelled
on_server scancel "$(slurm_number scancelled)"
one_end scancelled FAILED
on_worker test ! -e "$directory/scancelled.qcow2" || fail "a job that was stopped has an output"

# the time limit of Slurm
submit_very_slow limited '.execution_policy.retry_count = 0'
eventually 90 "the job moves bytes" is_moving limited
on_server scontrol update "jobid=$(slurm_number limited)" TimeLimit=0:05
eventually 240 "Slurm ends the job" is_slurm_state limited TIMEOUT
one_end limited FAILED

# slurmd and the script are killed: the agent completes the job, and the next script finds that
submit_to_slurm lost-slow
eventually 90 "the job moves bytes" is_moving lost-slow
node=$(on_server squeue -h -j "$(slurm_number lost-slow)" -o %N)
on_worker systemctl kill --signal=KILL "slurmd-$node"
one_end lost-slow COMPLETED
ended lost-slow
eventually 120 "Slurm has lost the node" on_server sh -c "sinfo -h -n $node -o %t | grep -q down"
start_node "$node"
eventually 60 "the nodes are idle" nodes_are_idle 2
eventually 300 "Slurm has no job any more" on_server sh -c '! squeue -h | grep -q .'
equal "$(ends lost-slow)" 1 "the ends of the job after the requeue"
equal "$(slurm_jobs lost-slow | wc -l)" 1 "the jobs in Slurm"

# another job of Slurm for the same job
submit_very_slow double
eventually 90 "the job moves bytes" is_moving double
comment=$(on_server squeue -h -j "$(slurm_number double)" -o %k)
on_server setpriv --reuid=hyper-slurm --regid=hyper-slurm --clear-groups sbatch -Q -D / -o /dev/null \
        --mem=100 --comment="$comment" --wrap='systemctl start --wait hyper-agent-job@double.service'
eventually 60 "the second job of Slurm is cancelled" is_slurm_state double CANCELLED
equal "$(slurm_jobs double | head -n 1 | cut -d' ' -f2)" RUNNING "the first job of Slurm"
on_server hyperctl cancel double
one_end double CANCELLED

# the network is cut while it runs
submit_to_slurm cut-slow
eventually 90 "the job moves bytes" is_moving cut-slow
worker_machine cut
sleep 20 # longer than SlurmdTimeout
worker_machine mend
one_end cut-slow COMPLETED
ended cut-slow
stop_slow_source
worker_lib 'stop_serving /srv/agent/very-slow.sock'
