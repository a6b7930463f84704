#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
# runs-on: host
#
# Carbon intensity with the real services: a simulated service in the published form, a file; jobs that wait
# start in their window, at their deadline, when they are released, after a power cut, and at once if the file
# is gone.

# shellcheck disable=SC2016 # much of it is for the shell inside
# shellcheck source=tests/system/lib/host.sh
. "$(dirname "$0")/../lib/host.sh"

lib 'systemctl -q enable hyper-tls.socket; systemctl restart hyper.socket
mkdir -p /srv/carbon /var/lib/libvirt/images /etc/hyper/config.d
hyperctl key add carbon --scope=submit,read -q >/srv/carbon/key
raw_image /var/lib/libvirt/images/a.raw 1
cat >/srv/carbon/service.py <<"END"
import datetime, http.server, json, re
half = datetime.timedelta(minutes=30)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        match = re.fullmatch(r"/intensity/(\d{4}-\d\d-\d\dT\d\d:\d\dZ)/fw48h", self.path)
        body, status = {"error": "no"}, 404
        if match:
            status, data = 200, []
            at = datetime.datetime.strptime(match[1], "%Y-%m-%dT%H:%MZ")
            at = at.replace(minute=at.minute // 30 * 30)
            for i in range(96):
                data.append({"from": at.strftime("%Y-%m-%dT%H:%MZ"), "to": (at + half).strftime("%Y-%m-%dT%H:%MZ"),
                             "intensity": {"forecast": 60 if i == 6 else 200 + i, "actual": None, "index": "low"}})
                at += half
            body = {"data": data}
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())
http.server.HTTPServer(("127.0.0.1", 8700), Handler).serve_forever()
END
sync'
# the functions that each part uses
functions='cd /srv/carbon
api() { curl -sSk -m 30 -H "X-API-Key: $(cat key)" -o body -w "%{http_code}" "https://localhost:5080/api/v1$1" "${@:2}"; }
is() { equal "$(jq -c "$1" body)" "$2" "$3: $(cat body)"; }
at() { date -u -d "@$(($(date +%s) + $1))" +%FT%TZ; }
# points SECONDS: high until then, and low for two hours
points() { jq -n --arg a "$(at -600)" --arg b "$(at "$1")" --arg c "$(at $(($1 + 7200)))" --arg now "$(at -1)" \
        "{zone: \"TEST\", updated_at: \$now, points: [{from: \$a, to: \$b, intensity: 500}, {from: \$b, to: \$c, intensity: 50}]}" \
        >/etc/hyper/carbon.json
        sync
        # (it remembers an answer for some seconds)
        systemctl restart hyper-managerd; }
# held ID CARBON [STATUS]: submits a job
held() { equal "$(api /jobs -d "{\"id\":\"$1\",\"type\":\"convert\",\"source_path\":\"/var/lib/libvirt/images/a.raw\",\"vm_name\":\"$1\",\"carbon\":$2}")" "${3:-201}" "job $1"; }
# waits ID: it does, and its timer runs; the time is in ID.until
waits() {
        is "[.status, .hold.reason]" "[\"queued\",\"carbon\"]" "job $1"
        jq -r .hold.until body >$1.until
        equal "$(systemctl is-active hyper-hold-$1.timer)" active "the timer of job $1"
}
# began ID: it is done, and has not begun before its time
began() {
        wait_state $1 COMPLETED 90
        equal "$(api /jobs/$1)" 200 "job $1"
        [ "$(date -d "$(jq -r .started_at body)" +%s)" -ge "$(date -d "$(cat $1.until)" +%s)" ] ||
                fail "job $1 has not waited until $(cat $1.until): $(cat body)"
        is .hold null "the hold of job $1"
        equal "$(systemctl is-active hyper-hold-$1.timer || :)" inactive "the timer of job $1"
}
'

# --- a service of the published form ---------------------------------------------------------------------

lib "$functions"'
equal "$(api /carbon/intensity)" 503 "without a source"
is .error "\"carbon.source is not set\"" "the error"
systemd-run -q --unit=test-carbon python3 /srv/carbon/service.py
eventually 20 "the service listens" listens 8700
settings "carbon: {source: carbonintensity-gb, url: \"http://127.0.0.1:8700\", zone: GB}"
equal "$(api /carbon/intensity)" 200 "the intensity"
is "[.zone, .intensity, .unit, .kind, .index, .quality, .stale, .source]" \
        "[\"GB\",200,\"gCO2eq/kWh\",\"average\",\"moderate\",\"moderate\",false,\"carbonintensity-gb\"]" "the intensity"
equal "$(api "/carbon/schedule?hours=24&duration=30&limit=2")" 200 "the windows"
is "[.windows[0].average_intensity, .windows[0].rank, (.windows | length), .duration_minutes]" "[60,1,2,30]" "the windows"
is ".recommendation.start == .windows[0].start" true "what is recommended"
equal "$(api "/carbon/intensity?zone=FR")" 400 "another zone"
equal "$(api "/carbon/schedule?hours=73")" 400 "too many hours"
equal "$(api /carbon/zones)" 200 "the zones"
equal "$(api /carbon/status -d "{}")" 200 "the status"
equal "$(api /carbon/estimate -d "{\"data_size_gb\":100,\"duration_hours\":2}")" 200 "an estimate"
systemctl stop test-carbon
systemctl stop hyper-carbon
equal "$(api /carbon/intensity)" 200 "what was kept"
held gb "{\"max_intensity\":70}"
waits gb
equal "$(api /jobs/gb/release -X POST)" 200 "a release"
wait_state gb COMPLETED
equal "$(api /jobs/gb/release -X POST)" 409 "a release of a job that does not wait"'

# --- a file: the window, the deadline, a power cut ---------------------------------------------------------

lib "$functions"'
settings "carbon: {source: file, url: \"file:///etc/hyper/carbon.json\", zone: TEST}"
points 12
held window "{\"max_intensity\":50,\"max_delay\":3600}"
waits window
held deadline "{\"max_intensity\":10,\"deadline\":\"$(at 12)\"}"
waits deadline
held past "{\"deadline\":\"$(at -60)\"}" 400
held zone "{\"zone\":\"FR\"}" 400
began window
is "[.carbon.zone, .carbon.intensity_at_submit, .carbon.intensity_at_start, (.carbon.waited_seconds > 5)]" \
        "[\"TEST\",500,50,true]" "what it has waited for"
began deadline
points 2400
held long "{\"max_intensity\":50,\"max_delay\":7200}"
waits long
points 25
held soon "{\"max_intensity\":50,\"max_delay\":3600}"
waits soon'
machine crash
machine up
lib "$functions"'
began soon
equal "$(systemctl is-active hyper-hold-long.timer)" active "the timer after a power cut"
equal "$(api /jobs/long)" 200 "the job"
is "[.status, .hold.reason]" "[\"queued\",\"carbon\"]" "the job that waits"
equal "$(api /jobs/long -X DELETE)" 200 "cancelling it"
is .status "\"cancelled\"" "the job"
equal "$(systemctl is-active hyper-hold-long.timer || :)" inactive "its timer"

# --- the file is gone --------------------------------------------------------------------------------------

rm /etc/hyper/carbon.json
systemctl restart hyper-managerd
held gone "{\"max_intensity\":50,\"max_delay\":3600}"
is "[.hold, (.warnings | length)]" "[null,1]" "a job without data"
wait_state gone COMPLETED
held refused "{\"on_missing\":\"fail\"}" 503'
