#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
# slow: two machines, Slurm, and several jobs one after the other
# runs-on: host
# second-machine: yes
# machine: slurm
#
# Jobs that Slurm places: to the end; the reason why one waits; cancelled here and in Slurm; hyper-slurmd,
# hyper-managerd and slurmctld are killed, and nothing is submitted twice.

# shellcheck disable=SC2016 # for the shells inside
# shellcheck source=tests/system/lib/lib-slurm.sh
. "$(dirname "$0")/../lib/lib-slurm.sh"

fail() {
        echo "FAILED (${BASH_SOURCE[1]##*/}:${BASH_LINENO[0]}): $*"
        slurm_context || :
        exit 1
}
set_up_server
make_images
set_up_worker
on_worker systemctl stop hyper-agentd
if submit_to_slurm early 2>/dev/null; then fail "a job is accepted for Slurm, which is not configured"; fi
set_up_slurm n1

# to the end, on a node with the label
submit_to_slurm one '.placement = {all: ["san-b"], preferred: ["fast"]}'
ended one
contains "$(on_server squeue -h -t all -o '%k %f')" ":one san-b" "the features that the job needs"
eventually 30 "the script ends" is_slurm_state one COMPLETED
equal "$(slurm_jobs one | wc -l)" 1 "the jobs in Slurm"
eventually 60 "hyper-slurmd ends" on_server sh -c '! systemctl -q is-active hyper-slurmd'
equal "$(on_server systemctl show -P Result hyper-slurmd)" success "the end of hyper-slurmd"

# no node has the label
submit_to_slurm nowhere '.placement = {all: ["vlan10"]}'
eventually 30 "Slurm refuses the job" does_wait_for nowhere slurm:REFUSED
on_server hyperctl cancel nowhere

# it waits, and the reason is shown; cancelled here
on_server scontrol update nodename=n1 state=drain reason=test
submit_to_slurm waits
eventually 30 "the job is in Slurm" is_slurm_state waits PENDING
eventually 30 "the reason is known" does_wait_for waits slurm:Re
contains "$(on_server busctl get-property org.hyper1 /org/hyper1/job/waits org.hyper1.Job WaitsFor)" slurm:Re \
        "what the bus says"
on_server hyperctl cancel waits
eventually 30 "the job is cancelled in Slurm" is_slurm_state waits CANCELLED
equal "$(state waits)" CANCELLED "the job"

# cancelled in Slurm
submit_to_slurm scancelled
eventually 30 "the job is in Slurm" is_slurm_state scancelled PENDING
on_server scancel "$(slurm_number scancelled)"
eventually 30 "the job is cancelled" is_state scancelled CANCELLED
contains "$(ask /jobs/scancelled | jq -r '.state_history[-1].reason')" "was cancelled" "the reason"

# killed between the submission and its record, in many places
for i in 1 2 3 4 5 6; do
        submit_to_slurm "killed-$i"
        on_server systemctl kill --signal=KILL hyper-slurmd || :
        [ $((i % 2)) = 0 ] || on_server systemctl kill --signal=KILL hyper-managerd || :
done
for i in 1 2 3 4 5 6; do eventually 60 "job $i is in Slurm" is_slurm_state "killed-$i" PENDING; done
on_server scontrol update nodename=n1 state=resume
for i in 1 2 3 4 5 6; do
        ended "killed-$i"
        equal "$(slurm_jobs "killed-$i" | wc -l)" 1 "the jobs in Slurm for killed-$i"
done
on_server systemctl reset-failed

# slurmctld is killed while a job runs
submit_to_slurm controller-slow
eventually 60 "the job runs" is_state controller-slow RUNNING
on_server sh -ec 'systemctl kill --signal=KILL slurmctld; sleep 1; systemctl reset-failed slurmctld; systemctl restart slurmctld'
ended controller-slow
# (slurmctld knows nothing of a job that it has not saved when it is killed)
[ "$(slurm_jobs controller-slow | wc -l)" -le 1 ] || fail "Slurm has two jobs for one: $(slurm_jobs controller-slow)"

# a running job is cancelled
submit_to_slurm cancelled-slow
eventually 60 "the job runs" is_state cancelled-slow RUNNING
on_server hyperctl cancel cancelled-slow
eventually 60 "nothing of it runs" no_units
eventually 60 "the job of Slurm ends" is_slurm_state cancelled-slow CANCELLED
equal "$(state cancelled-slow)" CANCELLED "the job"
on_worker test ! -e "$directory/cancelled-slow.qcow2" || fail "a cancelled job has an output"
stop_slow_source
