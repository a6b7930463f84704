# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# For tests that need libvirt ("# machine: libvirt"), to be sourced after lib.sh: libvirtd with qemu as far as
# it goes in a container, VMs that boot a real kernel, and hyper-hostd.

# shellcheck disable=SC2034,SC2154 # the variables are for those who source this, or lib.sh's

hosts=(org.hyper1.Hosts /org/hyper1/hosts org.hyper1.Hosts.Manager)

# qemu cannot be put into cgroups that the container does not have.
libvirt_up() {
        echo 'cgroup_controllers = []' >>/etc/libvirt/qemu.conf
        systemctl restart libvirtd.service
        eventually 20 "libvirtd answers" virsh -q list
}

# guest_image: makes $dir/vmlinuz and $dir/initrd: Debian's kernel and a busybox that heeds the power button
guest_image() {
        local version root=$dir/guest module
        version=$(basename /lib/modules/*)
        mkdir -p "$root"/{bin,proc,sys,dev,etc/acpi/PWRF,lib}
        cp /bin/busybox "$root/bin/"
        for module in drivers/acpi/button drivers/input/evdev drivers/block/virtio_blk \
                drivers/virtio/virtio_pci; do
                modprobe -S "$version" --show-depends "$(basename $module)" | sed -n 's/^insmod //p'
        done | awk '!seen[$1]++ { print $1 }' >"$root/modules"
        while read -r module; do
                cp "$module" "$root/lib/"
                echo "/lib/$(basename "$module")" >>"$root/list"
        done <"$root/modules"
        cat >"$root/etc/acpi/PWRF/00000080" <<'EOF'
#!/bin/busybox sh
echo "power button" >/dev/console
/bin/busybox poweroff -f
EOF
        cat >"$root/init" <<'EOF'
#!/bin/busybox sh
/bin/busybox mkdir -p /usr/bin
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
while read -r m; do /bin/busybox insmod "$m"; done </list
/bin/busybox acpid -f -c /etc/acpi -l /dev/console &
echo "guest is up" >/dev/console
while :; do
        /bin/busybox dd if=/dev/vda of=/dev/null bs=1M count=4 iflag=direct 2>/dev/null
        /bin/busybox sleep 1
done
EOF
        chmod +x "$root/init" "$root/etc/acpi/PWRF/00000080"
        (cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$dir/initrd"
        cp /boot/vmlinuz-* "$dir/vmlinuz"
        chmod 644 "$dir/vmlinuz" "$dir/initrd"
        truncate -s 16M "$dir/disk.img"
        chown libvirt-qemu "$dir/disk.img"
}

# domain NAME [XML]: the description of a VM; the XML is put into it. With guest_image it boots that.
domain() {
        local name=$1
        name=${name//&/&amp;}
        name=${name//</&lt;}
        cat <<EOF
<domain type='qemu'>
  <name>$name</name>
  <memory unit='MiB'>128</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    $([ ! -e "$dir/initrd" ] || echo "<kernel>$dir/vmlinuz</kernel><initrd>$dir/initrd</initrd><cmdline>console=ttyS0 quiet</cmdline>")
  </os>
  <features><acpi/></features>
  ${2:-}
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <serial type='file'><source path='/var/log/libvirt/qemu/console-$(printf %s "$1" | md5sum | cut -c1-8).log'/></serial>
    <graphics type='vnc' port='-1' autoport='yes'/>
    $([ ! -e "$dir/disk.img" ] || echo "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='$dir/disk.img'/><target dev='vda' bus='virtio'/></disk>")
  </devices>
</domain>
EOF
}
console() { cat "/var/log/libvirt/qemu/console-$(printf %s "$1" | md5sum | cut -c1-8).log"; }
is_up() { console "$1" | grep -q 'guest is up'; }

# define NAME [XML]: so that libvirt knows it
define() {
        domain "$@" >"$dir/domain.xml"
        virsh -q define "$dir/domain.xml"
}

# boot_disk FILE TEXT: a disk whose boot sector writes the text to the serial port and the screen, then writes
# sector 1, and stops:
#       xor %ax,%ax; mov %ax,%ds; mov %ax,%es; mov %ax,%ss; mov $0x7c00,%sp; mov $text,%si
# next: lodsb; test %al,%al; jz done; mov $0x3f8,%dx; out %al,%dx; mov $0xe,%ah; xor %bx,%bx; int $0x10;
#       jmp next
# done: mov $0x301,%ax; mov $0x7c00,%bx; mov $2,%cx; mov $0x80,%dx; int $0x13
# stop: hlt; jmp stop
boot_disk() {
        local code i
        code=31c08ed88ec08ed0bc007cbe307cac84c0740cbaf803eeb40e31dbcd10ebefb80103bb007cb90200ba8000cd13f4ebfd
        for ((i = 0; i < ${#code}; i += 2)); do printf %b "\\x${code:i:2}"; done >"$1"
        printf '%b\0' "$2" >>"$1"
        truncate -s 510 "$1"
        printf '\x55\xaa' >>"$1"
        truncate -s 8M "$1"
}

# --- hyper-hostd over the bus ------------------------------------------------------------------------------

add_host() { busctl --json=short call "${hosts[@]}" AddHost 'sa{sv}' "$1" 1 id s "$2" | jq -r '.data[1]'; }
host_property() { busctl --json=short get-property org.hyper1.Hosts "/org/hyper1/hosts/$1" \
        org.hyper1.Hosts.Host "$2" | jq -r .data; }
host_is() { [ "$(host_property "$1" State)" = "$2" ]; }
vm_path() { busctl --json=short call "${hosts[@]}" GetVm ss "$1" "$2" | jq -r '.data[0]'; }
vm_property() { busctl --json=short get-property org.hyper1.Hosts "$(vm_path "$1" "$2")" org.hyper1.Hosts.Vm \
        "$3" | jq -r .data; }
vm_is() { [ "$(vm_property "$1" "$2" State 2>/dev/null)" = "$3" ]; }
# vm_call HOST VM METHOD: what it answers
vm_call() { busctl --json=short --timeout=60 call org.hyper1.Hosts "$(vm_path "$1" "$2")" \
        org.hyper1.Hosts.Vm "$3" | jq -r '.data[0] // empty'; }
has_vm() { vm_path "$1" "$2" >/dev/null 2>&1; }
has_no_vm() { ! has_vm "$1" "$2"; }
