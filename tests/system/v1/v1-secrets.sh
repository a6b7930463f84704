#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
# vcsim: yes
#
# No password, token, ticket or key of the v1 API is in the database, the journal, a property of a unit, an
# argument or the environment of a process, or an answer; not while a job uses it, either.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=tests/system/lib/lib-vcsim.sh
. "$(dirname "$0")/../lib/lib-vcsim.sh"
# shellcheck source=tests/system/lib/lib-v1.sh
. "$(dirname "$0")/../lib/lib-v1.sh"

cat >"$dir/inventory.json" <<'JSON'
{"vms": [{"name": "web-server-01", "power": "off", "disks": [{"size": "4M"}], "nics": [{}]}]}
JSON
vcsim_password=Zq7.vcenter-password
vcsim_start -password "$vcsim_password" -inventory "$dir/inventory.json" -vm 0
v1_up

# Passwords of one's own, which are no part of another word.
login_password='Zq7.login-password' user_password='Zq7.user-password'
useradd -M -s /usr/sbin/nologin -G hyper-operator dora
chpasswd <<<"dora:$login_password"
key=$(hyperctl key add secrets --scope=submit,read -q)
url=https://your-server:5080/api/v1
: >"$dir/answers"
# ask METHOD PATH [BODY] [CURL OPTIONS…]: the body goes to all answers, too
ask() {
        curl -sSk -m 60 -i -X "$1" ${3:+-d "$3"} "${@:4}" "$url$2" | tee -a "$dir/answers" | tail -n 1
}
# a login whose answer has the token, and is the only one that may
token=$(curl -sSk $url/auth/login -d "{\"username\":\"dora\",\"password\":\"$login_password\"}" | jq -r .token)
[[ $token == hyps_* ]] || fail "no token"
ask POST /auth/login "{\"username\":\"dora\",\"password\":\"$login_password\",\"extra\":[]" >/dev/null # no JSON
ask POST /auth/login "{\"username\":\"$user_password\",\"password\":5}" >/dev/null
ask POST /auth/login '{"username":"dora","password":"Zq7.wrong-password"}' >/dev/null
fresh=$(curl -sSk -X POST -H "Authorization: Bearer $token" $url/auth/refresh | jq -r .token)
ticket=$(curl -sSk -X POST -H "Authorization: Bearer $fresh" $url/auth/ticket | jq -r .ticket)
for path in /auth/me /auth/session /auth/sessions "/nothing?token=$fresh" "/download?path=none&ticket=$ticket"; do
        ask GET "$path" '' -H "Authorization: Bearer $fresh" >/dev/null
done
ask GET /auth/me '' -H "Authorization: Bearer ${fresh}x" >/dev/null
ask GET /auth/me '' -H "X-API-Key: ${key%?}" >/dev/null
ask GET /auth/me '' -H "X-API-Key: $key" >/dev/null

# --- a vCenter, and a job that uses its password -----------------------------------------------------------

admin() { ask "$1" "$2" "$3" -H "Authorization: Bearer $v1_token"; }
connect() { # PASSWORD [JQ]
        jq -nc --arg url "$vcsim_url" --arg user "$vcsim_user" --arg password "$1" --rawfile ca "$vcsim_ca" \
                "{provider: \"vsphere\", id: \"vc1\", endpoint: \$url, username: \$user, password: \$password, ca_certificate: \$ca} | ${2:-.}"
}
admin POST /providers/connect "$(connect 'Zq7.vcenter-wrong')" >/dev/null
admin POST /providers/connect "$(connect 'Zq7.vcenter-wrong' '.endpoint = 5')" >/dev/null
admin POST /providers/test "$(connect "$vcsim_password")" >/dev/null
admin POST /providers/connect "$(connect "$vcsim_password")" >"$dir/answer"
equal "$(jq -r .id "$dir/answer")" vc1 "the provider: $(cat "$dir/answer")"
id=$(admin POST /jobs '{"type":"export","provider":"vsphere","vm_name":"web-server-01","format":"qcow2"}' | jq -r .id)
secrets=("$login_password" "$user_password" "$token" "$fresh" "$ticket" "$key" "$v1_token" "$vcsim_password"
        Zq7.wrong-password Zq7.vcenter-wrong)
# while it runs: arguments and environments of all processes, and properties of all units
has_secret() {
        local secret
        for secret in "${secrets[@]}"; do
                ! grep -aqF -- "$secret" "$1" || { echo "$secret"; return 0; }
        done
        return 1
}
until is_final "$(state "$id")"; do
        # (not those of this test and of the simulator)
        for process in /proc/[0-9]*; do
                case $(tr '\0' ' ' <"$process/cmdline" 2>/dev/null) in
                        */hyper-tests/*) ;;
                        */hyper* | *nbdkit* | *qemu* | *systemd-creds*) cat "$process/cmdline" "$process/environ" 2>/dev/null || : ;;
                esac
        done >>"$dir/processes"
        systemctl show '*' >>"$dir/properties" 2>/dev/null || :
done
equal "$(state "$id")" COMPLETED "the job: $(reason "$id")"
for path in /providers "/jobs/$id" /jobs "/vms/list?provider=vc1" /providers/capabilities /system/health /system/alerts \
        /readiness /metrics /audit/logs /schedules; do
        admin GET "$path" '' >/dev/null
done
admin GET "/jobs/$id/logs?follow=false" '' >/dev/null
admin GET /audit/logs '' >/dev/null

# --- where they might be -----------------------------------------------------------------------------------

systemctl show '*' >>"$dir/properties" 2>/dev/null || :
journalctl -o export >"$dir/journal"
cp /var/lib/hyper/hyper.db "$dir/database"
cat /var/lib/hyper/hyper.db-wal >>"$dir/database" 2>/dev/null || :
grep -aqF dora "$dir/journal" || fail "the journal does not contain the name"
grep -aqF vc1 "$dir/database" || fail "the database does not contain the provider"
[ -s "$dir/processes" ] || fail "no process was seen while the job ran"
for place in database journal properties processes answers; do
        ! found=$(has_secret "$dir/$place") || fail "$found is in: $place: $(grep -aF -m 1 -- "$found" "$dir/$place" | tr -c '[:print:]' . | head -c 400)"
done
# files: only the encrypted ones
grep -rlaF -- "$vcsim_password" /var/lib/hyper /run/hyper* /etc/hyper 2>/dev/null >"$dir/files" || :
equal "$(cat "$dir/files")" "" "files with the password of the vCenter"
