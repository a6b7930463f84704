#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The manager's signals tell each change of state once, in order; the job's properties emit their changes.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

raw_image "$dir/disk.raw" 16
busctl monitor --json=short --match "type='signal',sender='org.hyper1'" >"$dir/signals" 2>/dev/null &
monitor=$!
sleep 0.5 # until busctl has its match; nothing tells
id=$(submit "$(spec "$dir/disk.raw" "$dir/disk.qcow2" '.job_id = "seen"')")
wait_state "$id" COMPLETED
told() { jq -rs '[.[] | select(.member == "JobStateChanged") | .payload.data[3]] | join(" ")' "$dir/signals" \
        2>/dev/null; }
complete() { [[ "$(told)" == *COMPLETED ]]; }
eventually 10 "the last change is signalled" complete
kill "$monitor"
equal "$(told)" "VALIDATED QUEUED ASSIGNED RUNNING COMPLETED" "the changes that were signalled"
equal "$(jq -rs '[.[] | select(.member == "JobNew") | .payload.data[0]] | join(" ")' "$dir/signals")" seen \
        "the new jobs"
changes=$(jq -cs '[.[] | select(.member == "PropertiesChanged" and .payload.data[0] == "org.hyper1.Job") | .payload.data[1] | keys[]] | unique' "$dir/signals")
contains "$changes" '"State"' "properties that emitted changes"
