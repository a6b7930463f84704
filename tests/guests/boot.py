#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Boot a disk under emulation, without changing it, and print how far it comes as one line of JSON.

The first of PATTERNS that appears on the serial console decides. After "login", log in as root and print the
device of the root, the driver and address of the NIC, whether the gateway answers, failed units, and with
SELinux, its mode and the changed files that have a wrong label. The exit status is 0 if the guest has started
on the hardware of KVM, with its network, and without failed units and wrong labels."""

import argparse
import json
import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

PATTERNS = [
    ("login", r"login: $"), ("initramfs", r"\(initramfs\)"), ("dracut", r"dracut:/#|Entering emergency mode|initqueue.*starting timeout scripts"),
    ("grub-rescue", r"grub rescue>"), ("uefi-shell", r"Shell> "), ("panic", r"Kernel panic"),
    ("no-boot-device", r"No bootable (device|option)"), ("emergency", r"emergency mode|for maintenance"),
]
PASSPHRASE = r"unlock disk|passphrase for"
QUESTION = (
    "ping -c1 -W9 10.0.2.2 >/dev/null; echo P=$? R=$(findmnt -no SOURCE / | sed 's/\\[.*//') "
    "N=$(for i in /sys/class/net/e*; do n=${i##*/}; echo $n:$(basename $(readlink -f $i/device/driver)):"
    "$(ip -br -4 addr show $n | awk '{print $3}'); done | xargs) "
    "S=$(! command -v getenforce >/dev/null || { getenforce; restorecon -nvr /etc/fstab /etc/systemd/network "
    "/etc/udev /etc/default /etc/initramfs-tools /boot 2>&1 | head -c 500; } | xargs) "
    "F=$(systemctl --failed --plain --no-legend | awk '{print $1}' | xargs) ; echo DO''NE")


def hardware(args, directory):
    """As libvirt arranges a q35 machine: NIC and disk are behind root ports, so the NIC would be enp1s0."""
    argv = ["qemu-system-x86_64", "-machine", "q35,accel=tcg", "-cpu", "max", "-m", "768", "-display", "none",
            "-monitor", "none", "-serial", "stdio", "-no-reboot", "-netdev", "user,id=n0",
            "-drive", f"if=none,id=d0,file={args.disk},format={args.format},snapshot=on,cache=unsafe",
            "-device", "pcie-root-port,id=rp1,chassis=1,port=0x10",
            "-device", "pcie-root-port,id=rp2,chassis=2,port=0x11",
            "-device", "virtio-net-pci,netdev=n0,bus=rp1,mac=00:50:56:aa:bb:01",
            "-device", "virtio-blk-pci,drive=d0,bus=rp2,bootindex=1"]
    if args.uefi:
        variables = os.path.join(directory, "variables")
        shutil.copy("/usr/share/OVMF/OVMF_VARS_4M.fd", variables)
        argv += ["-drive", "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd",
                 "-drive", f"if=pflash,format=raw,file={variables}"]
    return argv


class Console:
    def __init__(self, argv, log):
        self.process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.log = open(log, "wb") if log else None
        self.text = self.piece = ""

    def read(self):
        """False after the machine has ended."""
        ready, _, _ = select.select([self.process.stdout], [], [], 1)
        if not ready:
            return True
        data = os.read(self.process.stdout.fileno(), 65536)
        if self.log:
            self.log.write(data)
            self.log.flush()
        # An escape sequence may be in two pieces.
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.piece + data.decode("utf-8", "replace"))
        piece = re.search(r"\x1b(\[[0-9;?]*)?$", text)
        self.piece = piece[0] if piece else ""
        self.text += text[:len(text) - len(self.piece)].replace("\r", "")
        return bool(data)

    def write(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, line, pattern, seconds):
        """What is printed after LINE, up to PATTERN."""
        begin, end = len(self.text), time.time() + seconds
        self.write(line)
        while time.time() < end and not re.search(pattern, self.text[begin:]) and self.read():
            pass
        return self.text[begin:]


def reach(console, args):
    """The first pattern that is seen."""
    end, answered = time.time() + args.timeout, 0
    while time.time() < end:
        if not console.read():
            return "ended"
        if args.passphrase and re.search(PASSPHRASE, console.text[answered:]):
            answered = len(console.text)
            console.write(args.passphrase)
        for name, pattern in PATTERNS:
            if re.search(pattern, console.text[max(answered, len(console.text) - 4000):]):
                return name
    return "timeout"


def describe(console):
    console.ask("root", r"[#$] $", 300)
    answer = console.ask(QUESTION, r"\nDONE", 300)
    m = re.search(r"\nP=(\d+) R=(\S*) N=(.*) S=(.*) F=(.*)\n", answer)
    if not m:
        return {"answer": answer[-300:]}
    return {"ping": m[1] == "0", "root": m[2], "nics": m[3].strip(), "selinux": m[4].strip(),
            "failed": m[5].strip()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("disk")
    parser.add_argument("--format", default="raw")
    parser.add_argument("--uefi", action="store_true")
    parser.add_argument("--passphrase")
    parser.add_argument("--timeout", type=int, default=1800)
    parser.add_argument("--log")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        console = Console(hardware(args, directory), args.log)
        begin = time.time()
        try:
            result = {"reached": reach(console, args)}
            result["seconds"] = round(time.time() - begin)
            login = result["reached"] == "login"
            result.update(describe(console) if login else {"tail": console.text[-300:]})
        finally:
            console.process.kill()
            console.process.wait()
    print(json.dumps(result))
    works = result.get("ping") and not result["failed"] and "ens192:virtio_net:10.0.2.15/24" in result["nics"]
    works = works and result["selinux"] in ("", "Permissive", "Enforcing")
    return 0 if works else 1


if __name__ == "__main__":
    sys.exit(main())
