#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 500
# slow: it boots the machine again after each power cut and copies a disk at a limited speed
# runs-on: host
# weight: 0.5
#
# A power cut in mid-copy: what was answered 201 is there; the interrupted job is tried again and completes
# right to the byte, or is FAILED if its policy says so; what waited runs.

# shellcheck disable=SC2016 # much of it is for the shell inside
# shellcheck source=tests/system/lib/host.sh
. "$(dirname "$0")/../lib/host.sh"

inside mkdir -p /srv/cut /etc/hyper/config.d
inside sh -c 'printf "jobs: {max_running: 2}\n" >/etc/hyper/config.d/90-test.yaml; cd /srv/cut; head -c 256M /dev/urandom >disk.raw; sync'
submit() { # NAME IDEMPOTENT
        inside curl -sS --fail-with-body -o /dev/null -w '%{http_code}\n' -H \
                'Content-Type: application/json' --data \
                "{\"job_id\":\"$1\",\"operation\":\"convert\",\"image\":{\"path\":\"/srv/cut/disk.raw\",\"format\":\"raw\"},\"parameters\":{\"output_format\":\"qcow2\",\"compress\":true,\"output_path\":\"/srv/cut/$1.qcow2\"},\"execution_policy\":{\"idempotent\":$2,\"retry_count\":3}}" \
                http://127.0.0.1:8000/jobs
}
# so slow that both are caught in mid-copy
inside systemctl set-property --runtime hyper-jobs.slice CPUQuota=20%
equal "$(submit again true)" 201 "the first job's status"
equal "$(submit once false)" 201 "the second job's status"
# held in mid-copy, so that the power goes before they are done
lib 'for id in again once; do wait_bytes $id 1; systemctl kill -s STOP "$(unit $id)"; done'
equal "$(submit waiting true)" 201 "the third job's status"
machine crash
machine up
equal "$(inside systemctl show -P Result hyper-resume.service)" success "the result of hyper-resume.service"
lib 'wait_state again COMPLETED 180; wait_state waiting COMPLETED 180'
case $(lib 'states again') in *RETRYING*) ;; *) fail "the interrupted job was not RETRYING: $(lib \
        'states again')" ;; esac
lib 'wait_state once FAILED 60'
[ -n "$(lib 'reason once')" ] || fail "no reason for the job that failed"
echo "FAILED because: $(lib 'reason once')"
lib 'same /srv/cut/disk.raw /srv/cut/again.qcow2 qcow2; same /srv/cut/disk.raw /srv/cut/waiting.qcow2 qcow2; missing /srv/cut/once.qcow2'

# Several cuts, each in the instant after an answer
for i in 1 2 3; do
        equal "$(submit "instant-$i" true)" 201 "the status"
        machine crash
        machine up
        lib "job instant-$i >/dev/null" || fail "instant-$i was answered 201 and is gone"
done
lib 'for i in 1 2 3; do wait_state instant-$i COMPLETED 180; same /srv/cut/disk.raw /srv/cut/instant-$i.qcow2 qcow2; done'
equal "$(inside sqlite3 -readonly /var/lib/hyper/hyper.db 'PRAGMA integrity_check')" ok "the database"
inside rm -rf /srv/cut
