#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
# slow: it is a load of one minute
#
# kill -9 of the manager and of the API, at random moments for a minute, while clients submit and cancel and
# workers take and report: every job that was accepted is there and ends once, and none is given to two
# workers at once. HYPER_SEED=n repeats the dice of a run.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

here=$(dirname "$0")
seed=${HYPER_SEED:-$RANDOM$RANDOM}
echo "HYPER_SEED=$seed"
load() { python3 "$here/../lib/worker-load.py" "$@"; }

load run 60 "$seed" kill >"$dir/log" || fail "the load: $(tail -n 3 "$dir/log")"
for unit in hyper-managerd.service hyper.service; do
        killed=$(grep -c "\"killed\", \"unit\": \"$unit\"" "$dir/log")
        [ "$killed" -ge 10 ] || fail "$unit was killed only $killed times"
done
load settle >>"$dir/log" || fail "what was left: $(http GET "$worker/queue")"
load check "$dir/log" || fail "the jobs are not as was answered (HYPER_SEED=$seed)"
accepted=$(grep -c '"accepted"' "$dir/log")
[ "$accepted" -ge 200 ] || fail "only $accepted jobs were accepted in a minute"
equal "$(http GET "$worker/queue" | jq -c .)" '{"total_jobs":0,"by_priority":{}}' "the queue at the end"
equal "$(http GET "$worker/workers" | jq '[.workers[].jobs] | add')" 0 "what the workers hold at the end"
# Each end was told once, whatever died when.
journalctl --sync
journalctl -q --no-pager -o json HYPER_EVENT=state |
        jq -r 'select(.HYPER_STATE | IN("COMPLETED", "FAILED", "CANCELLED")) | .HYPER_JOB_ID' |
        sort | uniq -c | awk '{print $1}' | sort | uniq -c >"$dir/told"
equal "$(awk '{print $2}' "$dir/told" | tr '\n' ' ')" "1 " \
        "how often the journal tells of an end: $(cat "$dir/told")"
equal "$(awk '{print $1}' "$dir/told")" "$(sqlite3 -readonly /var/lib/hyper/hyper.db \
        'SELECT count(*) FROM jobs')" "of how many ends the journal tells"
systemctl reset-failed hyper-managerd.service hyper.service 2>/dev/null || :
