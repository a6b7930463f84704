# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The part "schedules" of tests/bench/run: what one more schedule costs when there are few and when there are
# many, how long a boot takes to bring many back, and that nothing runs between firings. To be sourced by that
# script.

# shellcheck disable=SC2154 # results, schedules and api are that script's
# shellcheck disable=SC2016 # \$ in single quotes is for the shell inside

schedule_json() {
        printf '{"id":"%s","schedule":"0 0 1 %d *","job_template":{"source":{"type":"file","path":"/srv/bench/small.qcow2"},"output_dir":"/srv/bench"}}' \
                "$1" "$(($(date -d '+6 months' +%-m)))"
}

# create_schedules NAME COUNT: prints the seconds of each
create_schedules() {
        local i
        for i in $(seq "$2"); do
                curl -sSf -o /dev/null -w '%{time_total}\n' -H 'Content-Type: application/json' -d \
                        "$(schedule_json "$1-$i")" "$api/schedules"
        done
}

timers() { inside systemctl list-units --no-legend --plain 'hyper-schedule-*.timer' | wc -l; }

bench_schedules() {
        local few many began taken processes
        small_source
        create_schedules warm 10 >/dev/null
        few=$(create_schedules few 30)
        inside systemctl stop hyper.service hyper-managerd.service
        inside sqlite3 /var/lib/hyper/hyper.db "
                WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $schedules)
                INSERT INTO schedules (id, name, description, expression, enabled, overlap, catch_up, spec, dialect, request,
                        created_at, updated_at, next_at, has_timer)
                SELECT 'many-' || i, name, description, expression, enabled, overlap, catch_up, spec, dialect, request,
                        created_at, updated_at, next_at, 1 FROM n, schedules WHERE id = 'warm-1'"
        began=$EPOCHREALTIME
        inside systemctl restart hyper-schedules.service
        taken=$(elapsed "$began")
        [ "$(timers)" -eq $((schedules + 40)) ] || die "there are $(timers) timers, not $((schedules + 40))"
        create_schedules warmer 5 >/dev/null
        many=$(create_schedules more 30)
        record schedules "POST /schedules, median, $schedules there" ms "$(awk '{print $1 * 1000}' <<<"$many")" \
                "$(awk '{print $1 * 1000}' <<<"$few")" "with 10 there"
        record schedules "All timers of $schedules schedules made anew" s "${taken% s}" "" ""
        inside systemctl stop hyper.service
        await 90 "no process of the suite is left" no_process_is_left
        sleep 10
        processes=$(inside pgrep -c '^hyper' || :)
        record schedules "Processes of the suite between firings, $schedules schedules" "" "$processes" "" ""
        inside sh -c 'systemctl stop hyper-managerd.service; sqlite3 /var/lib/hyper/hyper.db "DELETE FROM schedules"; systemctl stop "hyper-schedule-*.timer"'
}
