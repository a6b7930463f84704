#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the tests of jobs that Slurm places share: slurmctld and slurmrestd are on the server, beside its
# queue, and slurmd is on the worker.

# shellcheck disable=SC2016 # for the shells inside
# shellcheck source=tests/system/lib/lib-agent.sh
. "$(dirname "$0")/../lib/lib-agent.sh"

# set_up_slurm NODE…: each is a slurmd of its own on the worker
set_up_slurm() {
        local node port=17001 nodes='' conf
        for node in "$@"; do
                nodes+="NodeName=$node NodeHostname=hyper-machine NodeAddr=10.77.0.1 Port=$port CPUs=2 RealMemory=2000 Feature=san-b"$'\n'
                port=$((port + 1))
        done
        conf=$(
                cat <<END
ClusterName=hyper
SlurmctldHost=hyper-machine(10.77.0.2)
SlurmUser=slurm
AuthType=auth/munge
AuthAltTypes=auth/jwt
AuthAltParameters=jwt_key=/var/spool/slurmctld/jwt.key
StateSaveLocation=/var/spool/slurmctld
SlurmdSpoolDir=/var/spool/slurmd.%n
SlurmctldPidFile=/run/slurmctld.pid
SlurmdPidFile=/run/slurmd.%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
PriorityType=priority/basic
SchedulerParameters=sched_interval=2,bf_interval=2
SlurmdTimeout=12
SlurmctldTimeout=30
InactiveLimit=0
KillWait=60
MinJobAge=3600
ReturnToService=2
RequeueExit=75
Licenses=vcenter_vc1:1
END
                printf '%s' "$nodes"
                echo "PartitionName=hyper Nodes=$(IFS=,; echo "$*") Default=YES MaxTime=INFINITE State=UP"
        )
        on_server sh -ec 'mkdir -p /etc/slurm; cat >/etc/slurm/slurm.conf' <<<"$conf"
        on_worker sh -ec 'mkdir -p /etc/slurm; cat >/etc/slurm/slurm.conf' <<<"$conf"
        on_server cat /etc/munge/munge.key |
                on_worker sh -ec 'cat >/etc/munge/munge.key; systemctl restart munge'
        # The user of the jobs has the same number everywhere.
        for machine in on_server on_worker; do
                $machine sh -ec 'useradd -r -u 870 -s /usr/sbin/nologin hyper-slurm
                        printf "CgroupPlugin=cgroup/v1\nIgnoreSystemd=yes\n" >/etc/slurm/cgroup.conf'
        done
        on_server sh -ec 'systemctl restart munge
                install -d -o slurm -g slurm /var/spool/slurmctld
                (umask 077; head -c 32 /dev/urandom >/var/spool/slurmctld/jwt.key); chown slurm: /var/spool/slurmctld/jwt.key
                systemctl restart slurmctld
                useradd -r -s /usr/sbin/nologin slurmrest
                systemd-run -q --unit=rest -p User=slurmrest -p Group=hyper-slurmd \
                        -p RuntimeDirectory=slurmrest -p RuntimeDirectoryMode=0710 -p Restart=on-failure \
                        -p Environment=SLURM_JWT=daemon \
                        /usr/sbin/slurmrestd -a rest_auth/jwt -s openapi/v0.0.38 unix:/run/slurmrest/socket
                mkdir -p /etc/credstore
                (umask 077; scontrol token username=hyper-slurm lifespan=86400 | sed -n "s/^SLURM_JWT=//p" >/etc/credstore/hyper.slurm-token)
                printf "slurm:\n  url: unix:/run/slurmrest/socket\n  memory: 100\n  licenses: [\"vcenter:*\"]\n" >/etc/hyper/config.d/91-slurm.yaml
                systemctl reload hyper-managerd || systemctl restart hyper-managerd'
        on_worker sh -ec 'cp /usr/share/doc/hyper/agent-job.rules.example /etc/polkit-1/rules.d/51-hyper-agent-job.rules
                systemctl try-restart polkit'
        for node in "$@"; do start_node "$node"; done
        eventually 60 "the nodes are idle" nodes_are_idle $#
}
start_node() {
        on_worker sh -ec 'mkdir -p /var/spool/slurmd.$1; systemctl reset-failed slurmd-$1 2>/dev/null || :
                systemd-run -q --unit=slurmd-$1 -p KillMode=process -p Delegate=yes /usr/sbin/slurmd -D -s -N $1' _ "$1"
}
nodes_are_idle() { [ "$(on_server sinfo -h -t idle -o %D)" = "$1" ]; }

# the jobs of Slurm for ID, oldest first: number and state
slurm_jobs() { on_server sh -c 'squeue -h -t all -S i -o "%i %T %k" | sed -n "s/^\([0-9]* [A-Z_]*\) hyper:[0-9a-f]*:$1\$/\1/p"' _ "$1"; }
slurm_state() { slurm_jobs "$1" | tail -n 1 | cut -d' ' -f2; }
slurm_number() { slurm_jobs "$1" | tail -n 1 | cut -d' ' -f1; }
is_slurm_state() { [ "$(slurm_state "$1")" = "$2" ]; }
waits_for() { ask "/jobs/$1" | jq -r '(.waits_for // []) | join(" ")'; }
does_wait_for() { case " $(waits_for "$1") " in *" $2"*) ;; *) return 1 ;; esac; }
# see lib-agent.sh: here, each agent is a unit of its own
local_id() { on_worker journalctl -q -o cat -u 'hyper-agent-job@*' --grep "^Took job $1 of " | tail -n 1 |
        sed 's/.* as \(.*\)\.$/\1/'; }
submit_to_slurm() { submit "$1" ".executor = \"slurm\" | ${2:-.}"; }
no_units() { ! on_worker systemctl list-units --no-legend 'hyper-agent-job@*' 'hyper-job-*' | grep -q .; }
slurm_context() {
        on_server sh -c 'squeue -t all -o "%i %T %r %k"; sinfo -l; journalctl -q --no-pager -u hyper-slurmd -u hyper-managerd -u slurmctld -u rest -n 60'
        on_worker journalctl -q --no-pager -u 'slurmd-*' -u 'hyper-agent-job@*' -n 60
}
