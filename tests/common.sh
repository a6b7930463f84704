# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Functions shared by tests/machine, tests/demo and tests/run: messages, long steps, packages, builds. To be
# sourced.
# shellcheck disable=SC2034 # variables for the scripts that source this

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
tests=$top/tests
work=$top/.cache # builds and logs of this checkout
logs=$work/logs
cache=${HYPER_CACHE:-/var/cache/hyper-tests} # shared by all checkouts: roots of machines

say() { printf '%s\n' "$*" >&2; }
die() {
        say "$(basename "$0"): $*"
        exit 1
}

# elapsed BEGIN: print the seconds since BEGIN (an $EPOCHREALTIME), with one decimal
elapsed() {
        local now=$EPOCHREALTIME
        local tenths=$(((${now/[.,]/} - ${1/[.,]/}) / 100000))
        printf '%d.%d s' $((tenths / 10)) $((tenths % 10))
}

# long LOG "Description" COMMAND…: run a command, and print its progress every 15 seconds and the elapsed
# time. The output goes to the file LOG; if the command fails, the last lines are shown.
long() {
        local log=$1 what=$2 begun=$EPOCHREALTIME status=0 pid ticker
        shift 2
        mkdir -p "$(dirname "$log")"
        say "  $what …"
        "$@" </dev/null >"$log" 2>&1 &
        pid=$!
        (
                trap 'kill "$sleeper" 2>/dev/null; exit 0' TERM
                while :; do
                        sleep 15 &
                        sleeper=$!
                        wait "$sleeper"
                        say "    … still running after $(elapsed "$begun")"
                done
        ) &
        ticker=$!
        wait "$pid" || status=$?
        kill "$ticker" 2>/dev/null || :
        wait "$ticker" 2>/dev/null || :
        if [ "$status" -ne 0 ]; then
                say "    failed with status $status after $(elapsed "$begun"); the end of $log:"
                tail -n 30 "$log" | sed 's/^/    | /' >&2
                return "$status"
        fi
        say "    done in $(elapsed "$begun")"
}

# needs LIST…: print the packages in lists below tests/needs, one per line
needs() {
        local list
        for list; do sed '/^#/d;/^$/d' "$tests/needs/$list"; done | sort -u
}

# needs_missing LIST…: print those of them that are not installed
needs_missing() {
        local p
        for p in $(needs "$@"); do
                # (a command of that name may come from another package)
                [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] ||
                        command -v "$p" >/dev/null ||
                        printf '%s\n' "$p"
        done
}

# needs_install LIST…: install the missing packages of these lists
needs_install() {
        local missing
        missing=$(needs_missing "$@" | tr '\n' ' ')
        [ -z "${missing// /}" ] && return 0
        [ "$(id -u)" -eq 0 ] || die "missing packages: apt-get install $missing"
        export DEBIAN_FRONTEND=noninteractive
        long "$logs/apt-update.log" "Reading the package lists" apt-get -o DPkg::Lock::Timeout=300 -q update \
                || return
        # shellcheck disable=SC2086 # a list of packages
        long "$logs/apt-install.log" "Installing: $missing" \
                apt-get -o DPkg::Lock::Timeout=300 -q -y --no-install-recommends install $missing
}

# make_configure: run autoreconf if it is necessary
make_configure() {
        mkdir -p "$work"
        (
                set -e
                exec 9>"$work/autoreconf.lock"
                flock 9
                cd "$top"
                if [ ! -x configure ] || [ -n "$(find configure.ac Makefile.am src units dbus man tests \
                        \( -name '*.mk' -o -name configure.ac -o -name Makefile.am \) -newer configure \
                        -print -quit)" ]; then
                        autoreconf -fi
                fi
        )
}

# build_configured DIR "SWITCHES" [MAKE TARGETS…]: build the suite in DIR with these configure switches (quoted
# as for a shell). HYPER_MAKE_JOBS limits the number of compilers.
build_configured() {
        local directory=$1 switches=$2
        shift 2
        mkdir -p "$directory"
        (
                set -e
                exec 9>"$directory/.lock"
                flock 9
                cd "$directory"
                if [ ! -e Makefile ] || [ "$(cat .switches 2>/dev/null)" != "$switches" ]; then
                        eval "\"\$top/configure\" $switches"
                        printf '%s\n' "$switches" >.switches
                fi
                make -j"${HYPER_MAKE_JOBS:-$(nproc)}" "$@"
        )
}

# build DIR "SWITCHES" [MAKE TARGETS…]: the same, and configure is made first
build() { make_configure && build_configured "$@"; }
