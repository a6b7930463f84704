#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 240
# vcsim: yes
#
# The curl commands on the published page of the v1 API work as they are written there, with the token in
# place of TOKEN; and the jobs that they submit are done.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=tests/system/lib/lib-vcsim.sh
. "$(dirname "$0")/../lib/lib-vcsim.sh"

grep -qs localhost /etc/hosts || echo "127.0.0.1 localhost" >>/etc/hosts
echo "127.0.0.1 your-server" >>/etc/hosts
systemctl -q enable hyper-tls.socket
systemctl restart hyper.socket
useradd -M -s /usr/sbin/nologin -G hyper-admin admin
chpasswd <<<admin:secret

cat >"$dir/inventory.json" <<'EOF'
{"vms": [{"name": "web-server-01", "power": "off", "disks": [{"size": "4M"}], "nics": [{}]}]}
EOF
vcsim_start -inventory "$dir/inventory.json" -vm 0
printf '%s\n' "$vcsim_password" >"$dir/password"

# is JSON FILTER VALUE WHAT
is() { equal "$(jq -c "$2" <<<"$1")" "$3" "$4: $1"; }

# --- a token -----------------------------------------------------------------------------------------------

# (the first certificate restarts the service, which may interrupt a login)
log_in() {
        answer=$(curl -sk -X POST https://your-server:5080/api/v1/auth/login \
-H "Content-Type: application/json" \
-d '{"username": "admin", "password": "secret"}')
        TOKEN=$(jq -r .token <<<"$answer")
        [[ $TOKEN == hyps_* ]]
}
eventually 30 "admin logs in" log_in
is "$answer" '[.token_type, .role]' '["Bearer","admin"]' "the login"
for page in docs docs/docs.js docs/swagger-ui.css openapi.json health; do
        equal "$(curl -sk -o "$dir/page" -w '%{http_code}' https://your-server:5080/api/v1/$page)" 200 "$page without a token"
done
is "$(curl -sk https://your-server:5080/api/v1/openapi.json)" '["/carbon/intensity", "/carbon/zones",
        "/carbon/status", "/carbon/report", "/carbon/estimate", "/libvirt/domains", "/libvirt/domain",
        "/libvirt/snapshots", "/libvirt/snapshot/create", "/libvirt/networks", "/libvirt/pools", "/libvirt/volumes",
        "/convert/vm", "/convert/status", "/schedules/validate", "/audit/logs", "/upload/chunk", "/vms/deploy"] - [.paths | keys[] | ltrimstr("/api/v1")]' \
        '[]' "the paths that are not described"
is "$(curl -sk -H "Authorization: Bearer $TOKEN" \
https://your-server:5080/api/v1/jobs)" '[.data, .pagination.total]' '[[],0]' "no jobs"

# --- VMs ---------------------------------------------------------------------------------------------------

vms() {
        curl -sk -H "Authorization: Bearer $TOKEN" \
"https://your-server:5080/api/v1/vms/list?provider=vsphere&limit=5"
}
is "$(vms)" '[.data, (.warnings | length)]' '[[],1]' "no provider of this type is connected"

# --- an export ---------------------------------------------------------------------------------------------

submit() {
        curl -sk -X POST https://your-server:5080/api/v1/jobs \
-H "Authorization: Bearer $TOKEN" \
-H "Content-Type: application/json" \
-D "$dir/head" \
-d '{
"type": "export",
"provider": "vsphere",
"vm_name": "web-server-01",
"format": "ova",
"options": {
"compress": true,
"include_snapshots": false,
"destination": "/var/lib/hypersdk/exports/"
}
}'
}
answer=$(submit)
is "$answer" '[.status, .errors[0].field]' '[400,"provider"]' "without a provider"
hyperctl source add vc1 "$vcsim_url" --user="$vcsim_user" --ca="$vcsim_ca" --password-file="$dir/password" ||
        fail "the source is not added"
answer=$(submit)
contains "$(head -1 "$dir/head")" 201 "the status"
id=$(jq -r .id <<<"$answer")
[[ $id =~ ^job-[0-9a-f]{12}$ ]] || fail "the ID: $answer"
contains "$(cat "$dir/head")" "ocation: /api/v1/jobs/$id" "the headers"
is "$answer" '[.type, .provider, .provider_id, .vm_name, .format, .created_by]' \
        '["export","vsphere","vc1","web-server-01","ova","admin"]' "the job"
is "$answer" .options '{"compress":true,"include_snapshots":false,"destination":"/var/lib/hypersdk/exports/"}' "the options"
wait_state "$id" COMPLETED
is "$(vms)" '[.data[0].name, .data[0].provider, .data[0].power_state, .data[0].disks[0].format, .pagination]' \
        '["web-server-01","vsphere","poweredOff","vmdk",{"offset":0,"limit":5,"total":1,"has_more":false}]' "the VMs"
is "$(vms)" '.data[0] | [has("name", "provider", "os", "os_version", "cpu", "memory_mb", "disks", "nics", "power_state",
        "tools_status", "last_seen")] | all' true "the fields of a VM"
is "$(curl -sk -H "Authorization: Bearer $TOKEN" \
"https://your-server:5080/api/v1/vms/list?search=prod-db&os=linux")" .data '[]' "VMs with another name"
is "$(curl -sk -H "Authorization: Bearer $TOKEN" \
"https://your-server:5080/api/v1/vms/list?search=WEB-server")" '[.data[].name]' '["web-server-01"]' "a VM by its name"
tar -tf /var/lib/hypersdk/exports/web-server-01.ova >"$dir/names" || fail "no package"
contains "$(cat "$dir/names")" .ovf "the package"

# --- other jobs --------------------------------------------------------------------------------------------

# post JSON: POST /jobs
post() { curl -sk -H "Authorization: Bearer $TOKEN" -w '\n%{http_code}\n' https://your-server:5080/jobs -d "$1"; }
mkdir -p /var/lib/libvirt/images
raw_image /var/lib/libvirt/images/shop.raw 8
body='{"id": "mine", "type": "convert", "source_path": "/var/lib/libvirt/images/shop.raw", "vm_name": "shop 2", "priority": 70}'
equal "$(post "$body" | tail -1)" 201 "a job of a file"
equal "$(post "$body" | tail -1)" 200 "the same job"
equal "$(post "${body/70/71}" | tail -1)" 409 "another job of the same ID"
wait_state mine COMPLETED
same /var/lib/libvirt/images/shop.raw "/var/lib/hypersdk/exports/shop 2.qcow2" qcow2
post "${body/\"mine\"/\"green\", \"carbon\": {\"max_intensity\": \"low\"\}}" >"$dir/answer"
contains "$(cat "$dir/answer")" '"field":"carbon.max_intensity"' "a job with an intensity that is no number"
key=$(hyperctl key add tool --scope=submit -q)
equal "$(curl -sk -o "$dir/answer" -w '%{http_code}' -H "X-API-Key: $key" https://your-server:5080/jobs \
        -d '{"type": "convert", "source_path": "/root/a.raw"}')" 403 "a path of an administrator"

# --- logs --------------------------------------------------------------------------------------------------

logs() { curl -sk -m 20 -H "Authorization: Bearer $TOKEN" "https://your-server:5080/api/v1/jobs/$1/logs" "${@:2}"; }
logs mine >"$dir/log"
contains "$(tail -1 "$dir/log")" " info Completed" "the last line of the log"
contains "$(logs mine -H 'Accept: text/event-stream')" '"status":"completed"' "the events"
is "$(logs mine -H 'Accept: application/json')" '[.status, (.lines | length) == .pagination.total]' \
        '["completed",true]' "the page of the log"
equal "$(logs mine -o /dev/null -w '%{http_code}' -H 'Accept: image/png')" 406 "another form"

# --- schedules ---------------------------------------------------------------------------------------------

api() { curl -sk -m 20 -H "Authorization: Bearer $TOKEN" "https://your-server:5080/api/v1$1" "${@:2}"; }
answer=$(api /schedules -d '{"id": "nightly", "name": "nightly web", "schedule": "0 2 * * *",
        "job": {"type": "convert", "source_path": "/var/lib/libvirt/images/shop.raw"}}')
is "$answer" '[.id, .status, .job.type, .run_count, .last_run]' '["nightly","enabled","convert",0,null]' "a schedule"
is "$(api /schedules -d '{"schedule": "0 2 * * *", "job": {"type": "convert", "source_path": "a", "format": "x"}}')" \
        '[.errors[].field] | sort' '["job.format","job.source_path"]' "a schedule whose job is wrong"
is "$(api /schedules -d '{"schedule": "0 2 * *", "job": {"type": "convert", "source_path": "/srv/a.raw"}}')" \
        '[.errors[].field]' '["schedule"]' "a schedule without times"
run=$(api /schedules/nightly/run -X POST | jq -r .job_id)
wait_state "$run" COMPLETED
same /var/lib/libvirt/images/shop.raw "/var/lib/hypersdk/exports/$run.qcow2" qcow2
is "$(api "/jobs/$run")" '[.schedule_id, .type, .created_by]' '["nightly","convert","admin"]' "its job"
is "$(api /schedules/nightly -X PUT -d '{"enabled": false}')" '[.status, .schedule]' '["disabled","0 2 * * *"]' "a change"
is "$(api '/schedules?status=disabled')" '[.data[].id]' '["nightly"]' "the schedules"
is "$(api /schedules/validate -d '{"cron": "@hourly"}')" '[.valid, (.next_runs | length)]' '[true,5]' "times"
is "$(api /schedules/nightly -X DELETE)" .id '"nightly"' "a schedule that is deleted"

# --- the WebSocket -----------------------------------------------------------------------------------------

# handshake QUERY: its status; a WebSocket does not end by itself
handshake() {
        curl -sk -N --http1.1 -m 2 -o "$dir/frames" -w '%{http_code}' -H 'Connection: Upgrade' -H 'Upgrade: websocket' \
                -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' \
                "https://your-server:5080/ws?$1" || :
}
ticket=$(api /auth/ticket -X POST | jq -r .ticket)
equal "$(handshake "ticket=$ticket")" 101 "a WebSocket with a ticket"
contains "$(tr -d '\0' <"$dir/frames")" '"type":"jobs"' "the first message"
equal "$(handshake "ticket=$ticket")" 401 "a ticket that was used"
equal "$(handshake "token=$TOKEN")" 101 "a WebSocket with a token"
lacks "$(journalctl -o cat)" "$TOKEN" "the journal"
lacks "$(journalctl -o cat)" "$ticket" "the journal"

# --- lists -------------------------------------------------------------------------------------------------

is "$(curl -sk -H "Authorization: Bearer $TOKEN" \
"https://your-server:5080/api/v1/jobs?offset=0&limit=20")" '[[.data[].id], .pagination]' \
        "[[\"$run\",\"mine\",\"$id\"],{\"offset\":0,\"limit\":20,\"total\":3,\"has_more\":false}]" "page 1"
is "$(curl -sk -H "Authorization: Bearer $TOKEN" \
"https://your-server:5080/api/v1/jobs?offset=20&limit=20")" .data '[]' "page 2"
is "$(curl -sk -H "Authorization: Bearer $TOKEN" \
"https://your-server:5080/api/v1/jobs?status=completed&provider=vsphere&sort=created_at&order=desc&limit=10")" \
        '[.data[].id]' "[\"$id\"]" "the jobs of a provider"
is "$(curl -sk -H "Authorization: Bearer $TOKEN" "https://your-server:5080/api/v1/jobs?search=SHOP%202")" \
        '[.data[].vm_name]' '["shop 2"]' "a search"

# --- readiness, and the carbon intensity of the grid -------------------------------------------------------

hyperctl readiness -j >"$dir/readiness" || :
is "$(cat "$dir/readiness")" '.checks | map(select(.name == "manager" or .name == "qemu_img") | .status)' '["ok","ok"]' \
        "the readiness"
contains "$(hyperctl readiness)" "qemu_img" "the readiness as a table"
is "$(api /carbon/intensity)" '[.status, (.error | contains("carbon.source"))]' '[503,true]' "no source of data"
hyperctl carbon intensity 2>"$dir/err" && fail "there is no source"
contains "$(cat "$dir/err")" "carbon.source" "the error"
mkdir -p /etc/hyper/config.d
printf 'carbon:\n  source: file\n  url: file:///etc/hyper/carbon.json\n  zone: GB\n' >/etc/hyper/config.d/carbon.yaml
# 250 g, but 50 g in the fourth hour
jq -n --argjson now "$(date +%s)" '{zone: "GB", updated_at: ($now | todate), points: [range(30) |
        {from: ($now - 1800 + . * 3600 | todate), to: ($now + 1800 + . * 3600 | todate),
        intensity: (if . == 3 then 50 else 250 end)}]}' >/etc/hyper/carbon.json
hyperctl reload
is "$(api /carbon/intensity)" '[.zone, .intensity, .index, .stale]' '["GB",250,"moderate",false]' "the intensity"
is "$(api '/carbon/intensity?zone=FR')" '[.status, (.error | contains("zone"))]' '[400,true]' "another zone"
is "$(api '/carbon/schedule?duration=30m&limit=2')" '[.duration_minutes, .windows[0].average_intensity, .windows[0].savings_percent]' \
        '[30,50,80]' "the windows"
is "$(api '/carbon/schedule?duration=5')" .status 400 "a duration that is too short"
is "$(api /carbon/zones)" '[.total, .zones[0].id]' '[1,"GB"]' "the zones"
is "$(api /carbon/status -d '{"zone": "GB", "threshold": 100}')" '[.optimal_for_backup, .quality]' '[false,"moderate"]' "the status"
is "$(api /carbon/estimate -d '{"data_size_gb": 10, "duration_hours": 0.5}')" '[.savings_percent, (.delay_minutes > 100)]' \
        '[80,true]' "the estimate"
is "$(api /carbon/estimate -d '{"duration_hours": "x"}')" '[.status, ([.errors[].field] | sort)]' \
        '[400,["data_size_gb","duration_hours"]]' "an estimate of nothing"
is "$(api /carbon/report -d "$(jq -n --argjson now "$(date +%s)" '{job_id: "mine", data_size_gb: 1,
        start_time: ($now - 600 | todate), end_time: ($now | todate)}')")" '[.operation_id, .estimated, .carbon_intensity_gco2_kwh]' \
        '["mine",false,250]' "the report"
is "$(hyperctl carbon intensity -j)" '[.zone, .intensity]' '["GB",250]' "hyperctl carbon intensity"
contains "$(hyperctl carbon intensity)" "250 gCO2eq/kWh" "hyperctl carbon intensity"
is "$(hyperctl carbon windows 30m --limit=1 -j)" '[.windows[].average_intensity]' '[50]' "hyperctl carbon windows"
contains "$(hyperctl carbon windows 2h)" "SAVES" "hyperctl carbon windows"
contains "$(hyperctl carbon zones)" GB "hyperctl carbon zones"
contains "$(hyperctl carbon estimate 10 0.5)" "Wait " "hyperctl carbon estimate"
is "$(hyperctl carbon report mine -j)" '[.operation_id, .energy_kwh >= 0]' '["mine",true]' "hyperctl carbon report"
body='{"id": "green", "type": "convert", "source_path": "/var/lib/libvirt/images/shop.raw", "carbon": {"max_intensity": 100}}'
is "$(post "$body" | head -1)" '[.status, .hold.reason]' '["queued","carbon"]' "a job that waits"
is "$(api /jobs/green/release -X POST)" .id '"green"' "the end of its wait"
wait_state green COMPLETED
is "$(api /jobs/green/release -X POST)" .status 409 "a job that does not wait"
is "$(api /jobs/none/release -X POST)" .status 404 "no job"
api /schedules -d '{"id": "weekly", "schedule": "0 2 * * 0", "job": {"type": "convert",
        "source_path": "/var/lib/libvirt/images/shop.raw"}}' >"$dir/answer"
is "$(api /schedules/weekly -X PUT -d '{"carbon": {"max_intensity": 90}}')" \
        '[.carbon.max_intensity, .schedule, .job.source_path]' '[90,"0 2 * * 0","/var/lib/libvirt/images/shop.raw"]' \
        "a schedule that is to wait for a low intensity"
is "$(api /schedules/weekly -X PUT -d '{"carbon": {"max_intensity": 0, "zone": "FR"}}')" .status 400 "a wrong intensity"
is "$(api /schedules/weekly)" '.carbon.max_intensity' 90 "the schedule after that"
run=$(api /schedules/weekly/trigger -X POST | jq -r .job_id)
is "$(api "/jobs/$run")" '[.status, .hold.reason]' '["queued","carbon"]' "its run"
is "$(api "/jobs/$run" -X DELETE)" .status '"cancelled"' "the run, cancelled"
is "$(api /schedules/weekly -X PUT -d '{"carbon": null}')" .carbon null "a schedule that does not wait"
