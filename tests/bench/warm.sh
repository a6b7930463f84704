# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The part "warm" of tests/bench/run: a VM of the simulator is copied in passes, beside a cold copy with the
# same method. To be sourced by that script, after vsphere.sh.

# shellcheck disable=SC2016 # \$ in single quotes is for the shell inside
# shellcheck disable=SC2154 # disk, rounds and work are that script's

# warm_pass PASS CUTOVER: the plan of one pass, and the commands of its unit; prints the "warm" of its result
warm_pass() {
        cat <<'EOF'
set -e
cd /srv/bench
. ./vcsim.env
[ "$1" != 1 ] || rm -rf job out* .out*
mkdir -p job credentials
rm -f job/results/result.json job/ending
printf secret >credentials/source.password
jq -n --arg url "$URL" --rawfile ca "$CA" --argjson pass "$1" --argjson cutover "$2" '{job_id: "bench", attempt: 1,
        part_dir: "/srv/bench/.out.hyper-part", source_files: [], warm: {pass: $pass, cutover: $cutover},
        spec: {job_id: "bench", operation: "convert", source: {type: "vsphere", vcenter_url: $url,
        username: "administrator@vsphere.local", password: "***", ca: $ca, vm_path: "vm1"}, destination: {type: "file",
        path: "/srv/bench/out", format: "raw"}, parameters: {warm: true, verify: "none"}}}' >job/job.json
export CREDENTIALS_DIRECTORY=/srv/bench/credentials SERVICE_RESULT=success EXIT_CODE=exited EXIT_STATUS=0
/usr/libexec/hyper-job prepare job >&2
/usr/libexec/hyper-job run job >&2 || [ $? = 76 ]
/usr/libexec/hyper-job finish job >&2
jq -c .warm job/results/result.json
EOF
}

# warm_write MIB FIRST: the guest writes to every second block of 64 KiB
warm_write() {
        inside sh -ec '. /srv/bench/vcsim.env
                head -c 65536 /dev/urandom >/srv/bench/block
                for i in $(seq 0 $(($1 * 16 - 1))); do
                        printf "url = \"%s\"\ndata-binary = @/srv/bench/block\noutput = /dev/null\nfail\nnext\n" \
                                "$CONTROL/disk/write?vm=vm1&disk=0&offset=$(((i * 2 + $2) * 65536))"
                done | sed "\$d" | curl -sS -K -' _ "$1" "$2"
}
warm_set() { inside sh -c '. /srv/bench/vcsim.env; curl -sSf "$CONTROL/vm?name=vm1&$1"' _ "$1"; }

bench_warm() {
        local changed=$((disk / 64)) i pass last
        local peer="a cold copy of the VM with the same method"
        vsphere_start $((disk / 8))
        warm_set tools=running
        for i in $(seq "$rounds"); do
                say "  round $i of $rounds"
                warm_set power=off
                measured warm-cold sh -c "$(vsphere_job)" _ vm1 https raw
                warm_set power=on
                measured warm-first sh -c "$(warm_pass)" _ 1 false
                warm_write "$changed" 0
                pass=$(inside sh -c "$(warm_pass)" _ 2 false)
                warm_write "$changed" 1
                # The guest shuts down, which is not part of the downtime that is measured.
                warm_set power=off
                last=$(inside sh -c "$(warm_pass)" _ 3 true)
                jq -nr --argjson p "$pass" --argjson l "$last" '[$p.bytes / 1048576, $p.seconds, $l.bytes / 1048576,
                        $l.downtime_seconds] | join(" ")' | inside sh -c 'cat >>/srv/bench/warm-passes'
        done
        passes() { inside awk -v n="$1" '{ print $n }' /srv/bench/warm-passes; }
        record warm "First pass of a VM with a disk" s "$(cost warm-first .seconds)" "$(cost warm-cold .seconds)" "$peer"
        record warm "Copied by a pass after $changed MiB were written" MiB "$(passes 1)" "$changed" "what was written"
        record warm "This pass" s "$(passes 2)" "$(cost warm-cold .seconds)" "$peer"
        record warm "Copied by the last pass after $changed MiB were written" MiB "$(passes 3)" "$changed" \
                "what was written"
        record warm "Downtime for these changes" s "$(passes 4)" "5" "the limit"
        inside systemctl stop bench-vcsim
        inside rm -rf /srv/bench/vcsim.d /srv/bench/inventory.json
}
