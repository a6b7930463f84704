#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 240
# slow: two machines are booted, and a worker waits for the server several times
# runs-on: host
# second-machine: yes
#
# hyper-agentd, when all goes well and when somebody says no: jobs, events, results, cancels, refusals, keys.

# shellcheck disable=SC2016 # for the shells inside
# shellcheck source=tests/system/lib/lib-agent.sh
. "$(dirname "$0")/../lib/lib-agent.sh"

set_up_server
make_images

# --- the configuration -------------------------------------------------------------------------------------

# check WHAT-IT-SAYS EXIT-STATUS: hyper-agentd --check
check() {
        local said status=0
        said=$(on_worker /usr/libexec/hyper-agentd --check 2>&1) || status=$?
        contains "$said" "$1" "what --check says"
        equal "$status" "$2" "the exit status of --check, which says: $said"
}
on_worker sh -c 'echo "server: {url: \"http://10.77.0.2:8000\", ur: 1}" >/etc/hyper/agent.yaml'
check "/etc/hyper/agent.yaml:1: server.ur: there is no such setting" 78
printf '%s\n' "$key" | on_worker sh -c 'mkdir -p /etc/credstore; cat >/etc/credstore/hyper-agent.api-key; echo "server: {url: \"http://10.77.0.2:8000\"}" >/etc/hyper/agent.yaml'
check "server.allow_insecure" 78
on_worker sh -c 'echo "server: {url: \"http://10.77.0.2:8000\", allow_insecure: true}" >/etc/hyper/agent.yaml'
check "Server: http://10.77.0.2:8000 answers, and knows the API key." 0
check '"qemu_img"' 0

# --- jobs --------------------------------------------------------------------------------------------------

set_up_worker
eventually 20 "the agent is connected" is_connected
equal "$(ask /workers | jq -c '.workers[] | [.worker_id, .active, .capabilities]')" \
        '["w1",true,["qemu_img","nbd_access"]]' "the worker"
submit first '.placement = {all: ["san-b"], none: ["test"]}'
submit second-slow
eventually 20 "the agent has both" is_taken second-slow
contains "$(agent_status)" "connected to http://10.77.0.2:8000 as w1" "the status"
ended first
ended second-slow
contains "$(ask /jobs/second-slow/events)" '"bytes_processed"' "bytes in events"

# as many at a time as it may have
for i in 1 2 3 4 5 6; do submit "many-$i-slow"; done
eventually 30 "four are taken" is_taken many-4-slow
equal "$(ask /queue | jq .total_jobs)" 2 "those that wait"
for i in 1 2 3 4 5 6; do ended "many-$i-slow"; done

# --- no ----------------------------------------------------------------------------------------------------

# The worker's own settings count
on_worker sh -c 'mkdir -p /etc/hyper/config.d; echo "jobs: {destination_paths: [/mnt]}" >/etc/hyper/config.d/90-test.yaml; hyperctl reload'
submit refused '.execution_policy.retry_count = 0'
eventually 20 "the refused job ends" has_ended refused
equal "$(ask /jobs/refused | jq -r '[.state, .result.error.code] | join(" ")')" "FAILED refused_by_worker" \
        "a path that the worker's settings forbid"
contains "$(ask /jobs/refused | jq -r .result.error.message)" /srv/agent/refused.qcow2 "why"
on_worker sh -c 'rm /etc/hyper/config.d/90-test.yaml; hyperctl reload'

# A failure that trying again cannot help is one attempt, whatever the policy
on_worker sh -c 'head -c 1M /dev/urandom >/srv/agent/broken.vmdk'
submit broken '.image = {path: "/srv/agent/broken.vmdk", format: "vmdk"}'
eventually 20 "the broken job ends" has_ended broken
equal "$(ask /jobs/broken | jq -c '[.state, .attempt]')" '["FAILED",1]' "a broken image"

# A cancel on the server stops the job here, and leaves nothing of it
submit cancelled-slow
eventually 20 "it moves" is_moving cancelled-slow
server_lib 'cancel cancelled-slow'
eventually 20 "it is cancelled here, too" is_local_state cancelled-slow CANCELLED
eventually 20 "it is forgotten" is_forgotten cancelled-slow
gone() { [ -z "$(on_worker find /srv/agent -name '.cancelled-slow*')" ]; }
eventually 20 "its unfinished output is gone" gone
equal "$(state cancelled-slow)" CANCELLED "its state"

# A worker that was removed comes again
server_lib 'busctl -q call "${manager[@]}" UnregisterWorker s w1'
is_registered() { [ "$(ask /workers | jq .total)" = 1 ]; }
eventually 20 "the worker is registered again" is_registered
submit after
ended after

# --- keys --------------------------------------------------------------------------------------------------

said() { on_worker journalctl -q -o cat -u hyper-agentd; }
lacks "$(on_worker journalctl -q -o cat; on_worker sh -c 'pid=$(systemctl show -P MainPID hyper-agentd); tr "\0" " " </proc/$pid/cmdline; tr "\0" " " </proc/$pid/environ; systemctl show hyper-agentd')" "$key" "the key in log, arguments, environment and properties"
on_server sh -c 'hyperctl key add reader --scope=read -q >/etc/reader.key'
key=$(on_server cat /etc/reader.key) && set_up_worker
eventually 20 "a key of another scope is told" is_not_connected
contains "$(agent_status)" "403" "the status with a key of another scope"
contains "$(agent_status)" "the key must have the scope work" "the remedy"
key=hk_0000000000000000000000000000000000000000000 && set_up_worker
eventually 20 "a key that is none is told" is_not_connected
contains "$(agent_status)" "401" "the status with a key that is none"
equal "$(said | grep -c 'Failed to connect.*401')" 1 "how often the log says it"
key=$(on_server cat /etc/worker.key) && set_up_worker
eventually 20 "the right key" is_connected
submit last
ended last
stop_slow_source
