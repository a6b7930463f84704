#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 180
#
# Bad input of every kind over HTTP: an error of the 400s that says what is wrong, in the dialect's form; the
# daemon goes on.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

http GET "$api/health" >/dev/null
pid=$(systemctl show -P MainPID hyper.service)
raw_image "$dir/disk.raw" 8

# refused WHAT STATUS PART METHOD URL [BODY] [CURL OPTIONS…]
refused() {
        local what=$1 want=$2 part=$3 answer
        shift 3
        answer=$(http "$@")
        equal "$(status)" "$want" "the status for $what; $answer"
        [ -z "$answer" ] || jq -e '.error | (type == "string") or (.message | type == "string")' \
                <<<"$answer" >/dev/null || fail "the answer for $what has not the dialect's form: $answer"
        [ -z "$part" ] || contains "$answer" "$part" "the answer for $what"
}
for base in "$api" "$worker"; do
        refused "an unknown path" 404 "" GET "$base/nothing/here"
        refused "a path with bad escapes" 400 malformed GET "$base/jobs/%zz"
        refused "no job of that name" 404 nobody GET "$base/jobs/nobody"
done
submit_url=("$api/jobs/submit" "$worker/jobs")
for url in "${submit_url[@]}"; do
        refused "no JSON" 400 "" POST "$url" '{"source":'
        refused "an empty body" 400 "" POST "$url" '' -H 'Content-Length: 0'
        refused "a number" 400 "" POST "$url" 7
        refused "invalid UTF-8" 400 "" POST "$url" $'{"a":"\xff\xfe"}'
        refused "a key twice" 400 "" POST "$url" '{"source":{},"source":{}}'
        refused "a NUL in a path" 400 "" POST "$url" '{"operation":"convert","image":{"path":"/srv/a\u0000b"},"source":{"type":"file","path":"/srv/a\u0000b"}}'
        head -c 200000 /dev/zero | tr '\0' '[' >"$dir/deep"
        refused "200,000 brackets" 400 "" POST "$url" "" -H 'Content-Type: application/json' --data-binary \
                "@$dir/deep"
        head -c 11M /dev/zero | tr '\0' ' ' >"$dir/big"
        refused "11 MiB" 413 "" POST "$url" "" -H 'Content-Type: application/json' --data-binary "@$dir/big" \
                -H 'Expect:'
        refused "DELETE of a list" 405 "" DELETE "$url"
        grep -qi '^allow:.*POST' "$dir/headers" || fail "405 without Allow: $(cat "$dir/headers")"
done

sdk() { jq -cn --arg p "$dir/disk.raw" --arg o "$dir/out.qcow2" \
        '{source: {type: "file", path: $p}, destination: {type: "file", path: $o, format: "qcow2"}}' |
        jq -c "$1"; }
refused "a section by another name" 400 'policy: must be given as execution_policy' POST "$api/jobs/submit" \
        "$(sdk '.policy = {retry_count: 0}')"
refused "a setting in a wrong place" 400 'checksum: must be given as source.checksum' POST \
        "$api/jobs/submit" "$(sdk '.checksum = "sha256:00"')"
refused "another source type" 400 file POST "$api/jobs/submit" "$(sdk '.source = {type: "aws"}')"
refused "a virtual machine without a user" 400 'source.username: must be given' POST "$api/jobs/submit" \
        "$(sdk '.source = {type: "vsphere", vcenter_url: "x", vm_path: "web"}')"
refused "another destination type" 400 file POST "$api/jobs/submit" "$(sdk '.destination = {type: "s3"}')"
refused "a relative path" 400 source.path POST "$api/jobs/submit" "$(sdk '.source.path = "disk.raw"')"
refused "a path that goes up" 400 destination.path POST "$api/jobs/submit" \
        "$(sdk '.destination.path = "/srv/../etc/x"')"
refused "a path that is a number" 400 source.path POST "$api/jobs/submit" "$(sdk '.source.path = 5')"
refused "an unknown format" 400 format POST "$api/jobs/submit" "$(sdk '.destination.format = "floppy"')"
refused "an empty list" 400 "" POST "$api/jobs/submit" '[]'
refused "a bad limit" 400 limit GET "$api/jobs/query?limit=-1"
refused "a bad status" 400 status POST "$api/jobs/query" '{"status":"sideways"}'
refused "a cancel of nothing" 400 "" POST "$api/jobs/cancel" '{}'

job() { jq -cn --arg p "$dir/disk.raw" \
        '{operation: "convert", image: {path: $p, format: "raw"}, parameters: {output_format: "qcow2"}}' |
        jq -c "$1"; }
refused "a timeout out of range" 400 execution_policy.timeout_seconds POST "$worker/jobs" \
        "$(job '.execution_policy.timeout_seconds = 1')"
refused "a priority out of range" 400 execution_policy.priority POST "$worker/jobs" \
        "$(job '.execution_policy.priority = 101')"
refused "retries out of range" 400 execution_policy.retry_count POST "$worker/jobs" \
        "$(job '.execution_policy.retry_count = 6')"
refused "a checksum that is none" 400 checksum POST "$worker/jobs" "$(job '.image.checksum = "md5:1"')"
refused "an unknown operation" 400 operation POST "$worker/jobs" "$(job '.operation = "explode"')"
refused "an id that is a path" 400 job_id POST "$worker/jobs" "$(job '.job_id = "../../etc"')"
refused "an id that is too long" 400 job_id POST "$worker/jobs" "$(job ".job_id = \"$(printf '%0129d' 0)\"")"
answer=$(http POST "$worker/jobs" \
        "$(job '.execution_policy = {timeout_seconds: 1, priority: 101} | .job_id = "a/b"')")
for field in execution_policy.timeout_seconds execution_policy.priority job_id; do contains "$answer" \
        "$field" "all that is wrong, at once"; done
refused "a bad 'since'" 400 since GET "$worker/jobs/nobody/events?since=yesterday"

# VMs of vCenters, and sources
for route in 'GET /vms/list' 'POST /vms/list' 'GET /vms/info' 'POST /vms/shutdown' 'POST /vms/poweroff' \
        'POST /vms/remove-cdrom'; do
        refused "$route without a server" 400 "vcenter_url: is required" "${route% *}" "$api${route#* }"
done
server='{"vcenter_url":"127.0.0.1:1","username":"u","password":"a-secret","vm_path":"x"}'
vm() { jq -c "$1" <<<"$server"; }
refused "no VM" 400 "vm_path: is required" POST "$api/vms/info" "$(vm 'del(.vm_path)')"
refused "a VM that is a number" 400 "vm_path: must be a string" POST "$api/vms/info" "$(vm '.vm_path = 7')"
refused "no password" 400 "password: is required" POST "$api/vms/info" "$(vm 'del(.password)')"
refused "a user in the address" 400 "must not contain a user" POST "$api/vms/list" \
        "$(vm '.vcenter_url = "https://u:a-secret@vc"')"
refused "http" 400 "must use https" GET "$api/vms/list?vcenter_url=http://vc&username=u&password=a-secret"
refused "a bad thumbprint" 400 "thumbprint: must be" POST "$api/vms/list" "$(vm '.thumbprint = "AA"')"
refused "a bad limit" 400 "limit: must be" GET "$api/vms/list?source=vc&limit=10001"
refused "a bad cursor" 400 "cursor: must be" GET \
        "$api/vms/list?vcenter_url=vc&username=u&password=p&cursor=x"
refused "a bad power state" 400 "power_state" POST "$api/vms/list" "$(vm '.power_state = "sideways"')"
refused "a bad header" 400 "Authorization: must be Basic" GET "$api/vms/list?vcenter_url=vc" '' \
        -H 'Authorization: Basic %%%'
refused "a source that does not exist" 404 "There is no source" GET "$api/vms/list?source=nobody"
refused "a server that does not exist" 502 "127.0.0.1:1" POST "$api/vms/info" "$server"
lacks "$(cat "$dir/body")" a-secret "the answer"
refused "200 KiB" 413 "" POST "$api/vms/info" "" -H 'Content-Type: application/json' --data-binary \
        "@$dir/deep"
refused "a source without a password" 400 "password: is required" POST "$api/sources" '{"name":"a"}'
refused "a source with all fields wrong" 400 "name: must be" POST "$api/sources" \
        '{"name":"a b","vcenter_url":"http://x","username":"","password":"a-secret","insecure":true}'
for field in vcenter_url username insecure; do
        contains "$(cat "$dir/body")" "$field" "all that is wrong"
done
refused "a source that does not exist" 404 "There is no source" DELETE "$api/sources/nobody"
refused "a test of it" 404 "There is no source" POST "$api/sources/nobody/test"

# What is no HTTP at all
printf 'GET / HTTP/9.9\r\n\r\n' | nc -N -w 2 127.0.0.1 8080 >/dev/null || :
head -c 100000 /dev/urandom | nc -N -w 2 127.0.0.1 8000 >/dev/null || :
{ printf 'GET /health HTTP/1.1\r\nHost: x\r\nX-Long: '; head -c 200000 /dev/zero |
        tr '\0' a; printf '\r\n\r\n'; } | nc -N -w 2 127.0.0.1 8080 >/dev/null || :
printf 'POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n' |
        nc -N -w 2 127.0.0.1 8000 >/dev/null || :
printf 'POST /jobs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx' |
        nc -N -w 2 127.0.0.1 8000 >/dev/null || :
for _ in $(seq 50); do (exec 3<>/dev/tcp/127.0.0.1/8080 &&
        printf 'POST /jobs/submit HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{' >&3) & done
wait

http GET "$api/health" >/dev/null
equal "$(status)" 200 "the health after all that"
equal "$(systemctl show -P MainPID hyper.service)" "$pid" "the API's process"
equal "$(busctl --json=short call "${manager[@]}" ListJobs 'a{sv}' 0 | jq '.data[0]')" 0 \
        "jobs that came of it"
missing "$dir/out.qcow2"
