#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
# slow: each of a hundred refusals is asked for by two clients
#
# Whose paths are whose. An operator reads and writes below the directories of the configuration and is told
# nothing of what lies outside, over the bus and over HTTP, by name, by symlink and by a schedule; an
# administrator names any path but the system's own; those are nobody's.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

useradd -M -s /bin/sh -G hyper-operator t-operator
useradd -M -s /bin/sh -G hyper-admin t-admin
outside=/opt/images
mkdir -p $outside/directory "$dir/in" /root/.ssh
raw_image $outside/a.raw 8
raw_image "$dir/in/a.raw" 8
echo secret >/root/.ssh/id_test

# bus USER SPEC [OPTION…]: submits as that user; what busctl says
bus() {
        local user=$1 spec=$2
        shift 2
        runuser -u "$user" -- busctl call "${manager[@]}" SubmitJob 'sa{sv}' "$spec" $(($# / 3)) "$@" 2>&1
}
# web USER SPEC: the same over HTTP
web() {
        runuser -u "$1" -- curl -sS -m 60 -o "$dir/web" -w '%{http_code}' "$api/jobs/submit" -H \
                'Content-Type: application/json' \
                -d "$(jq -c 'del(.operation)' <<<"$2")" >"$dir/web.status"
        jq -r .error "$dir/web"
}
touch "$dir/web" && chmod 666 "$dir/web"
chmod 755 "$dir"

# refused HOW USER PATH SPEC: the refusal, with PATH in place of the path
refused() {
        local answer
        case $1 in
        bus) answer=$(bus "$2" "$4") && fail "$2 may use $3 over the bus: $answer" ;;
        web)
                answer=$(web "$2" "$4")
                equal "$(cat "$dir/web.status")" 400 "the status for $3"
                ;;
        esac
        echo "${answer//"$3"/PATH}"
}

# the_same USER SPEC-OF ONE OTHER: both are refused in the same words; SPEC-OF PATH makes the spec
the_same() {
        local how one other
        for how in ${hows:-bus web}; do
                one=$(refused "$how" "$1" "$3" "$("$2" "$3")")
                other=$(refused "$how" "$1" "$4" "$("$2" "$4")")
                equal "$one" "$other" "what $1 is told of $3 and of $4 ($how)"
                contains "$one" "must be below a directory of jobs." "the refusal of $3 ($how)"
        done
}
from() { spec "$1" "$dir/in/new.qcow2"; }
to() { spec "$dir/in/a.raw" "$1"; }

# --- an operator: the same words, whether it exists or not, whatever it is ---------------------------------
the_same t-operator from $outside/a.raw $outside/none.raw
the_same t-operator from $outside/directory $outside/nonexistent
the_same t-operator from $outside/a.raw/x $outside/none/x
the_same t-operator from /etc/shadow /etc/none
the_same t-operator from /root/.ssh/id_test /root/none
the_same t-operator from /dev/null /dev/none
the_same t-operator from /proc/1/environ /proc/none
the_same t-operator from /var/lib/hyper/hyper.db /var/lib/hyper/none
the_same t-operator to $outside/new.qcow2 $outside/none/new.qcow2
the_same t-operator to /root/.bash_profile /root/none/x
the_same t-operator to $outside/a.raw $outside/b.raw

# by a symlink, to a file, a directory, nothing, through another, relative
for target in $outside/a.raw $outside/none.raw $outside /etc/shadow /etc/none ../../../opt/images/a.raw \
        ../../../opt/none; do
        ln -sfn "$target" "$dir/in/link"
        ln -sfn link "$dir/in/second"
        the_same t-operator from "$dir/in/link" $outside/none.raw
        hows=bus
        the_same t-operator from "$dir/in/second" $outside/none.raw
        the_same t-operator from "$dir/in/link/a.raw" "$dir/in/link/none.raw"
        the_same t-operator to "$dir/in/link/a.raw" "$dir/in/link/new.raw"
        hows=
done
# by "..", which no spec may have
contains "$(refused bus t-operator x "$(from "$dir/in/../../../opt/images/a.raw")")" '".." component' \
        "dots on the bus"
contains "$(refused web t-operator x "$(from "$dir/in/../../../opt/images/a.raw")")" '".." component' \
        "dots over HTTP"
# a descriptor names a file of another place
printf '# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType="monolithicFlat"\nRW 16384 FLAT "%s" 0\n' \
        $outside/a.raw >"$dir/in/d.vmdk"
answer=$(bus t-operator "$(from "$dir/in/d.vmdk")") && fail "a descriptor led out: $answer"

# Below the directories all is well, also through links.
ln -sfn a.raw "$dir/in/link"
bus t-operator "$(spec "$dir/in/link" "$dir/in/bus.qcow2" '.job_id = "operator-bus"')" >/dev/null ||
        fail "an operator may not convert"
web t-operator "$(spec "$dir/in/a.raw" "$dir/in/web.qcow2" '.job_id = "operator-web"')" >/dev/null
wait_state operator-bus COMPLETED
wait_state operator-web COMPLETED
equal "$(job operator-bus | jq -r .role) $(job operator-web | jq -r .role)" "operator operator" \
        "the roles of the jobs"

# --- roles cannot be claimed -------------------------------------------------------------------------------
answer=$(bus t-operator "$(from $outside/a.raw)" role s admin) &&
        fail "an operator claims to be an admin: $answer"
contains "$answer" "an operator may not act as admin" "the refusal"
answer=$(bus root "$(from $outside/a.raw)" role s operator) && fail "root as an operator may read $outside"
contains "$answer" "must be below a directory of jobs.source_paths" "the refusal"

# --- hyper-agentd is an operator: what its server sends stays in this node's directories -------------------
the_same_agent() {
        local one other
        one=$(refused bus hyper-agent "$1" "$(from "$1")")
        other=$(refused bus hyper-agent "$2" "$(from "$2")")
        equal "$one" "$other" "what a server is told of $1 and of $2"
}
the_same_agent $outside/a.raw $outside/none.raw
the_same_agent /etc/shadow /etc/none
answer=$(bus hyper-agent "$(from $outside/a.raw)" role s admin) &&
        fail "hyper-agentd claims to be an admin: $answer"
bus hyper-agent "$(spec "$dir/in/a.raw" "$dir/in/agent.qcow2" '.job_id = "agent"')" >/dev/null ||
        fail "hyper-agentd may not convert"
wait_state agent COMPLETED
equal "$(job agent | jq -r .role)" operator "the role of hyper-agentd's job"

# --- an administrator --------------------------------------------------------------------------------------
bus t-admin "$(spec $outside/a.raw $outside/bus.qcow2 '.job_id = "admin-bus"')" >/dev/null ||
        fail "an administrator may not read $outside"
web t-admin "$(spec $outside/a.raw $outside/web.qcow2 '.job_id = "admin-web"')" >/dev/null
wait_state admin-bus COMPLETED
wait_state admin-web COMPLETED
same $outside/a.raw $outside/bus.qcow2 qcow2
same $outside/a.raw $outside/web.qcow2 qcow2

# --- the system's own are nobody's -------------------------------------------------------------------------
ln -sfn /root/.bash_profile "$dir/in/profile"
ln -sfn /root "$dir/in/home"
for how in bus web; do
        for user in $([ $how = bus ] && echo root || echo t-admin); do
                for path in /root/.bash_profile /root/.ssh/authorized_keys \
                        /root/.config/systemd/user/x.service /etc/cron.d/x \
                        /etc/shadow /var/lib/hyper/hyper.db /run/x /usr/bin/x /home/x/.profile \
                        "$dir/in/home/.bash_profile"; do
                        contains "$(refused "$how" "$user" "$path" "$(to "$path")")" \
                                "a destination may not be here" "$path as a destination of $user ($how)"
                done
                for path in /etc/shadow /root/.ssh/id_test /proc/1/environ /var/lib/hyper/hyper.db \
                        /dev/null; do
                        contains "$(refused "$how" "$user" "$path" "$(from "$path")")" \
                                "a source may not be here" "$path as a source of $user ($how)"
                done
        done
done
missing /root/.bash_profile
missing /etc/cron.d/x

# --- schedules have the role of who gave them their job ----------------------------------------------------
definition() { jq -cn --argjson job "$(spec "$1" "$dir/in/scheduled-{job_id}.qcow2")" \
        '{id: "s", schedule: "0 0 1 1 *", job: $job}'; }
schedule() { busctl --json=short call "${manager[@]}" GetSchedule s s | jq -r '.data[1]'; }
trigger() { busctl --json=short call "${manager[@]}" TriggerSchedule 'sa{sv}' s 0 2>&1; }
runuser -u t-operator -- busctl -q call "${manager[@]}" CreateSchedule 'sa{sv}' \
        "$(definition $outside/a.raw)" 0
equal "$(schedule | jq -r .role)" operator "the role of an operator's schedule"
answer=$(trigger) && fail "a schedule led an operator out: $answer"
contains "$answer" "must be below a directory of jobs.source_paths" "what the schedule was refused with"
# Root may change it, and run it: the job is still the operator's.
busctl -q call "${manager[@]}" UpdateSchedule 'ssa{sv}' s '{"description": "looked at by root"}' 0
busctl -q call "${manager[@]}" DisableSchedule s s
busctl -q call "${manager[@]}" EnableSchedule s s
answer=$(trigger) && fail "root's touch made the operator's schedule an administrator's: $answer"
# Root's own job in it is root's; an operator who replaces it has his own role again.
busctl -q call "${manager[@]}" UpdateSchedule 'ssa{sv}' s "$(definition $outside/a.raw | jq -c '{job}')" 0
equal "$(schedule | jq -r .role)" admin "the role of root's job"
id=$(trigger | jq -r '.data[0]')
wait_state "$id" COMPLETED
runuser -u t-operator -- busctl -q call "${manager[@]}" UpdateSchedule 'ssa{sv}' s \
        "$(definition /etc/shadow | jq -c '{job}')" 0
equal "$(schedule | jq -r .role)" operator "the role after an operator has replaced the job"
# The same over HTTP.
status=$(runuser -u t-operator -- curl -sS -m 60 -o "$dir/web" -w '%{http_code}' "$api/schedules" -H \
        'Content-Type: application/json' -d "{
        \"id\": \"h\", \"name\": \"h\", \"schedule\": \"0 0 1 1 *\", \"enabled\": true, \"job_template\": {
        \"source\": {\"type\": \"file\", \"path\": \"$outside/a.raw\"}, \"destination\": {\"type\": \"file\", \"path\": \"$dir/in/h-{job_id}.qcow2\", \"format\": \"qcow2\"}}}")
equal "$status" 201 "an operator's schedule over HTTP ($(cat "$dir/web"))"
answer=$(busctl call "${manager[@]}" TriggerSchedule 'sa{sv}' h 0 2>&1) &&
        fail "a schedule of HTTP led an operator out: $answer"
contains "$answer" "must be below a directory of jobs.source_paths" \
        "what the schedule of HTTP was refused with"

# --- the lists of the configuration ------------------------------------------------------------------------
mkdir -p /etc/hyper/config.d
printf 'jobs: {source_paths: [%s], destination_paths: [%s]}\n' $outside "$dir/in" \
        >/etc/hyper/config.d/90-paths.yaml
busctl -q call "${manager[@]}" Reload
bus t-operator "$(spec $outside/a.raw "$dir/in/listed.qcow2" '.job_id = "listed"')" >/dev/null ||
        fail "a listed directory is not allowed"
wait_state listed COMPLETED
the_same t-operator from "$dir/in/a.raw" "$dir/in/none.raw"
# What was accepted is checked once more at its start.
busctl -q call "${manager[@]}" SubmitJob 'sa{sv}' "$(spec "$dir/in/a.raw" "$dir/in/last.qcow2" \
        '.job_id = "root-last"')" 0
wait_state root-last COMPLETED
