#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# /webhooks of the HyperSDK API, as its published documentation has it.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

receiver 9001
receiver 9002 status=500
equal "$(http GET $api/webhooks | jq -c '[.webhooks, .total]')" '[[],0]' "the list at first"
added=$(http POST $api/webhooks '{"url":"http://127.0.0.1:9001/notify","events":["job.completed","job.failed"],"enabled":true,"timeout":30,"retry_count":3,"headers":{"Authorization":"Bearer token123"},"secret":"hush","colour":"blue"}')
equal "$(status)" 201 "the status of an addition: $added"
equal "$(jq -c '[.message, .index]' <<<"$added")" '["webhook added successfully",0]' "the answer"
equal "$(jq -c '.webhook | [.url, .events, .enabled, .timeout, .retry_count, .headers, .secret]' \
        <<<"$added")" \
        '["http://127.0.0.1:9001/notify",["job.completed","job.failed"],true,30,3,{"Authorization":"***"},"***"]' "the webhook"
http POST $api/webhooks '{"url":"http://127.0.0.1:9002/","enabled":false}' >/dev/null
equal "$(http GET $api/webhooks | jq -c '[.total, (.webhooks | map([.url, .enabled, .retry_count]))]')" \
        '[2,[["http://127.0.0.1:9001/notify",true,3],["http://127.0.0.1:9002/",false,3]]]' "the list"
equal "$(http GET $api/webhooks/1 | jq -c '[.index, .events, .secret]')" '[1,[],null]' "one of them"

# All that is wrong is named at once
error=$(http POST $api/webhooks '{"url":"ftp://x/","timeout":301,"retry_count":11,"events":["job.nothing"]}' |
        jq -r .error)
equal "$(status)" 400 "the status"
for part in "url: must be an http" "timeout: must be 1 to 300" "retry_count: must be 0 to 10" \
        '"job.nothing" is no event'; do contains "$error" "$part" "the error"; done
http POST $api/webhooks '[]' >/dev/null
equal "$(status)" 400 "the status of a list"
for request in "GET webhooks/2" "DELETE webhooks/2" "GET webhooks/7/deliveries" "POST webhooks/2/test"; do
        # shellcheck disable=SC2086 # two words
        http ${request% *} "$api/${request#* }" >/dev/null
        equal "$(status)" 404 "$request"
done
http DELETE $api/webhooks/first >/dev/null
equal "$(status)" 400 "an index that is none"
http PUT $api/webhooks/0 '{}' >/dev/null
equal "$(status)" 405 "a method that there is not"

# Tests
equal "$(http POST $api/webhooks/test '{"url":"http://127.0.0.1:9001/notify","event":"test"}' |
        jq -c '[.message, .success, .status, .error, .event]')" \
        '["test webhook sent",true,200,null,"test"]' "a test by URL"
equal "$(status)" 200 "its status"
equal "$(seen 9001 '.headers.Authorization')" "Bearer token123" "the header of the webhook that has the URL"
equal "$(http POST $api/webhooks/1/test | jq -c '[.message, .success, .status, .error]')" \
        '["test webhook failed",false,500,"the answer was status 500"]' "a test by index"
http POST $api/webhooks/test '{}' >/dev/null
equal "$(status)" 400 "a test of nothing"

# Deliveries
raw_image "$dir/disk.raw" 8
id=$(http POST $api/jobs/submit \
        "{\"name\":\"web\",\"vm_path\":\"$dir/disk.raw\",\"destination\":{\"path\":\"$dir/disk.qcow2\"}}" |
        jq -r .job_id)
wait_state "$id" COMPLETED
eventually 20 "it was delivered" none_pending 0
equal "$(http GET "$api/webhooks/0/deliveries?limit=5" | jq -c '[.total, .delivered, (.deliveries[0] | [.event, .status, .attempts, .status_code, .response, .body.data.job_id, .body.data.job_name, .body.data.vm_path, .body.data.status])]')" \
        "[1,1,[\"job.completed\",\"delivered\",1,200,\"thank you\",\"$id\",\"web\",\"$dir/disk.raw\",\"completed\"]]" "the deliveries"
http GET "$api/webhooks/0/deliveries?limit=0" >/dev/null
equal "$(status)" 400 "a limit of 0"
equal "$(seen_count 9002)" 1 "what the disabled webhook was told (its test)"

equal "$(http DELETE $api/webhooks/0 | jq -r .message)" "webhook deleted successfully" \
        "the answer to a deletion"
equal "$(http GET $api/webhooks | jq -c '.webhooks | map([.index, .url])')" '[[0,"http://127.0.0.1:9002/"]]' \
        "the list afterwards"
receiver_down 9001
receiver_down 9002
