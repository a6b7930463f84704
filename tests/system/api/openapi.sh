#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# runs-on: host
# timeout: 240
#
# What the worker API really answers is what its /openapi.json says, to a public validator: jobs of each state
# and dialect, streams, errors.

# shellcheck disable=SC2016 # much of it is for the shell inside
# shellcheck source=tests/system/lib/host.sh
. "$(dirname "$0")/../lib/host.sh"

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
worker=http://127.0.0.1:8000
hypersdk=http://127.0.0.1:8080
validate() { GO111MODULE=off GOPATH=/usr/share/gocode go run "$(dirname "$0")/../../unit/api/validate.go" \
        "$@"; }

# ask NAME STATUS METHOD TEMPLATE PATH [BODY]: asks, and keeps the answer as a case for the validator
ask() {
        local name=$1 want=$2 method=$3 template=$4 path=$5 data=() status
        [ $# -lt 6 ] || data=(--data-binary "$6")
        inside curl -sS -m 60 -X "$method" -w '\n%{http_code}' "${data[@]}" "$worker$path" >"$dir/answer"
        status=$(tail -n 1 "$dir/answer")
        head -n -1 "$dir/answer" >"$dir/body"
        equal "$status" "$want" "$name: $(cat "$dir/body")"
        jq -c --arg name "$name" --arg method "$method" --arg path "$template" --argjson status "$status" \
                '{name: $name, method: $method, path: $path, status: $status, body: .}' "$dir/body" \
                >>"$dir/cases"
}

ask "the document" 200 GET /openapi.json /openapi.json
cp "$dir/body" "$dir/openapi.json"
equal "$(inside curl -sS -o /dev/null -w '%{content_type}' $worker/openapi.json)" \
        "application/json; charset=utf-8" "its type"

# Before there is a job
ask "health" 200 GET /health /health
ask "no jobs" 200 GET /jobs /jobs

# Jobs of both dialects, and of every state that they can be held in
lib 'mkdir -p /srv/o; raw_image /srv/o/disk.raw 16; settings "jobs: {max_running: 1}"; serve /srv/o/s.sock --filter=rate file /srv/o/disk.raw rate=4M'
# job ID SOURCE [JQ-OBJECT]: a job as a client of this API writes it
job() {
        local more=${3:-}
        jq -cn --arg id "$1" --arg in "$2" "{job_id: \$id, image: {path: \$in}, parameters: {output_path: \"/srv/o/\(\$id).qcow2\"}}${more:+ * $more}"
}
slow='nbd+unix:///?socket=/srv/o/s.sock'
ask "a job" 201 POST /jobs /jobs "$(job good /srv/o/disk.raw \
        '{colour: "blue", execution_policy: {priority: 70}, audit: {ticket: "T-1", tags: {a: "b"}}}')"
lib 'wait_state good COMPLETED'
ask "the same again" 200 POST /jobs /jobs "$(job good /srv/o/disk.raw \
        '{colour: "blue", execution_policy: {priority: 70}, audit: {ticket: "T-1", tags: {a: "b"}}}')"
ask "another of that id" 409 POST /jobs /jobs "$(job good /srv/o/other.raw)"
ask "a job that fails" 201 POST /jobs /jobs "$(job bad /srv/o/disk.raw \
        "{image: {checksum: \"sha256:$(printf %064d 0)\"}, execution_policy: {retry_count: 0}}")"
lib 'wait_state bad FAILED'
ask "a slow job" 201 POST /jobs /jobs "$(job running "$slow")"
lib 'wait_state running RUNNING; wait_bytes running 1'
ask "a job that waits" 201 POST '/jobs' '/jobs?queue=true' "$(job waiting "$slow")"
inside curl -sS --fail -o /dev/null $hypersdk/jobs/submit -d '{"id": "other", "source": {"type": "nbd", "uri": "nbd+unix:///?socket=/srv/o/s.sock"}, "destination": {"type": "file", "path": "/srv/o/other.qcow2", "format": "qcow2"}}'
lib 'submit "$(spec /srv/o/disk.raw /srv/o/bus.qcow2 ".job_id = \"bus\"")" >/dev/null'
for id in good bad running waiting other bus; do
        ask "the job $id" 200 GET '/jobs/{id}' "/jobs/$id"
        ask "the events of $id" 200 GET '/jobs/{id}/events' "/jobs/$id/events"
done
equal "$(jq -rs '[.[] | select(.path == "/jobs/{id}").body.state] | unique | join(" ")' "$dir/cases")" \
        "COMPLETED FAILED QUEUED RUNNING" "the states that were seen"
ask "all jobs" 200 GET /jobs /jobs
ask "some jobs" 200 GET /jobs '/jobs?state=RUNNING,QUEUED&limit=2'
ask "health at work" 200 GET /health /health
ask "the wrong parameters" 400 GET /jobs '/jobs?limit=0'
ask "a job that there is not" 404 GET '/jobs/{id}' /jobs/none
ask "a job that is no job" 400 POST /jobs /jobs '{}'
ask "a cancelled one that waits" 200 DELETE '/jobs/{id}' /jobs/waiting
ask "a cancelled one that runs" 200 DELETE '/jobs/{id}' /jobs/running
lib 'wait_state waiting CANCELLED; wait_state running CANCELLED; cancel other; cancel bus || :; wait_state other CANCELLED'
ask "a cancelled one again" 400 DELETE '/jobs/{id}' /jobs/running
ask "a cancelled one" 200 GET '/jobs/{id}' /jobs/running

# What comes in the streams is what x-events says
for id in good bad running; do
        inside curl -sSN -m 30 "$worker/jobs/$id/events/stream" |
                awk '/^event:/ { event = $2 } /^data:/ { sub(/^data: */, ""); printf "{\"event\":\"%s\",\"data\":%s}\n", event, $0 }' |
                jq -c --arg id "$id" --slurpfile d "$dir/openapi.json" '
                        ($d[0].paths["/jobs/{id}/events/stream"].get.responses["200"].content["text/event-stream"]["x-events"][.event]["$ref"]) as $ref
                        | {name: "\(.event) in the stream of \($id)", schema: ($ref // "/none" | split("/")[-1]), value: .data, good: true}' >>"$dir/cases"
done
equal "$(jq -rs '[.[].schema // empty] | unique | join(" ")' "$dir/cases")" \
        "Event StreamComplete StreamError" "the events that were seen"

lib 'stop_serving /srv/o/s.sock'
validate "$dir/openapi.json" <"$dir/cases" >"$dir/result" || fail "$(head -n 20 "$dir/result")"
cat "$dir/result"

# ... and it would have been noticed
unnoticed() { jq -c "select(.name == \"the job good\") | $1" "$dir/cases" | validate "$dir/openapi.json"; }
for change in '.body.attempt = "one"' '.body.more = 1' 'del(.body.result.status)' \
        '.body.state_history[0].state = "SLEEPING"'; do
        if unnoticed "$change" >"$dir/result" 2>&1; then fail "$change is not noticed"; fi
        equal "$(grep cases "$dir/result")" "1 cases, 1 failed" "what is said of $change"
done
