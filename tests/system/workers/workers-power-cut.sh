#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 240
# runs-on: host
#
# A power cut while clients submit and workers take and report: what was answered is there after the next
# boot, and the workers that come back finish what they hold. HYPER_SEED=n repeats the dice of a run.

# shellcheck source=tests/system/lib/host.sh
. "$(dirname "$0")/../lib/host.sh"

seed=${HYPER_SEED:-$RANDOM$RANDOM}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "HYPER_SEED=$seed"
load() { inside python3 /usr/lib/hyper-tests/system/lib/worker-load.py "$@"; }

inside sync
for cut in 1 2; do
        # What was heard is kept here, where the power stays on.
        load run 60 "$seed-$cut" >>"$log" 2>/dev/null &
        client=$!
        before=$(grep -c '"accepted"' "$log") || :
        end=$((SECONDS + 60))
        until [ "$(grep -c '"accepted"' "$log")" -ge $((before + 100 + RANDOM % 200)) ]; do
                [ $SECONDS -lt $end ] || fail "only $(grep -c '"accepted"' "$log") jobs were accepted in 60 s"
                sleep 0.1
        done
        machine crash
        wait $client || : # it went with the machine
        # The last line may have been cut off.
        sed -i '$ { /}$/ !d }' "$log"
        machine up
done
settled=$(load settle) || fail "what was left was not finished"
printf '%s\n' "$settled" >>"$log"
inside sh -c 'cat >/srv/log' <"$log"
load check /srv/log || fail "the jobs are not as was answered (HYPER_SEED=$seed)"
inside rm -f /srv/log
