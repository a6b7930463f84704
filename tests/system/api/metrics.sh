#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# runs-on: host
#
# /metrics of both APIs: Prometheus takes them, they say what happened, and no client can make more of them.

# shellcheck disable=SC2016 # much of it is for the shell inside
# shellcheck source=tests/system/lib/host.sh
. "$(dirname "$0")/../lib/host.sh"

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
hypersdk=http://127.0.0.1:8080
worker=http://127.0.0.1:8000
metrics() { inside curl -sS --fail "$1/metrics"; }
# value URL SERIES: of that very series
value() { metrics "$1" | awk -v s="$2" '$1 == s { print $2 }'; }

lib 'mkdir -p /srv/m; raw_image /srv/m/disk.raw 16; settings "jobs: {max_running: 2}"
        for i in 1 2; do submit "$(spec /srv/m/disk.raw /srv/m/$i.qcow2 ".job_id = \"good-$i\"")" >/dev/null; wait_state good-$i COMPLETED; done
        submit "$(spec /srv/m/disk.raw /srv/m/x.qcow2 ".job_id = \"bad\" | .source.checksum = \"sha256:$(printf %064d 0)\" | .execution_policy = {retry_count: 0}")" >/dev/null
        wait_state bad FAILED'
for url in $hypersdk $worker; do
        metrics "$url" >"$dir/metrics"
        promtool check metrics <"$dir/metrics" >"$dir/promtool" 2>&1 ||
                fail "promtool does not accept $url/metrics: $(cat "$dir/promtool")"
        equal "$(sort "$dir/metrics" | grep -v '^#' | cut -d' ' -f1 | uniq -d)" "" \
                "series of $url that come twice"
        equal "$(value "$url" 'hyper_jobs{state="COMPLETED"}')" 2 "completed jobs at $url"
        equal "$(value "$url" 'hyper_jobs{state="FAILED"}')" 1 "failed jobs at $url"
        equal "$(value "$url" hyper_queue_depth)" 0 "the queue at $url"
        equal "$(value "$url" 'hyper_schedules{enabled="true"}')" 0 "schedules at $url"
        equal "$(value "$url" hyper_webhook_deliveries_pending)" 0 "deliveries at $url"
done
equal "$(value $hypersdk hyper_bytes_copied_total)" $((2 * 16 * 1024 * 1024)) "the bytes that were copied"
equal "$(value $hypersdk 'hypersdk_jobs_total{status="completed"}')" 2 "completed jobs by status"
equal "$(value $worker 'hyper2kvm_migration_total{status="failed"}')" 1 "failed migrations"
equal "$(value $worker 'hyper2kvm_migration_duration_seconds_bucket{le="60.0"}')" 3 "short migrations"
equal "$(value $worker hyper2kvm_migration_duration_seconds_count)" 3 "migrations"
equal "$(value $worker hyper2kvm_worker_jobs_active)" 0 "active jobs"

# A path is the route's, and what is none is one series
inside sh -c 'for i in 1 2 3; do curl -s -o /dev/null http://127.0.0.1:8080/jobs/none-$i http://127.0.0.1:8080/odd/$i; done; curl -s -o /dev/null -X BREW http://127.0.0.1:8080/status'
requests=$(metrics $hypersdk | grep ^hypersdk_api_requests_total)
equal "$(grep -cF '{method="GET",path="/jobs/{id}",status="Not Found"} 3' <<<"$requests")" 1 \
        "the requests for jobs that are not: $requests"
equal "$(grep -cF '{method="GET",path="(none)",status="Not Found"} 3' <<<"$requests")" 1 \
        "the requests for paths that are not: $requests"
equal "$(grep -c BREW <<<"$requests" || :)" 0 "series made by a client"
lib 'echo "metrics: {enabled: false}" >/etc/hyper/config.d/90-test.yaml; systemctl stop hyper.service'
equal "$(inside curl -s -o /dev/null -w '%{http_code}' $hypersdk/metrics)" 404 \
        "the status when they are turned off"
