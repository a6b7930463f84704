# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The part "vsphere" of tests/bench/run: a VM of the simulator is copied from an export lease, beside curl, which
# downloads the same export to a file, and qemu-img, which converts that file. The part "ranges" reads the files of
# the disks, beside nbdkit's curl plugin and nbdcopy. To be sourced by that script.

# shellcheck disable=SC2016 # \$ in single quotes is for the shell inside
# shellcheck disable=SC2154 # disk, rounds and work are that script's

# The address, the CA and the control address of the simulator, in a file that scripts source
vsphere_start() {
        "$tests/vcsim/build" "$work/vcsim"
        inside sh -c 'cat >/srv/bench/vcsim && chmod +x /srv/bench/vcsim' <"$work/vcsim"
        inside sh -ec '
                cd /srv/bench
                for i in 0 1 2 3; do
                        truncate -s $1M disk$i.raw
                        cat /usr/bin/* /usr/lib/*/*.so* 2>/dev/null | head -c $(($1 * 3 / 8))M |
                                dd of=disk$i.raw bs=1M seek=$((i + 1)) conv=notrunc iflag=fullblock status=none
                done
                disks() { for i in $(seq 0 $(($1 - 1))); do echo "{\"file\": \"/srv/bench/disk$i.raw\"}"; done | paste -sd,; }
                for n in 1 2 4; do echo "{\"name\": \"vm$n\", \"power\": \"off\", \"disks\": [$(disks $n)]}"; done |
                        paste -sd, | sed "s/.*/{\"vms\": [&]}/" >inventory.json' _ $((disk / 8))
        inside systemd-run -q --unit=bench-vcsim -p StandardOutput=file:/srv/bench/vcsim.out /srv/bench/vcsim \
                -listen 127.0.0.1:0 -control 127.0.0.1:0 -dir /srv/bench/vcsim.d -inventory /srv/bench/inventory.json -vm 0
        await 30 "the simulator has said its address" inside grep -qs URL= /srv/bench/vcsim.out
        inside sh -ec '
                tr " " "\n" </srv/bench/vcsim.out | grep -E "^(URL|CONTROL|CA)=" >/srv/bench/vcsim.env'
}

# vsphere_peer VM: downloads all disks of the VM, one after the other, and converts them
vsphere_peer() {
        cat <<'EOF'
set -e
cd /srv/bench
. ./vcsim.env
rm -f jar export-*
call() {
        curl -sS --cacert "$CA" -b jar -c jar -H 'Content-Type: text/xml' -H 'SOAPAction: "urn:vim25/7.0"' "$URL" --data-binary \
                "<Envelope xmlns=\"http://schemas.xmlsoap.org/soap/envelope/\"><Body><$1 xmlns=\"urn:vim25\">$2</$1></Body></Envelope>"
}
call Login '<_this type="SessionManager">SessionManager</_this><userName>administrator@vsphere.local</userName><password>secret</password>' >/dev/null
vm=$(curl -sS "$CONTROL/state" | jq -r --arg n "$1" '.vms[] | select(.name == $n).moref')
lease=$(call ExportVm "<_this type=\"VirtualMachine\">$vm</_this>" | sed -n 's/.*<returnval[^>]*>\([^<]*\)<.*/\1/p')
test "$lease"
n=0
until urls=$(call RetrievePropertiesEx "<_this type=\"PropertyCollector\">propertyCollector</_this><specSet><propSet><type>HttpNfcLease</type><pathSet>info</pathSet><pathSet>state</pathSet></propSet><objectSet><obj type=\"HttpNfcLease\">$lease</obj></objectSet></specSet><options/>") &&
        echo "$urls" | grep -q '>ready<'; do
        n=$((n + 1))
        [ $n -lt 300 ] || { echo "within 30 s, the lease $lease has not become ready" >&2; exit 1; }
        sleep 0.1
done
for url in $(echo "$urls" | grep -o 'https://[^<]*[.]vmdk'); do
        curl -sSf --cacert "$CA" "$url" -o "export-${url##*/}"
        qemu-img convert -W -m 8 -f vmdk -O qcow2 "export-${url##*/}" "out-${url##*/}"
        sync "out-${url##*/}"
done
call HttpNfcLeaseComplete "<_this type=\"HttpNfcLease\">$lease</_this>" >/dev/null
call Logout '<_this type="SessionManager">SessionManager</_this>' >/dev/null
rm -f export-* out-*
EOF
}

# vsphere_job VM METHOD FORMAT: the plan that the manager would write, and the three commands of the unit
vsphere_job() {
        cat <<'EOF'
set -e
cd /srv/bench
. ./vcsim.env
rm -rf job out* .out*
mkdir -p job credentials
printf secret >credentials/source.password
jq -n --arg url "$URL" --arg vm "$1" --arg method "$2" --arg format "$3" --rawfile ca "$CA" '{job_id: "bench", attempt: 1, part_dir: "/srv/bench/.out.hyper-part",
        source_files: [], spec: {job_id: "bench", operation: "convert", source: {type: "vsphere", vcenter_url: $url,
        username: "administrator@vsphere.local", password: "***", ca: $ca, vm_path: $vm}, destination: {type: "file",
        path: "/srv/bench/out", format: $format}, parameters: {verify: false, conversion_method: $method}},
        disks_parallel: 4}' >job/job.json
export CREDENTIALS_DIRECTORY=/srv/bench/credentials SERVICE_RESULT=success EXIT_CODE=exited EXIT_STATUS=0
/usr/libexec/hyper-job prepare job
/usr/libexec/hyper-job run job
/usr/libexec/hyper-job finish job
EOF
}

# vsphere_ranges_peer VM: copies the file of each disk, all at the same time
vsphere_ranges_peer() {
        cat <<'EOF'
set -e
cd /srv/bench
. ./vcsim.env
rm -f jar out-*
call() {
        curl -sS --cacert "$CA" -b jar -c jar -H 'Content-Type: text/xml' -H 'SOAPAction: "urn:vim25/7.0"' "$URL" --data-binary \
                "<Envelope xmlns=\"http://schemas.xmlsoap.org/soap/envelope/\"><Body><$1 xmlns=\"urn:vim25\">$2</$1></Body></Envelope>"
}
call Login '<_this type="SessionManager">SessionManager</_this><userName>administrator@vsphere.local</userName><password>secret</password>' >/dev/null
awk '$6 == "vmware_soap_session" { printf "%s=%s", $6, $7 }' jar >cookie
curl -sS "$CONTROL/state" | jq -r --arg n "$1" '.vms[] | select(.name == $n).disks[].file' |
        sed -n 's/^\[\(.*\)\] \(.*\)[.]vmdk$/\2-flat.vmdk?dcPath=DC0\&dsName=\1/p' >urls
test -s urls
i=0 pids=
while read -r url; do
        i=$((i + 1))
        nbdcopy -- [ nbdkit curl "url=${URL%/sdk}/folder/$url" cookie=+cookie cainfo="$CA" ] "out-$i" &
        pids="$pids $!"
done <urls
for pid in $pids; do wait "$pid"; done
sync out-*
call Logout '<_this type="SessionManager">SessionManager</_this>' >/dev/null
rm -f out-* cookie
EOF
}

bench_ranges() {
        local n i delay what
        local peer="\`nbdkit curl\` and nbdcopy"
        vsphere_start
        for delay in 0 20; do
                [ "$delay" = 0 ] || inside sh -c '. /srv/bench/vcsim.env; curl -sSf "$CONTROL/faults" \
                        -d "{\"on\": \"folder\", \"kind\": \"delay\", \"delay_ms\": $1}"' _ "$delay"
                for n in 1 2 4; do
                        for i in $(seq "$rounds"); do
                                say "  $n disks, answers after $delay ms, round $i of $rounds"
                                measured "ranges-peer-$delay-$n" sh -c "$(vsphere_ranges_peer)" _ "vm$n"
                                measured "ranges-hyper-$delay-$n" sh -c "$(vsphere_job)" _ "vm$n" https raw
                        done
                        what="VM with $n disk$([ "$n" = 1 ] || echo s), answers after $delay ms"
                        record ranges "$what" s "$(cost "ranges-hyper-$delay-$n" .seconds)" \
                                "$(cost "ranges-peer-$delay-$n" .seconds)" "$peer"
                        record ranges "CPU time, $what" s "$(cost "ranges-hyper-$delay-$n" .cpu_seconds)" \
                                "$(cost "ranges-peer-$delay-$n" .cpu_seconds)" "$peer"
                done
        done
        inside systemctl stop bench-vcsim
        inside rm -rf /srv/bench/vcsim.d /srv/bench/inventory.json
}

bench_vsphere() {
        local n i what
        local peer="curl to a file, then \`qemu-img convert -W -m 8\`, and sync"
        vsphere_start
        for n in 1 2 4; do
                for i in $(seq "$rounds"); do
                        say "  $n disks, round $i of $rounds"
                        measured "vsphere-peer-$n" sh -c "$(vsphere_peer)" _ "vm$n"
                        measured "vsphere-hyper-$n" sh -c "$(vsphere_job)" _ "vm$n" nfc qcow2
                done
                what="VM with $n disk$([ "$n" = 1 ] || echo s)"
                record vsphere "$what" s "$(cost "vsphere-hyper-$n" .seconds)" "$(cost "vsphere-peer-$n" .seconds)" "$peer"
                record vsphere "CPU time, $what" s "$(cost "vsphere-hyper-$n" .cpu_seconds)" \
                        "$(cost "vsphere-peer-$n" .cpu_seconds)" "$peer"
                record vsphere "Anonymous memory, $what" MiB "$(cost "vsphere-hyper-$n" '.anonymous_peak_kib / 1024')" \
                        "$(cost "vsphere-peer-$n" '.anonymous_peak_kib / 1024')" "$peer"
        done
        inside systemctl stop bench-vcsim
        inside rm -rf /srv/bench/vcsim.d /srv/bench/inventory.json
}
