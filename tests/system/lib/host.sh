#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What system tests share that run on the host, beside the machine, because they cut its power.

set -eEuo pipefail

machine() { "$(dirname "$0")/../../machine" --name "$HYPER_MACHINE" "$@"; }
inside() { machine exec "$@"; }
# shellcheck disable=SC2016 # for the inner shell
# the functions of lib.sh, run inside: lib 'wait_state x COMPLETED'
lib() { inside bash -c '. /usr/lib/hyper-tests/system/lib/lib.sh; eval "$1"' \
        /usr/lib/hyper-tests/system/lib/lib.sh "$1"; }
fail() {
        echo "FAILED (${BASH_SOURCE[1]##*/}:${BASH_LINENO[0]}): $*"
        lib context || :
        exit 1
}
unexpected() {
        local status=$?
        echo "FAILED (${BASH_SOURCE[1]##*/}:${BASH_LINENO[0]}): status $status from: $BASH_COMMAND"
        lib context || :
        exit 1
}
trap unexpected ERR
equal() { [ "$1" = "$2" ] || fail "$3: expected '$2', got '$1'"; }
