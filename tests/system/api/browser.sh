#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 240
# machine: browser
#
# A page in a browser connects, submits a job and watches it, if the configuration names its origin; a page of
# another origin does neither, and one from this machine may listen.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

here=$(dirname "$0")
export HOME=$dir
python3 "$here/browser-server.py" "$dir/reports" &
server=$!
trap 'kill $server; rm -rf "$dir"' EXIT
raw_image "$dir/disk.raw" 8

reported() { jq -es "any($1)" "$dir/reports" >/dev/null 2>&1; }
# visit NAME ADDRESS CONDITION: a browser looks at the page, which submits the job of that name, until it has
# reported that
visit() {
        local job browser
        job=$(jq -rcn --arg id "$1" --arg s "$dir/disk.raw" --arg d "$dir/$1.qcow2" \
                '{id: $id, source: {type: "file", path: $s}, destination: {type: "file", path: $d, format: "qcow2"}} | tojson | @uri')
        : >"$dir/reports"
        # (its own sandbox wants user namespaces that the machine has not)
        setsid chromium --headless --no-sandbox --disable-gpu --no-first-run \
                --user-data-dir="$dir/browser-$1" \
                --host-resolver-rules="MAP *.example 127.0.0.1" "$2#$job" >"$dir/browser.log" 2>&1 &
        browser=$!
        eventually 60 "$3; the page reported: $(cat "$dir/reports")" reported "$3"
        kill -- "-$browser" 2>/dev/null || :
        wait "$browser" || :
}

# Without a word in the configuration a page of this machine may listen, and nothing else
visit local http://127.0.0.1:3000/ '.[]; .refused == "submit"'
reported '.[]; .open and .extensions == "" and .origin == "http://127.0.0.1:3000"' ||
        fail "the page could not listen: $(cat "$dir/reports")"
equal "$(http GET "$api/jobs/local" >/dev/null; status)" 404 "its job"

# With it, all of it
settings 'api: {cors_origins: ["http://127.0.0.1:3000", "http://console.example:3000"]}'
systemctl stop hyper.service
visit here http://127.0.0.1:3000/ '.[]; .close'
reported '.[]; .ended == "completed"' || fail "the page did not see its job end: $(cat "$dir/reports")"
reported '.[]; .close == 1000 and .clean and .seen[-1] == 100' || fail "how it closed: $(cat "$dir/reports")"
visit console http://console.example:3000/ '.[]; .close'
reported '.[]; .submitted == "console" and .status == 201 and .origin == "http://console.example:3000"' ||
        fail "what the console submitted: $(cat "$dir/reports")"
reported '.[]; .ended == "completed"' || fail "the console did not see its job end: $(cat "$dir/reports")"

# Pages of others, and pages of nobody
for address in http://evil.example:3000/ "file://$here/browser-page.html"; do
        visit evil "$address" '.[]; .close'
        reported '.[]; .open or .submitted' && fail "$address could connect: $(cat "$dir/reports")"
        reported '.[]; .close == 1006' || fail "$address was not refused: $(cat "$dir/reports")"
        equal "$(http GET "$api/jobs/evil" >/dev/null; status)" 404 "the job of $address"
done
