#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 240
# machine: browser
#
# A browser makes usable pages of /docs and /redoc, with files of this machine only, and the API takes what
# they send; an inline script is not run.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

export HOME=$dir

# look NAME PATH: a browser without any other host opens the page; what it has become is in $dir/NAME.html,
# what it had to say in $dir/NAME.log
look() {
        # (its own sandbox wants user namespaces that the machine has not)
        timeout 100 chromium --headless --no-sandbox --disable-gpu --no-first-run \
                --user-data-dir="$dir/browser-$1" \
                --host-resolver-rules="MAP * ~NOTFOUND , EXCLUDE 127.0.0.1" --enable-logging=stderr \
                --window-size=1400,3000 \
                --virtual-time-budget=30000 --dump-dom "$worker$2" >"$dir/$1.html" 2>"$dir/$1.log" ||
                fail "the browser failed at $2: $(tail -n 5 "$dir/$1.log")"
}

# complaints NAME: what it found wrong with the page
complaints() { grep -E 'CONSOLE.*(Content Security Policy|Uncaught|SyntaxError|Failed to)' "$dir/$1.log" ||
        :; }

http GET "$worker/openapi.json" >"$dir/openapi.json"
mapfile -t summaries < <(jq -r '.paths[][].summary' "$dir/openapi.json")
[ ${#summaries[@]} -ge 10 ] || fail "the document has only ${#summaries[@]} operations"

for page in docs redoc; do
        look "$page" "/$page"
        # What a page of a machine without these files would look like: the page alone, which has none of this
        # in it
        http GET "$worker/$page" >"$dir/$page.source"
        for summary in "${summaries[@]}"; do
                grep -qF "$summary" "$dir/$page.html" ||
                        fail "/$page does not show \"$summary\": $(head -c 2000 "$dir/$page.html")"
                if grep -qF "$summary" "$dir/$page.source"; then fail \
                        "\"$summary\" is in the page before the browser has made it"; fi
        done
        # Scripts and data come from here (a small picture of Redoc's maker is not worth a look into the
        # internet)
        problems=$(complaints "$page" |
                grep -vF "Loading the image 'https://cdn.redoc.ly/redoc/logo-mini.svg' violates" || :)
        equal "$problems" "" "what the browser complains about at /$page"
done
contains "$(cat "$dir/docs.html")" 'class="opblock' "the page to try the API out"

# What the page sends when somebody tries it out; and what the page of another would
job="{\"image\": {\"path\": \"$dir/disk.raw\"}, \"job_id\": \"tried\"}"
raw_image "$dir/disk.raw" 8
http POST "$worker/jobs" "$job" -H 'Origin: http://evil.example' >/dev/null
equal "$(status)" 403 "a job from another's page"
http POST "$worker/jobs" "$job" -H "Origin: $worker" >/dev/null
equal "$(status)" 201 "a job from the page"
wait_state tried COMPLETED

# A script that somebody smuggled into the page is not run, and would have been noticed above
sed -i 's|</body>|<script>document.title = "smuggled"</script></body>|' /usr/share/hyper/docs/docs.html
look smuggled /docs
contains "$(complaints smuggled)" "inline script" "what the browser says of an inline script"
lacks "$(cat "$dir/smuggled.html")" "<title>smuggled" "the page"
