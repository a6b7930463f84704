#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 240
# runs-on: host
# second-machine: yes
#
# A proxy answers the first request of each kind that hyper-agentd makes with a 404 of its own, and loses two
# answers of each kind when the server has done what it was asked for: each job has one end, a whole output,
# and all its events.

# shellcheck source=tests/system/lib/lib-agent.sh
. "$(dirname "$0")/../lib/lib-agent.sh"

set_up_server
make_images
on_server systemd-run -q --collect --unit=test-proxy python3 \
        /usr/lib/hyper-tests/system/agent/losing-proxy.py 10.77.0.2 8001 http://127.0.0.1:8000 /srv/lost
url=http://10.77.0.2:8001
set_up_worker
for i in 1 2 3 4 5 6; do submit "lost-$i"; done
submit lost-slow
for i in 1 2 3 4 5 6; do ended "lost-$i"; done
ended lost-slow
equal "$(on_server sort /srv/lost | uniq -c | tr -s ' ')" \
        "$(printf ' 2 %s\n' 'GET /jobs/*' 'POST /jobs/*/events' 'POST /jobs/*/result' \
        'POST /queue/dequeue' 'POST /workers/*/heartbeat' 'POST /workers/register')" \
        "the answers that were lost"
on_server systemctl stop test-proxy
stop_slow_source
