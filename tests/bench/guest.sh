# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The part "guest" of tests/bench/run: a guest of VMware (tests/guests/bios.sh) is inspected and fixed, beside
# virt-inspector and virt-v2v-in-place, one after the other, on this host, and without KVM, since that makes
# them comparable on any host. hyper-guest uses the appliance that hyper makes, its peers that of libguestfs,
# which is not made during the measurement either. To be sourced by that script.

# shellcheck disable=SC2154 # rounds, work, tests and build_directory are that script's

guest_dir=$work/bench-guest

# Without KVM, also where it works. (hyper-guest finds that out, and has no option for it.)
# shellcheck disable=SC2016 # for the shell inside
without_kvm() { unshare -m --propagation private sh -c '
        [ ! -e /dev/kvm ] || mount --bind /dev/null /dev/kvm
        exec "$@"' _ "$@"; }

# guest_overlay NAME: the guest, of which the changes are in NAME.qcow2
guest_overlay() {
        rm -f "$guest_dir/$1.qcow2"
        qemu-img create -q -f qcow2 -F raw -b "$guest_dir/guest.img" "$guest_dir/$1.qcow2"
}

# guest_measured NAME COMMAND…: adds what it cost to a file of that name
guest_measured() {
        local name=$1
        shift
        guest_overlay "$name"
        without_kvm "$build_directory/tests/bench/measure" "$@" 3>>"$guest_dir/$name.cost" >"$guest_dir/$name.out" ||
                die "$name failed: $(tail -n 3 "$guest_dir/$name.out")"
        guest_changed "$name" >>"$guest_dir/$name.changed"
}

# hyper_guest NAME OPERATIONS
hyper_guest() {
        local d=$guest_dir
        rm -rf "$d/$1.tmp"
        mkdir "$d/$1.tmp"
        cat >"$d/$1.orders" <<END
{"disks": [{"path": "$d/$1.qcow2", "format": "qcow2"}], "operations": "$2", "appliance": "$d/appliance/current",
 "runtime": "$d/$1.tmp"}
END
        # shellcheck disable=SC2016 # for the shell inside
        guest_measured "$1" sh -c 'exec "$1" 3<"$2"' _ "$build_directory/hyper-guest" "$d/$1.orders"
        tail -n1 "$d/$1.out" | grep -q '^{"event":"result"' || die "hyper-guest: $(tail -n1 "$d/$1.out")"
}

# guest_changed NAME: what was written to the disk, in MiB, without what was only trimmed
guest_changed() {
        qemu-img map --output=json "$guest_dir/$1.qcow2" | jq '[.[] | select(.depth == 0 and .data) | .length] | add // 0 | . / 1048576'
}

guest_prepare() {
        local plain=$guest_dir/base.tar
        rm -rf "$guest_dir"
        mkdir -p "$guest_dir/fixed"
        "$tests/guests/base.sh" "$plain"
        BASE=$plain "$tests/guests/bios.sh" "$guest_dir/guest.img" >"$guest_dir/guest.log" 2>&1 ||
                die "the guest cannot be made: $(tail -n 3 "$guest_dir/guest.log")"
        rm "$plain"
        "$tests/../src/guest/hyper-appliance" "$guest_dir/appliance"
        supermin --build -f ext2 --host-cpu x86_64 --copy-kernel -o "$guest_dir/fixed" /usr/lib/*/guestfs/supermin.d
        touch "$guest_dir/fixed/README.fixed"
}

# guest_row WHAT OURS PEER "NAME OF THE PEER": seconds, CPU seconds and memory
guest_row() {
        local qemu='.resident_peak_kib["qemu-system-x86"] / 1024'
        guest_cost() { jq "$2" "$guest_dir/$1.cost"; }
        record guest "$1: CPU time" s "$(guest_cost "$2" .cpu_seconds)" "$(guest_cost "$3" .cpu_seconds)" "$4"
        record guest "$1" s "$(guest_cost "$2" .seconds)" "$(guest_cost "$3" .seconds)" "$4"
        record guest "$1: anonymous memory of all its processes" MiB "$(guest_cost "$2" '.anonymous_peak_kib / 1024')" \
                "$(guest_cost "$3" '.anonymous_peak_kib / 1024')" "$4"
        record guest "$1: resident peak of the appliance" MiB "$(guest_cost "$2" "$qemu")" "$(guest_cost "$3" "$qemu")" "$4"
}

# guest_starts NAME: 1 if what was made of the guest starts on virtio, with its address and without a failed
# unit, otherwise 0
guest_starts() {
        if "$tests/guests/boot.py" "$guest_dir/$1.qcow2" --format qcow2 --log "$guest_dir/$1.console" \
                >"$guest_dir/$1.boot"; then echo 1; else echo 0; fi
        say "  $1: $(cut -c1-300 "$guest_dir/$1.boot")"
}

bench_guest() {
        local i
        export LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg
        export LIBGUESTFS_PATH=$guest_dir/fixed LIBGUESTFS_MEMSIZE=1280
        guest_prepare
        # A fix takes long enough to be measured once.
        for i in $(seq "$rounds"); do
                say "  inspection, round $i of $rounds"
                hyper_guest inspect none
                guest_measured inspector virt-inspector --format=qcow2 -a "$guest_dir/inspector.qcow2"
        done
        say "  fix"
        hyper_guest fix auto
        say "  virt-v2v-in-place"
        guest_measured v2v virt-v2v-in-place -i disk -if qcow2 "$guest_dir/v2v.qcow2"
        guest_row "Inspection of a guest" inspect inspector virt-inspector
        guest_row "Fix of a guest" fix v2v virt-v2v-in-place
        record guest "Fix of a guest: what changes of its disk" MiB "$(cat "$guest_dir/fix.changed")" \
                "$(cat "$guest_dir/v2v.changed")" virt-v2v-in-place
        say "  start of both"
        record guest "The guest starts afterwards (1), or not (0)" "" "$(guest_starts fix)" "$(guest_starts v2v)" virt-v2v-in-place
        rm -rf "$guest_dir"
}
