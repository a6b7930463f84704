#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Bad input of every kind on the bus: an error that names the field; the manager goes on.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

busctl -q get-property "${manager[@]}" Version
pid=$(systemctl show -P MainPID hyper-managerd.service)
raw_image "$dir/disk.raw" 8
good=$(spec "$dir/disk.raw" "$dir/out.qcow2")

# refused WHAT PART SPEC
refused() {
        local error
        error=$(busctl call "${manager[@]}" SubmitJob 'sa{sv}' "$3" 0 2>&1) && fail "$1 was accepted"
        contains "$error" "$2" "the error for $1"
}
change() { jq -c "$1" <<<"$good"; }
refused "no JSON" "" '{'
refused "a list" "" '[]'
refused "nothing" "" ''
refused "no source" source "$(change 'del(.source)')"
refused "no destination" destination "$(change 'del(.destination)')"
refused "a number as path" source.path "$(change '.source.path = 1')"
refused "a relative path" source.path "$(change '.source.path = "a/b"')"
refused "a path that goes up" destination.path "$(change '.destination.path = "/srv/../srv/x"')"
refused "an unknown type" source.type "$(change '.source.type = "tape"')"
refused "an unknown format" destination.format "$(change '.destination.format = "floppy"')"
refused "an unknown operation" operation "$(change '.operation = "explode"')"
refused "a timeout too short" execution_policy.timeout_seconds \
        "$(change '.execution_policy.timeout_seconds = 59')"
refused "a timeout that is text" execution_policy.timeout_seconds \
        "$(change '.execution_policy.timeout_seconds = "60"')"
refused "a priority below 0" execution_policy.priority "$(change '.execution_policy.priority = -1')"
refused "a huge number" execution_policy.priority "$(change '.execution_policy.priority = 1e300')"
refused "compress without qcow2" compress \
        "$(change '.destination.format = "raw" | .parameters.compress = true')"
refused "a bad id" job_id "$(change '.job_id = "a b"')"
refused "an NBD URI without a server" source.uri "$(change '.source = {type: "nbd", uri: "http://x/"}')"
refused "the source as destination" destination "$(change \
        '.destination.path = .source.path | .destination.format = "raw"')"
both=$(change '.execution_policy = {timeout_seconds: 1, priority: 1000}')
refused "two mistakes (the first)" execution_policy.timeout_seconds "$both"
refused "two mistakes (the second)" execution_policy.priority "$both"

busctl -q call "${manager[@]}" SubmitJob s "$good" 2>/dev/null && fail "a call without options was accepted"
busctl -q call "${manager[@]}" GetJob s nobody 2>/dev/null && fail "a job that is not there was found"
busctl -q call "${manager[@]}" CancelJob s $'a\nb' 2>/dev/null && fail "a job with a newline was found"
busctl -q call "${manager[@]}" ListJobs 'a{sv}' 1 order s sideways 2>/dev/null &&
        fail "a bad order was accepted"
busctl -q call "${manager[@]}" ListJobs 'a{sv}' 1 limit s five 2>/dev/null &&
        fail "a limit that is text was accepted"
busctl -q call "${manager[@]}" ListJobs 'a{sv}' 1 states as 1 SIDEWAYS 2>/dev/null &&
        fail "a bad state was accepted"
busctl -q call org.hyper1 /org/hyper1/job/_zz org.hyper1.Job Cancel 2>/dev/null &&
        fail "an object that is none was found"
busctl -q call org.hyper1 /org/hyper1 org.hyper1.Manager Explode 2>/dev/null &&
        fail "a method that is none was found"

equal "$(systemctl show -P MainPID hyper-managerd.service)" "$pid" "the manager's process"
equal "$(busctl --json=short call "${manager[@]}" ListJobs 'a{sv}' 0 | jq '.data[0]')" 0 \
        "jobs that came of it"
id=$(submit "$good")
wait_state "$id" COMPLETED
