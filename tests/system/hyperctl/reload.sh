#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# hyperctl reload: what it says is in force in each daemon when it returns, and what is not, it names;
# hyperctl config shows
# what is in force, not what is in the file.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

mkdir -p /etc/hyper/config.d
config() { printf '%s\n' "$1" >/etc/hyper/config.d/90-test.yaml; }
# answer URL [CURL OPTIONS…]: the status of the answer
answer() { curl -sS -m 20 -o "$dir/body" -D "$dir/headers" -w '%{http_code}' "${@:2}" "$1"; }
in_force() { hyperctl config --json=short | jq -c "$1"; }
pid() { systemctl show -P MainPID hyper.service; }

equal "$(in_force '."hyper-apid"')" null "what is in force in an API that does not run"
equal "$(answer "$api/status")" 200 "the status without a key"
before=$(pid)
equal "$(in_force '[."hyper-apid".api.require_key, ."hyper-managerd".jobs.max_running != 3]')" \
        '[false,true]' "the configuration"

# What is in the file is not in force yet.
config '{api: {require_key: true, cors_origins: ["http://a.example"], rate_limit: 2, rate_burst: 2}, jobs: {max_running: 3}, metrics: {enabled: false}, hypersdk: {submit_status: "200"}}'
equal "$(in_force '[."hyper-apid".api.require_key, ."hyper-managerd".jobs.max_running != 3]')" \
        '[false,true]' "what is in force before reload"
equal "$(answer "$api/status")" 200 "the status before reload"

# A connection that is open goes on, with the new rules.
key=$(hyperctl key add -q reload --scope=read)
equal "$(hyperctl reload 2>&1)" "" "what reload says"
equal "$(answer "$api/status")" 401 "the status without a key"
equal "$(answer "$api/status" -H "X-API-Key: $key" -H 'Origin: http://a.example')" 200 "the status with a key"
grep -qi '^access-control-allow-origin: http://a.example' "$dir/headers" ||
        fail "no header for CORS: $(cat "$dir/headers")"
equal "$(answer "$api/metrics" -H "X-API-Key: $key")" 404 "the metrics"
equal "$(answer "$api/status" -H "X-API-Key: $key")" 429 "the third request of two a minute"
equal "$(in_force '[."hyper-apid".api.require_key, ."hyper-apid".api.rate_limit, ."hyper-managerd".jobs.max_running]')" '[true,2,3]' "the configuration"
equal "$(pid)" "$before" "the process of the API"

# A mistake leaves all of it in force.
config 'api: {require_key: perhaps}'
status=0
error=$(hyperctl reload 2>&1) || status=$?
equal "$status" 6 "the exit status of reload with a mistake"
contains "$error" api.require_key "the error"
equal "$(in_force '."hyper-apid".api.require_key')" true "the configuration"

# What needs a restart is named, by each daemon that it concerns, and the old value is what is in force.
config 'database: {path: /var/lib/hyper/other.db}'
error=$(hyperctl reload 2>&1) || fail "reload: status $?: $error"
contains "$error" 'hyper-managerd: the new value of database.path is in force after "systemctl restart hyper-managerd.service"' "the warning"
contains "$error" \
        'hyper-apid: the new value of database.path is in force after "systemctl restart hyper.service"' \
        "the warning"
equal "$(in_force '[."hyper-apid", ."hyper-managerd"] | map(.database.path) | unique')" \
        '["/var/lib/hyper/hyper.db"]' "the database in force"
equal "$(answer "$api/status")" 200 "the status without a key, when none is required any more"

# hyper-agentd has a file of its own.
cat >/etc/hyper/agent.yaml <<EOT
server: {url: "http://127.0.0.1:8000"}
worker: {id: here, max_jobs: 3}
EOT
systemctl start hyper-agentd.service
agent=$(systemctl show -P MainPID hyper-agentd.service)
equal "$(in_force '."hyper-agentd".worker.max_jobs')" 3 "the configuration of hyper-agentd"
sed -i 's/max_jobs: 3/max_jobs: 5/' /etc/hyper/agent.yaml
hyperctl reload 2>/dev/null || fail "reload with hyper-agentd"
equal "$(in_force '."hyper-agentd".worker | [.id, .max_jobs]')" '["here",5]' "the configuration of hyper-agentd"
equal "$(systemctl show -P MainPID hyper-agentd.service)" "$agent" "the process of hyper-agentd"
sed -i 's/max_jobs: 5/max_jobs: many/' /etc/hyper/agent.yaml
error=$(hyperctl reload 2>&1) && fail "reload with a mistake in agent.yaml"
contains "$error" worker.max_jobs "the error"
equal "$(in_force '."hyper-agentd".worker.max_jobs')" 5 "the configuration of hyper-agentd"
error=$(as hyper-viewer busctl call org.hyper1.Agent /org/hyper1/agent org.hyper1.Agent Reload 2>&1) &&
        fail "a viewer may reload hyper-agentd"
contains "$error" "Not allowed (org.hyper1.manage-jobs)" "the error"
systemctl stop hyper-agentd.service
rm /etc/hyper/agent.yaml

# Who may not reload the manager may not reload the API.
error=$(as hyper-viewer busctl call org.hyper1.Api /org/hyper1/api org.hyper1.Api Reload 2>&1) &&
        fail "a viewer may reload the API"
contains "$error" "Not allowed (org.hyper1.manage-jobs)" "the error"
error=$(as '' busctl call org.hyper1.Api /org/hyper1/api org.hyper1.Api GetConfig 2>&1) &&
        fail "a user without a role may read the configuration"
rm /etc/hyper/config.d/90-test.yaml
# The bus goes away and comes back, and so does the name.
systemctl restart dbus.service
has_name() { busctl status org.hyper1.Api >/dev/null 2>&1; }
answer "$api/health" >/dev/null
eventually 20 "the API has its name again" has_name
