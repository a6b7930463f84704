#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the tests with a vSphere server share ("# vcsim: yes" in their headers). Sourced after lib.sh.

# shellcheck disable=SC2034,SC2154 # the variables are for those who source this; $dir is from lib.sh

vcsim_user=administrator@vsphere.local
vcsim_password=secret

# vcsim_start [FLAGS…]: starts the simulator, and sets $vcsim_url, $vcsim_control, $vcsim_ca (a file) and
# $vcsim_thumbprint. It ends with the test. $vcsim_patience: seconds until it listens (30).
vcsim_start() {
        local line
        mkdir -p "$dir/vcsim"
        /usr/lib/hyper-tests/vcsim -listen 127.0.0.1:0 -control 127.0.0.1:0 -dir "$dir/vcsim" "$@" \
                >"$dir/vcsim.out" 2>"$dir/vcsim.err" &
        vcsim_pid=$!
        eventually "${vcsim_patience:-30}" "the simulator listens" grep -q '^URL=' "$dir/vcsim.out"
        line=$(grep '^URL=' "$dir/vcsim.out")
        vcsim_url=$(vcsim_field URL "$line")
        vcsim_control=$(vcsim_field CONTROL "$line")
        vcsim_ca=$(vcsim_field ' CA' "$line")
        vcsim_thumbprint=$(vcsim_field THUMBPRINT "$line")
}

vcsim_field() {
        local rest=${2#*"$1="}
        printf '%s' "${rest%% *}"
}

# vcsim_stop: ends it, as if the server was switched off
vcsim_stop() {
        kill -KILL "$vcsim_pid"
        wait "$vcsim_pid" 2>/dev/null || :
}

# vcsim PATH [CURL OPTIONS…]: a request to the control address, see tests/vcsim/README.md
vcsim() {
        local path=$1
        shift
        curl -sSf "$@" "$vcsim_control$path"
}
vcsim_fault() { vcsim /faults --data-binary "$1"; }
vcsim_no_faults() { vcsim /faults -X DELETE; }
# vcsim_sessions: how many there are; vcsim_calls METHOD: how often it was called
vcsim_sessions() { vcsim /state | jq .sessions; }
vcsim_calls() { vcsim /state | jq --arg m "$1" '.calls[$m] // 0'; }
# vcsim_disk VM [NUMBER]: the content of a disk, as the guest would read it
vcsim_disk() { vcsim /disk/read -G --data-urlencode "vm=$1" -d "disk=${2:-0}"; }
