# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes images of a disk: by qemu-img, and by hand where qemu-img cannot."""

import hashlib
import io
import os
import struct
import subprocess
import tarfile
import zlib

from readers import crc32c

SECTOR = 512


def run(*argv):
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def by_qemu(form, extension, *options, compress=False):
    """A maker: of a disk in the file @raw into @directory. It gives the name of the file that is the source."""
    def make(directory, raw, _disk, _rng):
        name = f"disk{extension}"
        argv = ["qemu-img", "convert", "-f", "raw", "-O", form]
        argv += ["-c"] if compress else []
        argv += ["-o", ",".join(options)] if options else []
        run(*argv, raw, os.path.join(directory, name))
        return name
    return make


def raw_copy(directory, raw, _disk, _rng):
    run("cp", "--sparse=always", raw, os.path.join(directory, "disk.img"))
    return "disk.img"


def stream_footer(directory, raw, _disk, _rng):
    """streamOptimized as ESXi writes it: its directory is behind the grains, the footer says where."""
    grain, n_gte = 128, 512
    with open(raw, "rb") as f:
        data = f.read()
    capacity = len(data) // SECTOR
    text = ('# Disk DescriptorFile\nversion=1\nCID=7e5b80a7\nparentCID=ffffffff\ncreateType="streamOptimized"\n\n'
            f'# Extent description\nRDONLY {capacity} SPARSE "generated-stream.vmdk"\n\n# The Disk Data Base\n#DDB\n'
            'ddb.adapterType = "lsilogic"\nddb.geometry.cylinders = "3"\nddb.geometry.heads = "255"\n'
            'ddb.geometry.sectors = "63"\nddb.virtualHWVersion = "10"\n').encode()

    def header(directory):
        return struct.pack("<4sIIQQQQIQQQ?4sH", b"KDMV", 3, 0x30001, capacity, grain, 1, 20, n_gte, 0, directory, 128,
                           False, b"\n \r\n", 1).ljust(SECTOR, b"\0")

    def marker(sectors, kind):
        return struct.pack("<QII", sectors, 0, kind).ljust(SECTOR, b"\0")
    out = bytearray(header(2 ** 64 - 1) + text.ljust(20 * SECTOR, b"\0"))
    out += bytes(128 * SECTOR - len(out))
    tables = []
    for t in range(-(-capacity // (grain * n_gte))):
        table = [0] * n_gte
        for i in range(n_gte):
            at = (t * n_gte + i) * grain
            piece = data[at * SECTOR:(at + grain) * SECTOR]
            if piece.strip(b"\0"):
                z = zlib.compress(piece.ljust(grain * SECTOR, b"\0"), 1)
                table[i] = len(out) // SECTOR
                out += struct.pack("<QI", at, len(z)) + z
                out += bytes(-len(out) % SECTOR)
        tables.append(0)
        if any(table):
            out += marker(4, 1)
            tables[-1] = len(out) // SECTOR
            out += struct.pack(f"<{n_gte}I", *table)
    out += marker(-(-len(tables) * 4 // SECTOR), 2)
    place = len(out) // SECTOR
    out += struct.pack(f"<{len(tables)}I", *tables)
    out += bytes(-len(out) % SECTOR) + marker(1, 3) + header(place) + bytes(SECTOR)
    with open(os.path.join(directory, "disk.vmdk"), "wb") as f:
        f.write(out)
    return "disk.vmdk"


def descriptor(lines, kind="custom"):
    return ('# Disk DescriptorFile\nversion=1\nCID=7e5b80a7\nparentCID=ffffffff\n'
            f'createType="{kind}"\n\n# Extent description\n' + "".join(line + "\n" for line in lines) +
            '\n# The Disk Data Base\n#DDB\n\nddb.adapterType = "lsilogic"\nddb.geometry.cylinders = "3"\n'
            'ddb.geometry.heads = "255"\nddb.geometry.sectors = "63"\nddb.virtualHWVersion = "10"\n')


def several_flat(directory, raw, disk, rng):
    """A descriptor with flat extents, at places inside their files, and one of zeroes if the disk has room."""
    n = disk.size // SECTOR
    cuts = sorted({0, n} | {rng.randrange(1, n) for _ in range(rng.randrange(1, 5)) if n > 1})
    lines = []
    with open(raw, "rb") as f:
        for k, (a, b) in enumerate(zip(cuts, cuts[1:])):
            f.seek(a * SECTOR)
            data = f.read((b - a) * SECTOR)
            if not data.strip(b"\0"):
                lines.append(f"RW {b - a} ZERO")
                continue
            before = rng.choice((0, 0, 3))
            with open(os.path.join(directory, f"part-{k}.vmdk"), "wb") as out:
                out.write(b"\xee" * before * SECTOR + data)
            lines.append(f'RW {b - a} FLAT "part-{k}.vmdk" {before}')
    with open(os.path.join(directory, "disk.vmdk"), "w", encoding="ascii") as f:
        f.write(descriptor(lines))
    return "disk.vmdk"


def vhdx_4k(directory, raw, disk, rng):
    """Sectors of 4 KiB. Up to 4 GiB the table of blocks is the same as with 512 bytes."""
    name = by_qemu("vhdx", ".vhdx", "block_size=1M")(directory, raw, disk, rng)
    with open(os.path.join(directory, name), "r+b") as f:
        data = f.read(4 << 20)
        meta = data.index(b"metadata")
        for key in ("1dbf41816fa90947ba47f233a8faab5f", "c748a3cd5d4471449cc9e9885251c556"):
            at, = struct.unpack_from("<I", data, data.index(bytes.fromhex(key), meta) + 16)
            f.seek(meta + at)
            f.write(struct.pack("<I", 4096))
    return name


def vhdx_log(directory, raw, disk, rng):
    """The host crashed: 4 KiB of the disk are in the log, not yet in their place, where older data are."""
    name = by_qemu("vhdx", ".vhdx", "block_size=1M")(directory, raw, disk, rng)
    path = os.path.join(directory, name)
    with open(path, "r+b") as f:
        data = f.read()
        # a page of the first block, which lies where the table of blocks says
        regions = data[196608:262144]
        at = regions.index(bytes.fromhex("6677c22d23f600429d64115e9bfd4a08"))
        bat, = struct.unpack_from("<Q", regions, at + 16)
        target = (struct.unpack_from("<Q", data, bat)[0] >> 20 << 20) + 4096 * rng.randrange(256)
        page = data[target:target + 4096]
        f.seek(target)
        f.write(b"\x17" * 4096)
        heads = [(struct.unpack_from("<Q", data, o + 8)[0], o) for o in (65536, 131072)]
        current = max(heads)[1]
        log_guid, sequence = rng.randbytes(16), rng.randrange(1, 1 << 40)
        head = bytearray(data[current:current + 4096])
        head[48:64] = log_guid
        f.seek(current)
        f.write(seal(head))
        _, log_at = struct.unpack_from("<IQ", head, 68)
        entry = bytearray(8192)
        struct.pack_into("<4sIIIQI4s16sQQ", entry, 0, b"loge", 0, 8192, 0, sequence, 1, b"", log_guid, len(data),
                         len(data))
        struct.pack_into("<4s4s8sQQ", entry, 64, b"desc", page[4092:], page[:8], target, sequence)
        entry[4096:] = (struct.pack("<4sI", b"data", sequence >> 32) + page[8:4092] +
                        struct.pack("<I", sequence & 0xffffffff))
        f.seek(log_at)
        f.write(seal(entry))
    return name


def seal(data):
    data[4:8] = bytes(4)
    data[4:8] = struct.pack("<I", crc32c(bytes(data)))
    return bytes(data)


def ovf(files):
    refs = "".join(f'<File ovf:id="f{i}" ovf:href="{n}"/>' for i, n in enumerate(files))
    disks = "".join(f'<Disk ovf:diskId="d{i}" ovf:fileRef="f{i}" ovf:capacity="1"/>' for i in range(len(files)))
    return ('<?xml version="1.0"?>\n<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" '
            f'xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"><References>{refs}</References>'
            f'<DiskSection><Info>disks</Info>{disks}</DiskSection></Envelope>\n').encode()


def ova(make_inner, digest=None, n=1, form=tarfile.USTAR_FORMAT):
    """An archive of the disk, @n times, in the format that @make_inner makes."""
    def make(directory, raw, disk, rng):
        inner = os.path.join(directory, "inner")
        os.mkdir(inner)
        name = make_inner(inner, raw, disk, rng)
        with open(os.path.join(inner, name), "rb") as f:
            data = f.read()
        names = [f"vm-disk{i + 1}{os.path.splitext(name)[1]}" for i in range(n)]
        members = [("vm.ovf", ovf(names))]
        if digest:
            sums = [(k, hashlib.new(digest, v).hexdigest()) for k, v in members + [(k, data) for k in names]]
            members.append(("vm.mf", "".join(f"{digest.upper()}({k})= {v}\n" for k, v in sums).encode()))
        with tarfile.open(os.path.join(directory, "vm.ova"), "w", format=form) as t:
            for k, v in members + [(k, data) for k in names]:
                info = tarfile.TarInfo(k)
                info.size = len(v)
                t.addfile(info, io.BytesIO(v))
        os.unlink(os.path.join(inner, name))
        os.rmdir(inner)
        return "vm.ova"
    return make


LARGE = 6 << 30
SMALL = 80 << 20

# name: (how it is made, the largest disk for it, must it be converted?)
MAKERS = {
    "raw": (raw_copy, LARGE, True),
    "qcow2": (by_qemu("qcow2", ".qcow2"), LARGE, True),
    "qcow2-v2": (by_qemu("qcow2", ".qcow2", "compat=0.10"), LARGE, True),
    "qcow2-lazy": (by_qemu("qcow2", ".qcow2", "lazy_refcounts=on"), LARGE, True),
    "qcow2-512": (by_qemu("qcow2", ".qcow2", "cluster_size=512"), SMALL, True),
    "qcow2-4k": (by_qemu("qcow2", ".qcow2", "cluster_size=4k"), LARGE, True),
    "qcow2-2m": (by_qemu("qcow2", ".qcow2", "cluster_size=2M"), LARGE, True),
    "qcow2-subclusters": (by_qemu("qcow2", ".qcow2", "extended_l2=on,cluster_size=128k"), LARGE, True),
    "qcow2-preallocated": (by_qemu("qcow2", ".qcow2", "preallocation=metadata"), SMALL, True),
    "qcow2-zlib": (by_qemu("qcow2", ".qcow2", compress=True), LARGE, True),
    "qcow2-zlib-4k": (by_qemu("qcow2", ".qcow2", "cluster_size=4k", compress=True), SMALL, True),
    "qcow2-zlib-v2": (by_qemu("qcow2", ".qcow2", "compat=0.10", compress=True), SMALL, True),
    "qcow2-zstd": (by_qemu("qcow2", ".qcow2", "compression_type=zstd", compress=True), LARGE, True),
    "vmdk": (by_qemu("vmdk", ".vmdk"), LARGE, True),
    "vmdk-flat": (by_qemu("vmdk", ".vmdk", "subformat=monolithicFlat"), LARGE, True),
    "vmdk-2g-sparse": (by_qemu("vmdk", ".vmdk", "subformat=twoGbMaxExtentSparse"), LARGE, True),
    "vmdk-2g-flat": (by_qemu("vmdk", ".vmdk", "subformat=twoGbMaxExtentFlat"), LARGE, True),
    "vmdk-stream": (by_qemu("vmdk", ".vmdk", "subformat=streamOptimized"), LARGE, True),
    "vmdk-stream-footer": (stream_footer, SMALL, True),
    "vmdk-several-flat": (several_flat, SMALL, True),
    "vdi": (by_qemu("vdi", ".vdi"), LARGE, True),
    "vdi-static": (by_qemu("vdi", ".vdi", "static=on"), SMALL, True),
    "vhd": (by_qemu("vpc", ".vhd", "force_size=on"), LARGE, True),
    "vhd-fixed": (by_qemu("vpc", ".vhd", "subformat=fixed,force_size=on"), LARGE, True),
    "vhdx": (by_qemu("vhdx", ".vhdx"), LARGE, True),
    "vhdx-1m": (by_qemu("vhdx", ".vhdx", "block_size=1M"), LARGE, True),
    "vhdx-fixed": (by_qemu("vhdx", ".vhdx", "subformat=fixed"), SMALL, True),
    "vhdx-log": (vhdx_log, SMALL, True),
    "vhdx-4k": (vhdx_4k, SMALL, False),
    "parallels": (by_qemu("parallels", ".hdd"), LARGE, True),
    "ova-stream": (ova(stream_footer, "sha256"), SMALL, True),
    "ova-qemu-stream": (ova(by_qemu("vmdk", ".vmdk", "subformat=streamOptimized"), "sha1"), SMALL, True),
    "ova-sparse": (ova(by_qemu("vmdk", ".vmdk"), form=tarfile.GNU_FORMAT), SMALL, True),
    "ova-qcow2": (ova(by_qemu("qcow2", ".qcow2"), "sha256", form=tarfile.PAX_FORMAT), SMALL, True),
    "ova-vhd": (ova(by_qemu("vpc", ".vhd", "force_size=on")), SMALL, True),
    "ova-two": (ova(stream_footer, "sha256", n=2), SMALL, True),
}

SIZES = (512, 1024, 5 * 512, 65536, 65536 + 512, 1 << 20, (1 << 20) + 512, 3 * (1 << 20) + 7 * 512, (8 << 20) - 512,
         33 << 20, (65 << 20) + 3 * 512, (4 << 30) + 513 * 512)
