#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 180
#
# API keys over HTTP: without any this machine gets in; with one the worker API wants it; a port that others
# can reach wants one in each dialect; each scope opens what is its own, and a key that was removed opens
# nothing.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

# as NAME METHOD URL [BODY]: asks with the key of that name ("-": without) and prints the status
declare -A keys
as() {
        local name=$1 with=()
        shift
        [ "$name" = - ] || with=(-H "X-API-Key: ${keys[$name]}")
        http "$1" "$2" "${3:-}" "${with[@]}" >/dev/null
        status
}
# What is asked of 192.0.2.10 is asked from the other machine.
there=
curl() {
        case ${*: -1} in
        http://192.0.2.10*) nsenter -t "$there" -n curl "$@" ;;
        *) command curl "$@" ;;
        esac
}
add() { keys[$1]=$(hyperctl key add "$@" -q); }

# --- without a key -----------------------------------------------------------------------------------------

equal "$(as - GET "$worker/jobs")" 200 "the worker API without any key there"
equal "$(hyperctl key list --json=short)" '[]' "the keys there are"
pid=$(systemctl show -P MainPID hyper.service)

# --- making keys -------------------------------------------------------------------------------------------

add reader --scope=read
add submitter --scope=submit
add worker --scope=work
add both --scope=submit,work --days=30
[[ ${keys[reader]} =~ ^hyper_[0-9a-f]{8}_[A-Za-z0-9_-]{43}$ ]] || fail "that is no key: ${keys[reader]}"
hyperctl key add reader --scope=read 2>"$dir/error" && fail "two keys have one name"
contains "$(cat "$dir/error")" "already" "the error"
hyperctl key add other --scope=everything 2>"$dir/error" && fail "there is a scope of that name"
contains "$(cat "$dir/error")" "must be any of read, submit, work" "the error"
hyperctl key add other 2>"$dir/error" && fail "a key needs no scope"
contains "$(cat "$dir/error")" "--scope=" "the error"
equal "$(hyperctl key list --no-legend | awk '{print $1, $3}' | tr '\n' ' ')" \
        "reader read submitter submit worker work both submit,work " "the list"
lacks "$(hyperctl key list --json=pretty)" hyper_ "the list"
json=$(hyperctl key add json --scope=read --json=short --rate=100)
keys[json]=$(jq -r .key <<<"$json")
equal "$(jq -r '.id' <<<"$json")" "$(cut -d_ -f2 <<<"${keys[json]}")" "the id in JSON"
setpriv --reuid=hyper-api --regid=hyper-api --clear-groups busctl call "${manager[@]}" AddKey s \
        '{"name":"mine","scopes":["work"]}' 2>"$dir/error" &&
        fail "the API's user may make keys"
contains "$(cat "$dir/error")" "org.hyper1.manage-keys" "the error"

# --- on this machine ---------------------------------------------------------------------------------------

raw_image "$dir/disk.raw" 4
worker_job() { jq -cn --arg id "$1" --arg in "$dir/disk.raw" --arg out "$dir/$1.qcow2" '{job_id: $id, operation: "convert", image: {path: $in, format: "raw"}, parameters: {output_path: $out}}'; }
equal "$(as - GET "$worker/jobs")" 401 "no key"
grep -qi '^www-authenticate: ApiKey' "$dir/headers" || fail "401 without a challenge: $(cat "$dir/headers")"
jq -e '.error.code == 401 and (.error.message | contains("X-API-Key"))' "$dir/body" >/dev/null ||
        fail "401 has not the dialect's form: $(cat "$dir/body")"
equal "$(systemctl show -P MainPID hyper.service)" "$pid" "the API's process: keys need no restart"
for open in /health /openapi.json /docs; do equal "$(as - GET "$worker$open")" 200 "$open without a key"; done
equal "$(as - GET "$worker/metrics")" 401 "the figures without a key"
for name in reader submitter worker both json; do
        equal "$(as $name GET "$worker/jobs")" 200 "$name looks"
        equal "$(as $name GET "$worker/metrics")" 200 "$name looks at the figures"
done
equal "$(as reader POST "$worker/jobs" "$(worker_job one)")" 403 "reader submits"
jq -e '.error.message | contains("reader") and contains("\"submit\"")' "$dir/body" >/dev/null ||
        fail "403 does not name the scope: $(cat "$dir/body")"
equal "$(as worker POST "$worker/jobs" "$(worker_job one)")" 403 "worker submits"
equal "$(as submitter POST "$worker/jobs" "$(worker_job one)")" 201 "submitter submits"
equal "$(as both POST "$worker/jobs" "$(worker_job two)")" 201 "both submits"
wait_state one COMPLETED
wait_state two COMPLETED
hello='{"worker_id":"w1","capabilities":["qemu_img"]}'
for path in /workers/register /queue/dequeue; do
        equal "$(as submitter POST "$worker$path" "$hello")" 403 "submitter at $path"
        equal "$(as reader POST "$worker$path" "$hello")" 403 "reader at $path"
        case $(as worker POST "$worker$path" "$hello") in 20[01]) ;; *) fail \
                "worker at $path: $(cat "$dir/status" "$dir/body")" ;; esac
done
equal "$(as worker POST "$worker/workers/w1/heartbeat")" 200 "worker beats"
equal "$(as submitter POST "$worker/workers/w1/heartbeat")" 403 "submitter beats"
equal "$(as submitter DELETE "$worker/workers/w1")" 403 "submitter removes a worker"
equal "$(as worker DELETE "$worker/workers/w1")" 200 "worker removes a worker"
equal "$(as submitter POST "$worker/jobs/one/result" '{"worker_id":"w1","status":"completed"}')" 403 \
        "submitter reports"
equal "$(as worker POST "$worker/jobs/one/result" '{"worker_id":"w1","status":"completed"}')" 409 \
        "worker reports for what it does not hold"
http GET "$worker/jobs" "" -H "Authorization: Bearer ${keys[reader]}" >/dev/null
equal "$(status)" 200 "a bearer token"
keys[forged]=${keys[reader]%??}AA
equal "$(as forged GET "$worker/jobs")" 401 "a key with another end"
equal "$(as - GET "$api/jobs/query")" 200 "the HyperSDK API on this machine, without a key"
equal "$(as - GET "$hosts_api/api/hosts")" 200 "the hosts API on this machine, without a key"
equal "$(curl -sS --unix-socket /run/hyper/api.sock -o /dev/null -w '%{http_code}' \
        http://localhost/jobs/query)" 200 "the UNIX socket"

# --- where others can reach it -----------------------------------------------------------------------------

# Another machine: a network of its own, with a wire to this one.
unshare -n sleep infinity &
there=$!
other_network() { [ "$(readlink "/proc/$there/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }
eventually 10 "there is a network of its own" other_network
ip link add here0 type veth peer name there0 netns "$there"
ip address add 192.0.2.10/24 dev here0
ip link set here0 up
nsenter -t "$there" -n ip address add 192.0.2.20/24 dev there0
nsenter -t "$there" -n ip link set there0 up
for unit in hyper:8080 hyper-worker:8000 hyper-hosts:8890; do
        mkdir -p "/run/systemd/system/${unit%:*}.socket.d"
        printf '[Socket]\nListenStream=192.0.2.10:%s\n' "${unit#*:}" \
                >"/run/systemd/system/${unit%:*}.socket.d/open.conf"
done
systemctl daemon-reload
systemctl restart hyper.socket hyper-worker.socket hyper-hosts.socket
open=http://192.0.2.10
sdk=$(jq -cn --arg in "$dir/disk.raw" --arg out "$dir/three.qcow2" '{id: "three", source: {type: "file", path: $in}, destination: {type: "file", path: $out, format: "qcow2"}}')
equal "$(as - GET "$open:8080/jobs/query")" 401 "HyperSDK from elsewhere"
jq -e '.error | type == "string"' "$dir/body" >/dev/null ||
        fail "401 has not HyperSDK's form: $(cat "$dir/body")"
equal "$(as - GET "$open:8890/api/hosts")" 401 "hosts from elsewhere"
jq -e '.message | type == "string"' "$dir/body" >/dev/null ||
        fail "401 has not the form of the hosts API: $(cat "$dir/body")"
equal "$(as - GET "$open:8000/jobs")" 401 "the worker API from elsewhere"
for port in 8080 8000 8890; do equal "$(as - GET "$open:$port/health")" 200 "health at port $port"; done
equal "$(as reader GET "$open:8080/jobs/query")" 200 "reader looks, HyperSDK"
equal "$(as reader POST "$open:8080/jobs/query" '{"all":true}')" 200 "reader asks by POST, HyperSDK"
equal "$(as worker POST "$open:8080/jobs/submit" "$sdk")" 403 "worker submits, HyperSDK"
equal "$(as submitter POST "$open:8080/jobs/submit" "$sdk")" 201 "submitter submits, HyperSDK"
equal "$(as reader GET "$open:8890/api/hosts")" 200 "reader looks, hosts"
equal "$(as reader POST "$open:8890/api/hosts" '{"id":"h","uri":"test:///default"}')" 403 "reader adds a host"
equal "$(as reader GET "$open:8080/ws")" 426 "reader at the WebSocket"
equal "$(as - GET "$open:8080/ws")" 401 "nobody at the WebSocket"
http GET "$open:8080/jobs/query" "" -H "X-API-Key: ${keys[reader]}" -H 'Host: hyper.example.com' >/dev/null
equal "$(status)" 200 "under a name of its own"
equal "$(as - GET "$api/jobs/query")" 200 "HyperSDK on the loopback interface, still"
wait_state three COMPLETED
journalctl -q -u hyper.service --grep 'hyper-hosts.socket can be reached from other machines' >/dev/null ||
        fail "the log does not say that the port is open"

# --- a key that is gone ------------------------------------------------------------------------------------

serve "$dir/slow.sock" --filter=rate file "$dir/disk.raw" rate=1M
slow=$(submit "$(spec "$(nbd_uri "$dir/slow.sock")" "$dir/slow.qcow2" '.job_id = "slow"')")
curl -sS -N -m 60 -H "X-API-Key: ${keys[reader]}" "$worker/jobs/$slow/events/stream" >"$dir/stream" &
stream=$!
eventually 20 "the stream begins" grep -q '^event: progress' "$dir/stream"
hyperctl key rm reader json
equal "$(as reader GET "$worker/jobs")" 401 "reader looks, after it was removed"
equal "$(as reader GET "$open:8080/jobs/query")" 401 "reader looks, after it was removed, HyperSDK"
wait "$stream" || fail "the stream of a key that was removed ended with $?"
lacks "$(cat "$dir/stream")" "event: complete" "the stream of a key that was removed"
hyperctl key rm reader 2>"$dir/error" && fail "a key is removed twice"
contains "$(cat "$dir/error")" "There is no key reader" "the error"
cancel "$slow"
eventually 30 "the slow job's unit is gone" unit_gone "$slow"
stop_serving "$dir/slow.sock"

# A worker that waits for a job with a key that is removed meanwhile gets none.
settings 'worker: {local: false}'
add gone --scope=work
heard() { as both GET "$worker/workers" >/dev/null &&
        jq -r '.workers[] | select(.worker_id == "w2") | .last_heartbeat' "$dir/body"; }
was_heard_after() { [ "$(heard)" != "$1" ]; }
equal "$(as gone POST "$worker/workers/register" '{"worker_id":"w2","capabilities":["qemu_img"]}')" 201 \
        "a worker registers"
before=$(heard)
sleep 1.1 # it is noted once a second
curl -sS -m 60 -o "$dir/answer" -H "X-API-Key: ${keys[gone]}" "$worker/queue/dequeue" -d \
        '{"worker_id":"w2","wait":60}' &
waiting=$!
eventually 10 "w2 has asked" was_heard_after "$before"
hyperctl key rm gone
equal "$(as both POST "$worker/jobs?queue=true" "$(worker_job queued)")" 201 "a job for a worker"
wait $waiting || fail "the worker that waited ended with $?"
equal "$(cat "$dir/answer")" null "what a worker gets whose key was removed"
equal "$(state queued)" QUEUED "the job that it did not get"
as both POST "$worker/queue/dequeue" '{"worker_id":"w2"}' >/dev/null
equal "$(jq -r .job_id "$dir/body")" queued "the job, with a key that is valid"
equal "$(as both POST "$worker/jobs/queued/result" '{"worker_id":"w2","status":"completed"}')" 200 \
        "its result"
rm /etc/hyper/config.d/90-test.yaml
busctl -q call "${manager[@]}" Reload

# --- keys are nowhere --------------------------------------------------------------------------------------

for name in "${!keys[@]}"; do
        secret=${keys[$name]#hyper_????????_} # it may have "_" in it
        secret=${secret:0:20}
        equal "${#secret}" 20 "how much of the key $name is looked for"
        journalctl -q --no-pager --output=export --grep . | grep -qF -- "$secret" &&
                fail "the key $name is in the journal"
        grep -rqF -- "$secret" /var/lib/hyper && fail "the key $name is in /var/lib/hyper"
        grep -zqF -- "$secret" /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null &&
                fail "the key $name is in a command line or environment"
done
equal "$(sqlite3 -readonly /var/lib/hyper/hyper.db 'SELECT count(*) FROM api_keys WHERE length(hash) = 32')" \
        3 "hashes in the database"
journalctl -q --no-pager -u hyper-managerd --grep 'API key submitter .* was added, for submit' >/dev/null ||
        fail "the log does not say that a key was added"
journalctl -q --no-pager -u hyper.service --grep \
        'hyper.socket: refused a request from 192.0.2.20: The API key is not valid' >/dev/null ||
        fail "the log does not say that a wrong key came from elsewhere"
journalctl -q --no-pager -u hyper.service --grep 'refused a request from 127.0.0.1' >/dev/null ||
        fail "the log does not say that a wrong key came"

# Without the last key this machine gets in again; what others can reach stays shut.
hyperctl key rm submitter worker both
equal "$(as - GET "$worker/jobs")" 200 "the worker API when the last key is gone"
equal "$(as - GET "$open:8080/jobs/query")" 401 "HyperSDK from elsewhere when the last key is gone"
rm -r /run/systemd/system/hyper*.socket.d
systemctl daemon-reload
systemctl restart hyper.socket hyper-worker.socket hyper-hosts.socket
kill "$there"
