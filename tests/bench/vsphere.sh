# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The part "vsphere" of tests/bench/run: a VM of the simulator is copied from an export lease, beside curl, which
# downloads the same export to a file, and qemu-img, which converts that file. The part "ranges" reads the files of
# the disks, beside nbdkit's curl plugin and nbdcopy, and beside qemu-img with QEMU's https driver. The part
# "inventory" lists 10,000 VMs. To be sourced by that script.

# shellcheck disable=SC2016 # \$ in single quotes is for the shell inside
# shellcheck disable=SC2154 # disk, rounds, inventory_vms and work are that script's

# vsphere_serve FLAGS…: starts the simulator
vsphere_serve() {
        "$tests/vcsim/build" "$work/vcsim"
        inside sh -c 'rm -f /srv/bench/vcsim.out; cat >/srv/bench/vcsim && chmod +x /srv/bench/vcsim' <"$work/vcsim"
        inside systemd-run -q --unit=bench-vcsim -p StandardOutput=file:/srv/bench/vcsim.out /srv/bench/vcsim \
                -listen 127.0.0.1:0 -control 127.0.0.1:0 -dir /srv/bench/vcsim.d "$@"
}

# The address, the CA and the control address of the simulator, in a file that scripts source
vsphere_address() {
        inside sh -ec '
                tr " " "\n" </srv/bench/vcsim.out | grep -E "^(URL|CONTROL|CA)=" >/srv/bench/vcsim.env'
}

# vsphere_start MIB: a simulator with VMs of one, two and four disks of that size
vsphere_start() {
        inside sh -ec '
                cd /srv/bench
                for i in 0 1 2 3; do
                        truncate -s $1M disk$i.raw
                        cat /usr/bin/* /usr/lib/*/*.so* 2>/dev/null | head -c $(($1 * 3 / 8))M |
                                dd of=disk$i.raw bs=1M seek=$((i + 1)) conv=notrunc iflag=fullblock status=none
                done
                disks() { for i in $(seq 0 $(($1 - 1))); do echo "{\"file\": \"/srv/bench/disk$i.raw\"}"; done | paste -sd,; }
                for n in 1 2 4; do echo "{\"name\": \"vm$n\", \"power\": \"off\", \"disks\": [$(disks $n)]}"; done |
                        paste -sd, | sed "s/.*/{\"vms\": [&]}/" >inventory.json' _ "$1"
        vsphere_serve -inventory /srv/bench/inventory.json -vm 0
        await 30 "the simulator has said its address" inside grep -qs URL= /srv/bench/vcsim.out
        vsphere_address
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

# QEMU's curl driver is in a package that the machine does not have: the module and its library are the host's.
vsphere_copy_qemu_driver() {
        local file
        for file in /usr/lib/*/qemu/block-curl.so /usr/lib/*/libcurl-gnutls.so.4; do
                # shellcheck disable=SC2094 # one is inside the machine
                inside sh -c 'mkdir -p "$(dirname "$1")" && cat >"$1"' _ "$file" <"$file"
        done
}

# vsphere_qemu_peer VM: the same with qemu-img, one request at a time, since the driver of QEMU 7.2 stops with several.
# It has no option for a CA, so it accepts any certificate.
vsphere_qemu_peer() {
        vsphere_ranges_peer | sed 's|^ *nbdcopy -- .*|        timeout 120 qemu-img convert -m 1 -O raw --image-opts "driver=raw,file.driver=https,file.url=${URL%/sdk}/folder/$url,file.cookie=$(cat cookie),file.sslverify=off,file.timeout=30" "out-$i" \&|'
}

# vsphere_delay: 20 ms for each round trip by the kernel, or, if it cannot do that, by the simulator for each answer.
# Prints what it is.
vsphere_delay() {
        if inside tc qdisc add dev lo root netem delay 10ms 2>/dev/null; then
                echo "round trips of 20 ms"
                return
        fi
        inside sh -c '. /srv/bench/vcsim.env; curl -sSf "$CONTROL/faults" \
                -d "{\"on\": \"folder\", \"kind\": \"delay\", \"delay_ms\": 20}"' >&2
        echo "answers after 20 ms"
}

# record_ranges HYPER PEER "WHAT" "NAME OF THE PEER": seconds, CPU seconds and memory
record_ranges() {
        record ranges "$3" s "$(cost "$1" .seconds)" "$(cost "$2" .seconds)" "$4"
        record ranges "CPU time, $3" s "$(cost "$1" .cpu_seconds)" "$(cost "$2" .cpu_seconds)" "$4"
        record ranges "Anonymous memory, $3" MiB "$(cost "$1" '.anonymous_peak_kib / 1024')" \
                "$(cost "$2" '.anonymous_peak_kib / 1024')" "$4"
}

bench_ranges() {
        local n i delay how what times=$rounds
        # Each request takes its time, so less is enough.
        vsphere_start $((disk / 64))
        vsphere_copy_qemu_driver
        for delay in 0 20; do
                how="no delay"
                # With a delay, one round takes as long as three without, and varies less.
                [ "$delay" = 0 ] || { how=$(vsphere_delay); times=1; }
                for n in 1 2 4; do
                        for i in $(seq "$times"); do
                                say "  $n disks, $how, round $i of $times"
                                measured "ranges-nbdkit-$delay-$n" sh -c "$(vsphere_ranges_peer)" _ "vm$n"
                                measured "ranges-qemu-$delay-$n" sh -c "$(vsphere_qemu_peer)" _ "vm$n"
                                measured "ranges-hyper-$delay-$n" sh -c "$(vsphere_job)" _ "vm$n" https raw
                        done
                        what="VM with $n disk$([ "$n" = 1 ] || echo s), $how"
                        record_ranges "ranges-hyper-$delay-$n" "ranges-nbdkit-$delay-$n" "$what" \
                                "\`nbdkit curl\` and nbdcopy"
                        record_ranges "ranges-hyper-$delay-$n" "ranges-qemu-$delay-$n" "$what" \
                                "\`qemu-img convert\` from https"
                done
        done
        inside tc qdisc del dev lo root 2>/dev/null || :
        inside systemctl stop bench-vcsim
        inside rm -rf /srv/bench/vcsim.d /srv/bench/inventory.json
}

# vsphere_list: seconds for each page of 1,000 VMs, one for each line, over HTTP
vsphere_list() {
        cat <<'EOF'
set -e
cd /srv/bench
. /srv/bench/vcsim.env
cursor='' n=0
while :; do
        jq -n --arg url "$URL" --rawfile ca "$CA" --arg cursor "$cursor" '{vcenter_url: $url, ca: $ca, cursor: $cursor,
                username: "administrator@vsphere.local", password: "secret", limit: 1000}' |
                curl -sS --fail-with-body http://127.0.0.1:8080/vms/list -H 'Content-Type: application/json' -d @- -o page \
                -w '%{time_total}\n' || { cat page >&2; exit 1; }
        n=$((n + $(jq '.vms | length' page)))
        cursor=$(jq -r '.next_cursor // ""' page)
        [ "$cursor" ] || break
done
[ $n -ge "$1" ] || { echo "only $n VMs were listed" >&2; exit 1; }
EOF
}

# vsphere_list_all: all VMs with one request
vsphere_list_all() {
        cat <<'EOF'
set -e
cd /srv/bench
. /srv/bench/vcsim.env
jq -n --arg url "$URL" --rawfile ca "$CA" '{vcenter_url: $url, ca: $ca, username: "administrator@vsphere.local",
        password: "secret"}' |
        curl -sS --fail-with-body http://127.0.0.1:8080/vms/list -H 'Content-Type: application/json' -d @- -o page ||
        { cat page >&2; exit 1; }
[ "$(jq '.vms | length' page)" -ge "$1" ]
EOF
}

bench_inventory() {
        local i pages
        say "  starting a simulator with $inventory_vms VMs"
        # It takes 6 ms of CPU time for each VM.
        vsphere_serve -vm $((inventory_vms / 2)) -disk-size 0
        await 300 "the simulator has said its address" inside grep -qs URL= /srv/bench/vcsim.out
        vsphere_address
        for i in $(seq "$rounds"); do
                say "  all VMs in pages of 1,000, round $i of $rounds"
                pages=$(inside sh -c "$(vsphere_list)" _ "$inventory_vms")
                head -n 1 <<<"$pages" | inside sh -c 'cat >>/srv/bench/inventory-first'
                sed 1d <<<"$pages" | inside sh -c 'cat >>/srv/bench/inventory-next'
                awk '{ s += $1 } END { print s }' <<<"$pages" | inside sh -c 'cat >>/srv/bench/inventory-all'
        done
        record inventory "$inventory_vms VMs in pages of 1,000" s "$(inside cat /srv/bench/inventory-all)" "" ""
        record inventory "The first page, for which all are read" s "$(inside cat /srv/bench/inventory-first)" "" ""
        record inventory "One of the other pages" s "$(inside cat /srv/bench/inventory-next)" "" ""
        record inventory "Peak of hyper-vsphered" MiB "$(inside sh -c \
                'awk "/^VmHWM/ {print \$2 / 1024}" "/proc/$(systemctl show -P MainPID hyper-vsphered)/status"')" "" ""
        holds_start
        hold hyper.service "GET /vms/list, all $inventory_vms" inside sh -c "$(vsphere_list_all)" _ "$inventory_vms"
        hold hyper-vsphered.service "hyper-vsphered: the same" inside sh -c "$(vsphere_list_all)" _ "$inventory_vms"
        holds_stop
        inside systemctl stop bench-vcsim
        inside rm -rf /srv/bench/vcsim.d
}

# vsphere_guest: a streamOptimized VMDK with /usr of the machine, a Debian guest. Prints the MiB of the stream,
# which is compressed, and those of the disk in its grains.
vsphere_guest() {
        cat <<'EOF'
set -e
cd /srv/bench
truncate -s 4G guest.raw
mkfs.ext4 -q -d /usr guest.raw
qemu-img convert -O vmdk -o subformat=streamOptimized guest.raw guest.vmdk
rm guest.raw
grains=$(/usr/libexec/hyper-job decode 4294967296 3<guest.vmdk | wc -c)
echo $(($(stat -c %s guest.vmdk) / 1048576)) $((grains / 1048576))
EOF
}

# The decoder alone: one process with one thread, whose output is thrown away
bench_decoder() {
        local i stream grains
        read -r stream grains < <(inside sh -c "$(vsphere_guest)")
        for i in $(seq "$rounds"); do
                say "  the decoder, round $i of $rounds"
                measured vsphere-decoder sh -c 'exec /usr/libexec/hyper-job decode 4294967296 3</srv/bench/guest.vmdk'
        done
        record vsphere "Decoder, /usr of a Debian guest: compressed MiB in a CPU second" MiB/s \
                "$(cost vsphere-decoder "$stream / .cpu_seconds")" "" ""
        record vsphere "The same: MiB of the disk in a CPU second" MiB/s \
                "$(cost vsphere-decoder "$grains / .cpu_seconds")" "" ""
        inside rm /srv/bench/guest.vmdk
}

bench_vsphere() {
        local n i what
        local peer="curl to a file, then \`qemu-img convert -W -m 8\`, and sync"
        bench_decoder
        vsphere_start $((disk / 32))
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
