#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 240
# runs-on: host
#
# A power cut with deliveries pending: after the next boot all of them are delivered, in order, without
# anybody calling.

# shellcheck disable=SC2016 # much of it is for the shell inside
# shellcheck source=tests/system/lib/host.sh
. "$(dirname "$0")/../lib/host.sh"

inside sh -c 'mkdir -p /srv/cut && truncate -s 1M /srv/cut/disk.raw && systemctl enable -q hyper-resume.service && sync'
lib 'allow_receivers; sync' # started below by hand
lib 'hook "{\"url\":\"http://127.0.0.1:9001/\",\"events\":[\"job.submitted\",\"job.completed\"],\"retry_count\":10,\"headers\":{\"X-Token\":\"abc\"}}" >/dev/null'
lib 'for i in 1 2 3; do submit "$(spec /srv/cut/disk.raw /srv/cut/$i.qcow2 ".job_id = \"job-$i\"")" >/dev/null; wait_state job-$i COMPLETED; done'
equal "$(lib 'deliveries 0 "map(.status) | unique"')" '["pending"]' "the deliveries before the cut"
machine crash
machine up
equal "$(lib 'deliveries 0 "map([.body.data.job_id, .event] | join(\" \"))"')" \
        '["job-1 job.submitted","job-1 job.completed","job-2 job.submitted","job-2 job.completed","job-3 job.submitted","job-3 job.completed"]' "the deliveries after the cut"
machine crash
machine up
# Now somebody is there; nobody asks the manager for anything until all has come.
inside sh -c 'cp /usr/lib/hyper-tests/system/lib/receiver.py /srv/cut/; touch /srv/cut/seen; systemd-run -q --collect --unit=test-receiver -p KillSignal=SIGKILL -p SuccessExitStatus=SIGKILL python3 /srv/cut/receiver.py 9001 /srv/cut/seen'
lib 'all() { [ "$(wc -l </srv/cut/seen)" -ge 6 ]; }; eventually 90 "all six were delivered" all'
equal "$(inside jq -r '.body | fromjson | [.data.job_id, .event] | join(" ")' /srv/cut/seen | tr '\n' ',')" \
        "job-1 job.submitted,job-1 job.completed,job-2 job.submitted,job-2 job.completed,job-3 job.submitted,job-3 job.completed," "what came"
equal "$(inside jq -r '.headers["X-Token"]' /srv/cut/seen | sort -u)" abc "the header"
lib 'eventually 20 "all is recorded" none_pending 0'
inside sh -c 'systemctl stop test-receiver; systemctl disable -q hyper-resume.service; rm -rf /srv/cut'
