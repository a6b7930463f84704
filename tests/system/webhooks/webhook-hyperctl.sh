#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# hyperctl webhook: add, list, test, deliveries, rm, and what it says when something is wrong.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

# run COMMAND…: its output in $out, its exit status in $code
run() { code=0; out=$("$@" 2>&1) || code=$?; }

receiver 9001
receiver 9002 status=404
equal "$(hyperctl webhook add http://127.0.0.1:9001/ --events=job.submitted,job.cancelled)" 0 "the index"
echo '{"url":"http://127.0.0.1:9002/","secret":"hush","headers":{"X-Token":"t0ken"},"retry_count":0}' \
        >"$dir/hook.json"
equal "$(hyperctl webhook add - <"$dir/hook.json")" 1 "the index of one from stdin"
equal "$(hyperctl webhook add "$dir/hook.json" --events=job.failed)" 2 "the index of one from a file"
equal "$(hyperctl webhook list --json=short | jq -c 'map([.index, .events, .headers, .secret])')" \
        '[[0,["job.submitted","job.cancelled"],{},null],[1,[],{"X-Token":"***"},"***"],[2,["job.failed"],{"X-Token":"***"},"***"]]' "the list"
contains "$(hyperctl webhook list)" "job.submitted,job.cancelled" "the table"
run hyperctl webhook test 0 hello
equal "$code" 0 "the exit status of a test that went well: $out"
contains "$out" "delivered" "its output"
equal "$(seen 9001)" hello "the event"
run hyperctl webhook test 1
equal "$code" 1 "the exit status of a test that failed"
contains "$out" "the answer was status 404" "its output"
equal "$(seen 9002 '.headers["X-Token"]')" t0ken "the header"
run hyperctl webhook test http://127.0.0.1:9001/elsewhere
equal "$code" 0 "the exit status of a test of a URL: $out"

quick_job one
eventually 20 "it was delivered" none_pending 0
eventually 20 "it was given up" none_pending 1
equal "$(hyperctl webhook deliveries 0 --json=short | jq -c 'map([.event, .status])')" \
        '[["job.submitted","delivered"]]' "the deliveries"
contains "$(hyperctl webhook deliveries 1 --limit=3)" "the answer was status 404" "the table of deliveries"
wait_state one COMPLETED

run hyperctl webhook add gopher://x/
equal "$code" 1 "the exit status for a file that is not there: $out"
run hyperctl webhook add http://
equal "$code" 6 "the exit status for a wrong URL: $out"
run hyperctl webhook rm 7
equal "$code" 5 "the exit status for a webhook that is not there: $out"
contains "$out" "hyperctl webhook list" "its output"
run hyperctl webhook rm first
equal "$code" 2 "the exit status for an index that is none: $out"
run as hyper-viewer hyperctl --no-ask-password webhook rm 0
equal "$code" 7 "the exit status for somebody who may not: $out"
contains "$out" "org.hyper1.manage-webhooks" "its output"
hyperctl webhook rm 0
hyperctl webhook rm 0
equal "$(hyperctl webhook list --json=short | jq -c 'map([.index, .events])')" '[[0,["job.failed"]]]' \
        "the list afterwards"
receiver_down 9001
receiver_down 9002
