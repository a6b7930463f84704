#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# machine: guest
# timeout: 900
# weight: 1.2
# slow: the appliance starts under emulation
#
# A disk that is recognized as a Windows, with a real registry: drivers are installed and registered, the
# first-boot helper gets the orders for the network, the boot loader is where the firmware looks for it.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

python3 "$(dirname "$0")/../lib/windows-disk.py" "$dir/windows.img"

# An ISO image is read in the unit tests.
for file in viostor/{2k22,w10}/amd64/viostor.{sys,inf} vioscsi/w10/amd64/vioscsi.sys NetKVM/w10/amd64/netkvm.inf; do
        mkdir -p "$dir/virtio-win/${file%/*}"
        echo "$file" >"$dir/virtio-win/$file"
done
chmod 755 "$dir"
mkdir -p /etc/hyper/config.d
echo "guest: {virtio_win: $dir/virtio-win}" >/etc/hyper/config.d/90-test.yaml
hyperctl reload

job=$(submit "$(spec "$dir/windows.img" "$dir/new.img" '.destination.format = "raw" | .parameters.fix = "auto"')")
wait_state "$job" COMPLETED 800

guest=$(curl -sf "$worker/jobs/$job" | jq -c .result.guest)
equal "$(jq -c '[.os.type, .os.build, .os.hostname, .firmware, .virtio]' <<<"$guest")" \
        '["windows",19045,"ESX-WINDOWS","efi",true]' "what was found"
equal "$(jq -c '[.hardware.disk_bus, .hardware.nic_model, .hardware.rtc]' <<<"$guest")" \
        '["virtio","virtio","localtime"]' "the hardware that it requires"
equal "$(jq -c .network <<<"$guest")" \
        '[{"name":"Ethernet0","by":"registry","addresses":["192.0.2.10/24"],"mac":"00:50:56:95:08:bb"}]' "its network"

# part BEGIN COUNT FILE, in sectors: see windows-disk.py
part() { dd if="$dir/new.img" of="$3" bs=512 skip="$1" count="$2" status=none; }
part 2048 16384 "$dir/esp"
part 20480 32768 "$dir/ntfs"
equal "$(mtype -i "$dir/esp" ::/EFI/BOOT/BOOTX64.EFI)" bootmgfw "the boot loader"
equal "$(ntfscat "$dir/ntfs" /Windows/Drivers/VirtIO/netkvm.inf)" NetKVM/w10/amd64/netkvm.inf "a driver"
for driver in viostor vioscsi; do
        equal "$(ntfscat "$dir/ntfs" /Windows/System32/drivers/$driver.sys)" "$driver/w10/amd64/$driver.sys" \
                "a driver of disks"
done
for hive in SYSTEM SOFTWARE; do
        ntfscat "$dir/ntfs" /Windows/System32/config/$hive >"$dir/$hive"
done
# value HIVE KEY NAME
value() { hivexget "$dir/$1" "$2" "$3"; }
equal "$(value SYSTEM 'ControlSet001\Services\viostor' Start)" 0 "the start of viostor"
equal "$(value SYSTEM 'DriverDatabase\DriverInfFiles\hyper-vioscsi.inf' Active)" hyper-vioscsi.inf_hyper \
        "the package of vioscsi"
equal "$(value SYSTEM 'ControlSet001\Services\VMTools' Start)" 4 "the start of VMware Tools"
equal "$(value SYSTEM 'ControlSet001\Services\storahci' Start)" 0 "the start of SATA"
equal "$(value SOFTWARE 'Microsoft\Windows\CurrentVersion' DevicePath)" \
        '%SystemRoot%\inf;%SystemRoot%\Drivers\VirtIO' "where Windows looks for drivers"

# The helper, if hyper was built with it
if [ -e /usr/share/hyper/hyper-firstboot.exe ]; then
        ntfscat "$dir/ntfs" /Windows/hyper-firstboot.exe | cmp - /usr/share/hyper/hyper-firstboot.exe
        contains "$(ntfscat "$dir/ntfs" /Windows/hyper-firstboot.txt)" "address 192.0.2.10 255.255.255.0" "its orders"
        equal "$(value SYSTEM 'ControlSet001\Services\hyper-firstboot' Start)" 2 "its service"
        equal "$(jq -c .warnings <<<"$guest")" '[]' "the warnings"
fi
