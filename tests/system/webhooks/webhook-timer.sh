#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 180
# slow: a retry that is far away is waited for
#
# While a retry is far away nothing runs but a timer, and that brings hyper-notifyd back.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

settings 'daemon: {idle_timeout: 2}'
hook '{"url":"http://127.0.0.1:9001/","events":["job.submitted"],"retry_count":8}' >/dev/null
quick_job one
wait_state one COMPLETED
timer() { systemctl list-units --all --plain --no-legend 'hyper-notifyd.timer' | grep -q .; }
inactive() { [ "$(systemctl is-active hyper-notifyd.service hyper-managerd.service | sort -u)" = inactive ]; }
waits() { timer && inactive; }
eventually 90 "only a timer is left" waits
receiver 9001
eventually 90 "it was delivered in the end" has_seen 9001 1
eventually 10 "it was recorded" none_pending 0
[ "$(deliveries 0 '.[0].attempts')" -ge 6 ] ||
        fail "it was delivered after $(deliveries 0 '.[0].attempts') attempts"
gone() { ! timer; }
eventually 30 "the timer is gone" gone
receiver_down 9001
