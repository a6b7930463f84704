# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Sourced by the tests of hyperctl: a bus of their own in a temporary directory, on which org.hyper1 is
# started by activation, as on a real machine. What is started is tests/unit/ctl/mock-manager, a MOCK of
# hyper-managerd: these tests are about hyperctl, those in tests/system/ about the two together.
#
# The programs are in the current directory (make check), the sources in $srcdir.

set -u
srcdir=$(cd "${srcdir:-.}" && pwd)
build=$PWD
hyperctl=$build/hyperctl
mock=$build/tests/unit/ctl/mock-manager
failures=0

for program in dbus-daemon jq "$hyperctl" "$mock"; do
        if ! command -v "$program" >/dev/null; then
                echo "$program is needed and not there."
                exit 77
        fi
done

dir=$(mktemp -d "${TMPDIR:-/tmp}/hyperctl-test.XXXXXX")
bus_pid=
export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$dir/bus
export LC_ALL=C.UTF-8 TZ=UTC
unset NO_COLOR COLUMNS DBUS_SESSION_BUS_ADDRESS DBUS_STARTER_ADDRESS DBUS_STARTER_BUS_TYPE JOURNAL_STREAM

# The bus comes up, or the test cannot begin. "--print-pid" is written when it listens.
bus_start() {
        rm -f "$dir/bus"
        bus_pid=$(dbus-daemon --config-file="$dir/bus.conf" --fork --print-pid 2>>"$dir/bus.log") || {
                cat "$dir/bus.log"
                exit 99
        }
}

# bus_stop [SIGNAL]
bus_stop() {
        [ -z "$bus_pid" ] || kill "-${1:-TERM}" "$bus_pid" 2>/dev/null
        bus_pid=
}

clean_up() {
        local status=$?
        local pid
        bus_stop TERM
        # The mocks end with their bus; one that does not is ended here, and that is a failure.
        if [ -e "$dir/started" ]; then
                while read -r pid; do
                        timeout 10 tail -f --pid="$pid" /dev/null && continue
                        echo "FAILED: the mock $pid did not end with its bus"
                        kill -KILL "$pid" 2>/dev/null
                        status=1
                done <"$dir/started"
        fi
        rm -rf "$dir"
        exit "$status"
}
trap clean_up EXIT

cat >"$dir/bus.conf" <<EOF
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path=$dir/bus</listen>
  <servicedir>$dir</servicedir>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
EOF
printf '[D-BUS Service]\nName=org.hyper1\nExec=%s/manager\n' "$dir" >"$dir/org.hyper1.service"
cat >"$dir/manager" <<EOF
#!/bin/sh
# From the second start on, the job that drops its manager goes on.
cd "$dir" || exit 1
resumed=
[ ! -e started ] || resumed="--resumed job-that-drops"
echo \$\$ >>started
exec "$mock" \$resumed
EOF
chmod +x "$dir/manager"

# run STATUS COMMAND…: runs it, with its output in $out and $err, and the exit status as it must be
run() {
        local expected=$1 status=0
        shift
        "$@" >"$dir/out" 2>"$dir/err" || status=$?
        out=$(cat "$dir/out") err=$(cat "$dir/err")
        if [ "$status" -ne "$expected" ]; then
                fail "\"$(basename "$1") ${*:2}\" exits with $status, not $expected"
        fi
}

fail() {
        echo "FAILED: $1"
        printf -- '--- stdout\n%s\n--- stderr\n%s\n---\n' "${out:-}" "${err:-}" | cat -v
        failures=$((failures + 1))
}

# is WHAT ACTUAL EXPECTED
is() {
        [ "$2" = "$3" ] || fail "$1 is \"$2\", not \"$3\""
}

# has WHAT TEXT PART
has() {
        case $2 in
        *"$3"*) ;;
        *) fail "$1 does not have $3" ;;
        esac
}

has_not() {
        case $2 in
        *"$3"*) fail "$1 has $3" ;;
        esac
}

finish() {
        [ "$failures" -eq 0 ] || {
                echo "$failures failed"
                exit 1
        }
        exit 0
}
