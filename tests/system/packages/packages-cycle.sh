#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# debian-13: yes
# machine: guest
# packages: yes
# timeout: 240
# slow: packages are installed, upgraded, removed and installed again, while jobs copy slowly
# weight: 0.5
#
# The Debian packages: installed while another program uses a port, upgraded and removed while a job runs,
# installed again, purged. Images stay, and nothing else.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

export DEBIAN_FRONTEND=noninteractive
debs=/usr/lib/hyper-tests/packages

# all files of the system that packages and daemons could have left
files() {
        find / -xdev \( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /srv -o \
                -path /usr/lib/hyper-tests -o -path /var/lib/dpkg -o -path /var/lib/apt -o -path /var/log -o \
                -path /var/cache -o -path /var/tmp -o -path /root \) -prune -o -print | sort
}
running() { pgrep -a '^hyper' || :; }
completed() { [ "$(state "$1")" = COMPLETED ]; }
install() { apt-get install -y --no-install-recommends "$@" >"$dir/apt.log" 2>&1 ||
        fail "apt-get install $* failed: $(tail -n 20 "$dir/apt.log")"; }

# next_version: packages with a higher version in $dir/next
next_version() {
        local package
        mkdir -p "$dir/next"
        for package in "$debs"/*.deb; do
                dpkg-deb -R "$package" "$dir/unpacked"
                sed -i 's/0\.1\.0-1/0.1.0-2/' "$dir/unpacked/DEBIAN/control"
                dpkg-deb -b -Znone "$dir/unpacked" \
                        "$dir/next/$(basename "$package" | sed 's/0\.1\.0-1/0.1.0-2/')" >/dev/null
                rm -rf "$dir/unpacked"
        done
}

# follow JOB: a client of its stream that connects again where it was, until the last event, as browsers do
follow() {
        local last=
        until grep -q '^event: *complete' "$dir/stream"; do
                curl -sSN ${last:+-H "Last-Event-ID: $last"} "$worker/jobs/$1/events/stream" >>"$dir/stream" \
                        2>>"$dir/stream.errors" || sleep 0.1
                last=$(events "$dir/stream" | tail -n 1)
                echo connected >>"$dir/connections"
        done
}
events() { sed -n 's/^id: *//p' "$1"; }

raw_image "$dir/disk.raw" 96
serve "$dir/s.sock" --filter=rate file "$dir/disk.raw" rate=12M
next_version
files >"$dir/before"

# --- installed while a port is in use ----------------------------------------------------------------------

systemd-run -q --collect --unit=test-other -p KillSignal=SIGKILL -p SuccessExitStatus=SIGKILL \
        python3 -m http.server --bind 127.0.0.1 8000
eventually 10 "another program listens on port 8000" listens 8000
install "$debs"/*.deb
contains "$(cat "$dir/apt.log")" "hyper-worker.socket failed" "the output of apt"
equal "$(systemctl is-active hyper.socket hyper-hosts.socket hyper-worker.socket || :)" \
        $'active\nactive\nfailed' "the sockets"
contains "$(hyperctl status 2>&1 || :)" "hyper-worker.socket" "hyperctl status"
equal "$(running)" "$(pgrep -a '^hyper-managerd' || :)" "what runs, other than the manager that hyperctl started"
systemctl stop test-other
systemctl restart hyper-worker.socket
equal "$(curl -sS -o "$dir/body" -w '%{http_code}' "$worker/health")" 200 "the status of /health"
equal "$(as '' curl -sS -o /dev/null -w '%{http_code}' "$worker/jobs")" 403 "the jobs, for a user without a role"
systemd-analyze verify --man=no hyper.socket hyper.service hyper-managerd.service hyper-agentd.service \
        hyper-appliance.service >"$dir/verify" 2>&1 || fail "systemd-analyze verify: $(cat "$dir/verify")"
/usr/libexec/hyper-guest --version >/dev/null || fail "hyper-guest does not run"

# --- upgraded while a job runs -----------------------------------------------------------------------------

curl -sS "$api/health" >/dev/null
old=$(systemctl show -P MainPID hyper-managerd.service)
submit "$(spec "$(nbd_uri "$dir/s.sock")" "$dir/one.raw" '.job_id = "one"')" >/dev/null
wait_bytes one 1
: >"$dir/stream"
follow one &
follower=$!
eventually 10 "the stream has begun" grep -q '^id:' "$dir/stream"
install "$dir"/next/*.deb
eventually 60 "the job is complete" completed one
[ "$(systemctl show -P MainPID hyper-managerd.service)" != "$old" ] || fail "the manager is the old one"
for pid in $(pgrep '^hyper'); do
        lacks "$(readlink "/proc/$pid/exe" || :)" deleted "the program of process $pid"
done
equal "$(job one | jq -r .attempt)" 1 "the attempts of the job that ran during the upgrade"
same "$dir/disk.raw" "$dir/one.raw" raw

# The stream was cut off by the upgrade, and the client has missed nothing
wait "$follower"
[ "$(wc -l <"$dir/connections")" -gt 1 ] || fail "the stream was not cut off"
curl -sSN -m 30 "$worker/jobs/one/events/stream" >"$dir/whole"
equal "$(events "$dir/stream")" "$(events "$dir/whole")" "the events of a client that connected again"

# --- the first use, word for word as in the README, which the package contains -----------------------------

# But what is installed already, what does not end, and what exits with the state of a unit. (The machine
# installs no documentation.)
dpkg-deb --fsys-tarfile "$dir"/next/hyper_*.deb | tar -xO --wildcards '*/doc/hyper/README.md*' | zcat -f |
        awk '/^## / { here = /Quick start/ }
        here && /^```/ { n++; next } here && n > 2 && n % 2 == 1 && !/^apt-get |journalctl.* -f |^systemctl status /' \
                >"$dir/first-use"
contains "$(cat "$dir/first-use")" "hyperctl submit --source /srv/old.vmdk" "the first use"
qemu-img convert -f raw -O vmdk "$dir/disk.raw" /srv/old.vmdk
bash -e "$dir/first-use" >"$dir/first-use.out" 2>&1 || fail "the first use fails: $(cat "$dir/first-use.out")"
for image in new new-2 new-3 new-4; do
        eventually 60 "/srv/$image.qcow2 is there" test -e "/srv/$image.qcow2"
        same "$dir/disk.raw" "/srv/$image.qcow2" qcow2
done
hyperctl schedule rm nightly

# --- removed while a job runs, and installed again ---------------------------------------------------------

submit "$(spec "$(nbd_uri "$dir/s.sock")" "$dir/two.raw" \
        '.job_id = "two" | .execution_policy = {idempotent: true, retry_count: 0}')" >/dev/null
wait_bytes two $((16 * 1048576))
apt-get remove -y hyper hyper-agent hyper-guest >"$dir/apt.log" 2>&1 || fail "$(cat "$dir/apt.log")"
equal "$(running)" "" "what runs after the removal"
equal "$(systemctl list-units --state=active,activating,deactivating,failed --no-legend --plain 'hyper*')" \
        "" "the units after the removal"
exists /var/lib/hyper/hyper.db
install "$dir"/next/*.deb
eventually 60 "the stopped job is complete" completed two
contains "$(journalctl -o cat HYPER_JOB_ID=two)" "does not count" "the log of the job"
equal "$(job two | jq -r .attempt)" 1 "the attempts of the job that was stopped by the removal"
same "$dir/disk.raw" "$dir/two.raw" raw

# --- purged ------------------------------------------------------------------------------------------------

apt-get purge -y hyper hyper-agent hyper-guest >"$dir/apt.log" 2>&1 || fail "$(cat "$dir/apt.log")"
equal "$(running)" "" "what runs after the purge"
# The key of the machine, which systemd-creds makes, is not of hyper; user names stay, as Debian keeps them.
equal "$(files | diff "$dir/before" - | grep '^[<>]' |
        grep -vE '^> (/var/lib/systemd/credential\.secret|/etc/(passwd|group|shadow|gshadow|subuid|subgid)-?|/var/lib/systemd/.*)$' || :)" \
        "" "what is left of the packages"
exists "$dir/one.raw"
exists "$dir/two.raw"
stop_serving "$dir/s.sock"
