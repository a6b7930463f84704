#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Make a disk with what is recognized as a Windows 10: an ESP, and an NTFS with two hives.

Usage: windows-disk.py DISK [hibernated]

It needs no mounted file system: directories are made with libntfs-3g, files with ntfscp and mtools.
"""

import ctypes
import pathlib
import struct
import subprocess
import sys
import tempfile

SECTOR = 512
ESP = (2048, 16384)  # begin, sectors
NTFS = (20480, 32768)
INTERFACE = "{848F537B-D3A3-4FD7-9360-3F7098E5EDE5}"
NETWORK = "{4D36E972-E325-11CE-BFC1-08002BE10318}"


def multi(text):
    return "hex:7:" + ",".join(f"{b:02x}" for b in (text + "\0\0").encode("utf-16-le"))


SOFTWARE = {
    "Microsoft\\Windows NT\\CurrentVersion": {
        "ProductName": "string:Windows 10 Pro",
        "CurrentVersion": "string:6.3",
        "CurrentMajorVersionNumber": "dword:10",
        "CurrentMinorVersionNumber": "dword:0",
        "CurrentBuildNumber": "string:19045",
        "InstallationType": "string:Client",
    },
    "Microsoft\\Windows\\CurrentVersion": {"DevicePath": "expandstring:%SystemRoot%\\inf"},
}
SYSTEM = {
    "Select": {"Current": "dword:1", "Default": "dword:1"},
    "MountedDevices": {},
    "ControlSet001\\Services\\VMTools": {"Start": "dword:2"},
    "ControlSet001\\Services\\storahci": {"Start": "dword:3"},
    "ControlSet001\\Services\\Tcpip\\Parameters": {"Hostname": "string:ESX-WINDOWS"},
    "ControlSet001\\Services\\Tcpip\\Parameters\\Interfaces\\" + INTERFACE: {
        "EnableDHCP": "dword:0",
        "IPAddress": multi("192.0.2.10"),
        "SubnetMask": multi("255.255.255.0"),
        "DefaultGateway": multi("192.0.2.1"),
        "NameServer": "string:192.0.2.53",
    },
    "ControlSet001\\Control\\Network\\" + NETWORK + "\\" + INTERFACE + "\\Connection": {
        "Name": "string:Ethernet0",
        "PnpInstanceID": "string:PCI\\VEN_15AD&DEV_07B0&SUBSYS_07B015AD&REV_01\\FF565000BB0895FE00",
    },
}


def empty_hive():
    """Return a hive with a root that has nothing in it."""
    none = 0xFFFFFFFF
    security = 0x20 + 0x58
    root = struct.pack("<i2sHQIIIIIIIIII20sHH8s", -0x58, b"nk", 0x2C, 0, 0, 0, 0, 0, none, none, 0, none, security,
                       none, bytes(20), 4, 0, b"ROOT")
    descriptor = struct.pack("<BBHIIII", 1, 0, 0x8000, 0, 0, 0, 0)
    sk = struct.pack("<i2sHIIII24s", -0x30, b"sk", 0, security, security, 1, 20, descriptor)
    bin_ = struct.pack("<4sII20s", b"hbin", 0, 4096, bytes(20)) + root + sk
    bin_ += struct.pack("<I", 4096 - len(bin_))
    head = bytearray(struct.pack("<4sIIQIIIIIII", b"regf", 1, 1, 0, 1, 3, 0, 1, 0x20, 4096, 1).ljust(4096, b"\0"))
    total = 0
    for (word,) in struct.iter_unpack("<I", head[:0x1FC]):
        total ^= word
    struct.pack_into("<I", head, 0x1FC, total)
    return bytes(head) + bin_.ljust(4096, b"\0")


def hive(path, keys):
    path.write_bytes(empty_hive())
    script, made = [], set()
    for key, values in keys.items():
        script.append("cd \\")
        walked = ""
        for part in key.split("\\"):
            walked += "\\" + part
            if walked not in made:
                script.append(f"add {part}")
                made.add(walked)
            script.append(f"cd {part}")
        if values:
            script.append(f"setval {len(values)}")
            script += [line for pair in values.items() for line in pair]
    script.append("commit")
    subprocess.run(["hivexsh", "-w", path], input="\n".join(script) + "\n", text=True, check=True)


def program(path):
    """Write what file(1) takes for a program of Windows for x86-64."""
    path.write_bytes(b"MZ".ljust(60, b"\0") + struct.pack("<I", 64) + struct.pack("<4sHHIIIHH", b"PE\0\0", 0x8664, 0, 0,
                     0, 0, 240, 0x22) + struct.pack("<H", 0x20B).ljust(240, b"\0"))


def make_directories(image, directories):
    lib = ctypes.CDLL("libntfs-3g.so.89")
    lib.ntfs_mount.restype = lib.ntfs_pathname_to_inode.restype = lib.ntfs_create.restype = ctypes.c_void_p
    lib.ntfs_pathname_to_inode.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p]
    lib.ntfs_create.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_char_p, ctypes.c_uint8, ctypes.c_uint32]
    lib.ntfs_inode_close.argtypes = [ctypes.c_void_p]
    lib.ntfs_umount.argtypes = [ctypes.c_void_p, ctypes.c_int]
    volume = lib.ntfs_mount(str(image).encode(), ctypes.c_ulong(0))
    for directory in directories:
        above, name = directory.rsplit("/", 1)
        parent = lib.ntfs_pathname_to_inode(volume, None, (above or "/").encode())
        made = lib.ntfs_create(parent, 0, name.encode("utf-16-le"), len(name), 0o040000)
        if not made:
            sys.exit(f"Failed to make the directory {directory}")
        lib.ntfs_inode_close(made)
        lib.ntfs_inode_close(parent)
    if lib.ntfs_umount(volume, 0) != 0:
        sys.exit("Failed to write the NTFS")


def run(*command):
    subprocess.run([str(c) for c in command], check=True, stdout=subprocess.DEVNULL)


def make_esp(image, scratch):
    image.write_bytes(bytes(ESP[1] * SECTOR))
    run("mkfs.vfat", "-n", "ESP", image)
    run("mmd", "-i", image, "::/EFI", "::/EFI/Microsoft", "::/EFI/Microsoft/Boot")
    loader = scratch / "loader"
    loader.write_text("bootmgfw\n")
    run("mcopy", "-i", image, loader, "::/EFI/Microsoft/Boot/bootmgfw.efi")


def make_ntfs(image, scratch, hibernated):
    image.write_bytes(bytes(NTFS[1] * SECTOR))
    run("mkntfs", "-F", "-Q", "-q", "-p", NTFS[0], "-s", SECTOR, "-S", 63, "-H", 255, "-L", "Windows", image)
    make_directories(image, ["/Windows", "/Windows/System32", "/Windows/System32/config", "/Windows/System32/drivers"])
    hive(scratch / "SOFTWARE", SOFTWARE)
    hive(scratch / "SYSTEM", SYSTEM)
    program(scratch / "cmd.exe")
    for name, path in [("SOFTWARE", "config/SOFTWARE"), ("SYSTEM", "config/SYSTEM"), ("cmd.exe", "cmd.exe")]:
        run("ntfscp", image, scratch / name, "/Windows/System32/" + path)
    if hibernated:
        (scratch / "hiberfil.sys").write_bytes(b"HIBR".ljust(4096, b"\0"))
        run("ntfscp", image, scratch / "hiberfil.sys", "/hiberfil.sys")


def main():
    disk = pathlib.Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as directory, disk.open("wb") as f:
        scratch = pathlib.Path(directory)
        make_esp(scratch / "esp", scratch)
        make_ntfs(scratch / "ntfs", scratch, "hibernated" in sys.argv[2:])
        f.truncate((NTFS[0] + NTFS[1] + 2048) * SECTOR)
        for (begin, _), name in [(ESP, "esp"), (NTFS, "ntfs")]:
            f.seek(begin * SECTOR)
            f.write((scratch / name).read_bytes())
    table = f"start={ESP[0]}, size={ESP[1]}, type=U\nstart={NTFS[0]}, size={NTFS[1]}, " \
            "type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\n"
    subprocess.run(["sfdisk", "-q", "--label", "gpt", disk], input=table, text=True, check=True)


main()
