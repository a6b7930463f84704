# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads disk images as the specifications of their formats say, and strictly so: what is missing, or can be read
in two ways, is Invalid. Nothing here is shared with what is tested, nor with qemu."""

import bz2
import ctypes
import gzip
import hashlib
import io
import lzma
import os
import re
import struct
import tarfile
import uuid
import zipfile
import zlib
from xml.etree import ElementTree

from disk import Disk, Invalid, Reader

SIZE_MAX = 64 << 40


def check(condition, text):
    if not condition:
        raise Invalid(text)


def visible(size, start, block):
    return max(0, min(block, size - start))


def new_disk(size):
    check(0 < size <= SIZE_MAX, f"a disk of {size} bytes")
    return Disk(size)


# --- raw ------------------------------------------------------------------------------------------------------

def read_raw(f):
    d = new_disk(f.length)
    f.copy(d, 0, f.length, 0)
    return d.padded()


# --- qcow2: docs/interop/qcow2.txt ------------------------------------------------------------------------------

def zstd(data, size):
    lib = ctypes.CDLL("libzstd.so.1")
    lib.ZSTD_findFrameCompressedSize.restype = lib.ZSTD_decompress.restype = ctypes.c_size_t
    n = lib.ZSTD_findFrameCompressedSize(data, ctypes.c_size_t(len(data)))
    check(not lib.ZSTD_isError(ctypes.c_size_t(n)), "a zstd frame is damaged")
    out = ctypes.create_string_buffer(size)
    n = lib.ZSTD_decompress(out, ctypes.c_size_t(size), data, ctypes.c_size_t(n))
    check(n == size, "a zstd frame is damaged")
    return out.raw


def deflate(data, size):
    z = zlib.decompressobj(-15)
    try:
        out = z.decompress(data, size)
    except zlib.error as e:
        raise Invalid(f"a compressed cluster: {e}")
    check(len(out) == size, "a compressed cluster is too short")
    return out


class Qcow2:
    def __init__(self, f):
        self.f = f
        h = f.read(0, 72)
        (magic, version, backing, _, bits, size, crypt, n_l1, l1, _, _, _, _) = struct.unpack(">4sIQIIQIIQQIIQ", h)
        check(magic == b"QFI\xfb" and version in (2, 3), "no qcow2")
        check(backing == 0, "a backing file")
        check(crypt == 0, "encrypted")
        check(9 <= bits <= 21, "the cluster size")
        incompatible, length = 0, 72
        self.unpack = deflate
        if version == 3:
            incompatible, = struct.unpack(">Q", f.read(72, 8))
            length, = struct.unpack(">I", f.read(100, 4))
            check(length >= 104, "the header length")
            check(incompatible & ~0x19 == 0, "an incompatible feature")
            kind = f.read(104, 1)[0] if length > 104 else 0
            check(kind <= 1 and (kind > 0) == bool(incompatible & 8), "the compression type")
            if kind == 1:
                self.unpack = zstd
        self.v2, self.extended = version == 2, bool(incompatible & 16)
        self.bits, self.cluster, self.size = bits, 1 << bits, size
        self.n_l1, self.l1 = n_l1, l1

    def cluster_offset(self, e):
        at = e & 0x00fffffffffffe00
        check(at % self.cluster == 0, "a place that is no cluster's")
        return at

    def read_compressed(self, e):
        x = 62 - (self.bits - 8)
        at, n = e & (1 << x) - 1, (e >> x & (1 << self.bits - 8) - 1) + 1
        n = n * 512 - at % 512
        check(at < self.f.length, "a compressed cluster is behind the end")
        return self.unpack(self.f.read(at, min(n, self.f.length - at)), self.cluster)

    def read_cluster(self, d, e, bitmap, to):
        if e >> 62 & 1:
            d.put(to, self.read_compressed(e))
            return
        at = self.cluster_offset(e)
        if self.extended:
            check(not bitmap & bitmap >> 32, "a sub-cluster is both there and zero")
            sub = self.cluster // 32
            for i in range(32):
                if bitmap >> i & 1:
                    check(at, "a sub-cluster without a cluster")
                    self.f.copy(d, at + i * sub, visible(self.size, to + i * sub, sub), to + i * sub)
            return
        check(not (e & 1 and self.v2), "a zero cluster in version 2")
        if at and not e & 1:
            self.f.copy(d, at, visible(self.size, to, self.cluster), to)

    def read(self):
        d, width = new_disk(self.size), 16 if self.extended else 8
        n = self.cluster // width
        tables = -(-self.size // (n * self.cluster))
        check(tables <= self.n_l1, "the L1 table is too small")
        check(self.l1 % self.cluster == 0, "the place of the L1 table")
        for t, e in enumerate(struct.unpack(f">{tables}Q", self.f.read(self.l1, tables * 8))):
            at = self.cluster_offset(e)
            if not at:
                continue
            table = struct.unpack(f">{self.cluster // 8}Q", self.f.read(at, self.cluster))
            for i in range(n):
                to = (t * n + i) * self.cluster
                e, bitmap = (table[2 * i], table[2 * i + 1]) if self.extended else (table[i], 0)
                if to < self.size and (e or bitmap):
                    self.read_cluster(d, e, bitmap, to)
        return d


# --- VMDK: "Virtual Disk Format 5.0" -----------------------------------------------------------------------------

def read_sparse_extent(f, d, to, sectors):
    """A hosted sparse extent; @sectors: what its descriptor says, None: nothing does."""
    h = f.read(0, 512)
    footer_at = None
    if struct.unpack_from("<Q", h, 56)[0] == 2 ** 64 - 1:
        last = (f.length + 511) // 512 - 1
        while last > 0 and not f.read(last * 512, min(512, f.length - last * 512)).strip(b"\0"):
            last -= 1
        check(last > 0, "no footer")
        marker = f.read((last - 1) * 512, 512)
        check(struct.unpack_from("<II", marker, 8) == (0, 3), "no footer")
        footer_at = last * 512
        f.read(footer_at, 1024)
        h = f.read(footer_at, 512)
    (magic, version, flags, capacity, grain, _, _, n_gte, _, gd, _, _, check_bytes, compress) = \
        struct.unpack_from("<4sIIQQQQIQQQ?4sH", h)
    check(magic == b"KDMV" and 1 <= version <= 3, "no sparse extent")
    check(check_bytes in (b"\n \r\n", bytes(4)), "the file was changed as if it were text")
    check(sectors is None or capacity == sectors, "the header and the descriptor differ")
    check(grain >= 1 and grain & grain - 1 == 0 and grain <= 1 << 18 and 0 < n_gte <= 4096, "the header")
    check(capacity <= SIZE_MAX // 512, "the capacity")
    check(compress <= 1 and bool(compress) == bool(flags >> 16 & 1), "the kind of compression")
    if d is None:
        d = new_disk(capacity * 512)
    grain *= 512
    tables = -(-capacity * 512 // (grain * n_gte))
    for t, at in enumerate(struct.unpack(f"<{tables}I", f.read(gd * 512, tables * 4))):
        if at == 0:
            continue
        for i, sector in enumerate(struct.unpack(f"<{n_gte}I", f.read(at * 512, n_gte * 4))):
            inside = (t * n_gte + i) * grain
            if sector == 0 or inside >= capacity * 512 or (sector == 1 and flags & 4):
                continue
            if not compress:
                f.copy(d, sector * 512, visible(capacity * 512, inside, grain), to + inside)
                continue
            check(flags >> 17 & 1, "compressed grains without markers")
            lba, size = struct.unpack("<QI", f.read(sector * 512, 12))
            check(lba * 512 == inside, "a grain's marker is another grain's")
            try:
                data = zlib.decompress(f.read(sector * 512 + 12, size))
            except zlib.error as e:
                raise Invalid(f"a compressed grain: {e}")
            want = visible(capacity * 512, inside, grain)
            check(len(data) >= want, "a compressed grain is too short")
            d.put(to + inside, data[:want])
    return d


EXTENT = re.compile(r'(RW|RDONLY|NOACCESS)\s+(\d+)\s+(FLAT|SPARSE|ZERO|VMFS|VMFSSPARSE|VMFSRDM|VMFSRAW|SESPARSE)'
                    r'(?:\s+"([^"]*)"(?:\s+(\d+))?)?', re.I)


def parse_descriptor(text):
    """The extents of a descriptor: (access, sectors, kind, name, offset)."""
    if text.startswith(b"\xef\xbb\xbf"):
        text = text[3:]
    encoding = re.search(rb'^\s*encoding\s*=\s*"([^"]*)"', text, re.M | re.I)
    try:
        text = text.split(b"\0")[0].decode(encoding.group(1).decode() if encoding else "utf-8")
    except (LookupError, UnicodeDecodeError):
        raise Invalid("the encoding")
    check(re.search(r"^\s*version\s*=", text, re.M | re.I) or text.startswith("# Disk DescriptorFile"), "no version")
    parent = re.search(r'^\s*parentCID\s*=\s*"?(\w+)', text, re.M | re.I)
    check(not parent or parent.group(1).lower() == "ffffffff", "a snapshot")
    check(not re.search(r"^\s*parentFileNameHint\s*=", text, re.M | re.I), "a snapshot")
    check(not re.search(r"^\s*(encryptionKeys|keyID)\s*=", text, re.M | re.I), "encrypted")
    extents = []
    for line in text.split("\n"):
        line = line.strip()
        if line.startswith("#") or "=" in line.split('"')[0] or not line:
            continue
        m = EXTENT.fullmatch(line)
        check(m, f"the line {line!r}")
        access, n, kind, name, offset = m.groups()
        check((kind.upper() == "ZERO") == (name is None), "an extent without a file")
        check(access.upper() != "NOACCESS", "an extent without access")
        extents.append((access.upper(), int(n), kind.upper(), name, int(offset or 0)))
    check(extents, "no extents")
    return extents


def read_descriptor(path, text):
    extents = parse_descriptor(text)
    d = new_disk(sum(e[1] for e in extents) * 512)
    at = 0
    for _, n, kind, name, offset in extents:
        if kind != "ZERO":
            check("/" not in name and name not in ("", ".", ".."), "a name that is no plain file's")
            file = os.path.join(os.path.dirname(path), name)
            check(os.path.isfile(file), f"{name} is not there")
            f = Reader(file)
            if kind in ("FLAT", "VMFS"):
                f.copy(d, offset * 512, n * 512, at)
            elif kind == "SPARSE":
                read_sparse_extent(f, d, at, n)
            else:
                raise Invalid(f"extents of the kind {kind}")
        at += n * 512
    return d


def read_vmdk(f):
    if f.read(0, min(4, f.length)) != b"KDMV":
        check(f.length <= 1 << 20, "a descriptor that long")
        return read_descriptor(f.path, f.read(0, f.length))
    at, n = struct.unpack_from("<QQ", f.read(0, 512), 28)
    sectors = None
    if at and n:
        text = f.read(at * 512, min(n, 2048) * 512).split(b"\0")[0]
        if text:
            extents = parse_descriptor(text)
            check(len(extents) == 1 and extents[0][2] == "SPARSE", "more than one extent in one file")
            sectors = extents[0][1]
    return read_sparse_extent(f, None, 0, sectors)


# --- VDI: the header of VirtualBox ---------------------------------------------------------------------------------

def read_vdi(f):
    h = f.read(0, 0x188)
    magic, version, _, kind = struct.unpack_from("<IIII", h, 0x40)
    check(magic == 0xbeda107f and version == 0x10001, "no VDI")
    check(kind in (1, 2), "a snapshot")
    at, data = struct.unpack_from("<II", h, 0x154)
    sector, _, size, block, extra, n, used = struct.unpack_from("<IIQIIII", h, 0x168)
    check(sector == 512 and extra == 0, "the sector, or what is before a block")
    check(block >= 512 and block & block - 1 == 0, "the block size")
    check(-(-size // block) <= n <= 1 << 26, "the number of blocks")
    link, parent = f.read(0x1a8, 16), f.read(0x1b8, 16)
    check(link == bytes(16) and parent == bytes(16), "a parent")
    d = new_disk(size)
    for i, place in enumerate(struct.unpack(f"<{n}I", f.read(at, n * 4))):
        if place >= 0xfffffffe or i * block >= size:
            continue
        check(place < n, "a block that cannot be")
        f.copy(d, data + place * block, visible(size, i * block, block), i * block)
    return d


# --- VHD: "Virtual Hard Disk Image Format Specification" --------------------------------------------------------------

def sum_is_right(data, at):
    data = bytearray(data)
    want, = struct.unpack_from(">I", data, at)
    data[at:at + 4] = bytes(4)
    return ~sum(data) & 0xffffffff == want


def vhd_footer(f):
    for size in (512, 511):
        if f.length >= size:
            footer = f.read(f.length - size, size)
            if footer[:8] == b"conectix":
                return footer.ljust(512, b"\0"), f.length - size
    raise Invalid("no footer at the end")


def read_vhd(f):
    footer, end = vhd_footer(f)
    check(sum_is_right(footer, 64), "the footer's checksum")
    offset, = struct.unpack_from(">Q", footer, 16)
    size, = struct.unpack_from(">Q", footer, 48)
    kind, = struct.unpack_from(">I", footer, 60)
    d = new_disk(size)
    if kind == 2:
        check(size <= end, "cut off")
        f.copy(d, 0, size, 0)
        return d
    check(kind == 3, "the disk's type")
    copy = f.read(0, 512)
    check(copy[:8] == b"conectix" and sum_is_right(copy, 64) and copy[16:64] == footer[16:64], "the footer's copy")
    h = f.read(offset, 1024)
    check(h[:8] == b"cxsparse" and sum_is_right(h, 36), "the dynamic header")
    table, version, n, block = struct.unpack_from(">QIII", h, 16)
    check(block >= 512 and block & block - 1 == 0 and n * block >= size and n <= 1 << 26, "the dynamic header")
    bitmap = -(-block // 512 // 8 // 512) * 512
    for i, sector in enumerate(struct.unpack(f">{n}I", f.read(table, n * 4))):
        if sector == 0xffffffff or i * block >= size:
            continue
        bits = f.read(sector * 512, bitmap)
        want = visible(size, i * block, block)
        f.read(sector * 512 + bitmap + want - 1, 1)
        if bits[:block // 512 // 8] == b"\xff" * (block // 512 // 8):
            f.copy(d, sector * 512 + bitmap, want, i * block)
            continue
        for k in range(-(-want // 512)):  # a sector that is not in use is zeroes
            if bits[k // 8] >> 7 - k % 8 & 1:
                f.copy(d, sector * 512 + bitmap + k * 512, min(512, want - k * 512), i * block + k * 512)
    return d


# --- VHDX: [MS-VHDX] ---------------------------------------------------------------------------------------------------

def crc_table():
    table = []
    for i in range(256):
        for _ in range(8):
            i = i >> 1 ^ (0x82f63b78 if i & 1 else 0)
        table.append(i)
    return table


CRC = crc_table()


def crc32c(data):
    crc = 0xffffffff
    for b in data:
        crc = CRC[(crc ^ b) & 255] ^ crc >> 8
    return crc ^ 0xffffffff


def sealed(data):
    return crc32c(data[:4] + bytes(4) + data[8:]) == struct.unpack_from("<I", data, 4)[0]


def guid(text):
    return uuid.UUID(text).bytes_le


def vhdx_regions(f):
    for at in (196608, 262144):
        t = f.read(at, 65536)
        if t[:4] == b"regi" and sealed(t):
            break
    else:
        raise Invalid("no table of regions")
    regions = {}
    check(struct.unpack_from("<I", t, 8)[0] <= 2047, "the number of regions")
    for i in range(struct.unpack_from("<I", t, 8)[0]):
        e = t[16 + i * 32:48 + i * 32]
        at, length, required = struct.unpack_from("<QII", e, 16)
        known = e[:16] in (guid("2DC27766-F623-4200-9D64-115E9BFD4A08"), guid("8B7CA206-4790-4B9A-B8FE-575F050F886E"))
        check(known or not required & 1, "a region that must be understood")
        regions[e[:16]] = (at, length)
    return regions


class Patched(Reader):
    """A file with a log, as it is after the log was replayed."""

    def __init__(self, f, pages):
        self.f, self.pages, self.length, self.path = f, pages, f.length, f.path

    def read(self, at, size):
        data = bytearray(self.f.read(at, size))
        for place, page in self.pages.items():
            a, b = max(at, place), min(at + size, place + 4096)
            if a < b:
                data[a - at:b - at] = page[a - place:b - place]
        return bytes(data)

    def copy(self, disk, at, size, to):
        for start in range(0, size, 1 << 16):
            disk.put(to + start, self.read(at + start, min(1 << 16, size - start)))


def vhdx_log(f, head):
    """The pages that a log of one entry holds."""
    log_length, at = struct.unpack_from("<IQ", head, 68)
    entry = f.read(at, 4096)
    _, _, length, tail, sequence, n, _, guid_, flushed, _ = struct.unpack_from("<4sIIIQI4s16sQQ", entry)
    check(entry[:4] == b"loge" and guid_ == head[48:64] and 8192 <= length <= log_length, "the log")
    check(tail == 0 and n == (length - 4096) // 4096 and n <= 126, "a log of several entries")
    check(length % 4096 == 0 and flushed <= f.length, "the log")
    entry = f.read(at, length)
    check(sealed(entry), "the log's checksum")
    pages = {}
    for i in range(n):
        sign, last, first, place, number = struct.unpack_from("<4s4s8sQQ", entry, 64 + 32 * i)
        data = entry[4096 * (i + 1):4096 * (i + 2)]
        high, low = struct.unpack_from("<I", data, 4)[0], struct.unpack_from("<I", data, 4092)[0]
        check(sign == b"desc" and data[:4] == b"data" and number == sequence == high << 32 | low, "a page of the log")
        check(place % 4096 == 0, "the place of a page")
        pages[place] = first + data[8:4092] + last
    return pages


def read_vhdx(f):
    check(f.read(0, 8) == b"vhdxfile", "no VHDX")
    heads = [h for h in (f.read(65536, 4096), f.read(131072, 4096)) if h[:4] == b"head" and sealed(h)]
    check(heads, "no header")
    head = max(heads, key=lambda h: struct.unpack_from("<Q", h, 8))
    log_version, version = struct.unpack_from("<HH", head, 64)
    check(version == 1, "the version")
    if head[48:64] != bytes(16):
        f = Patched(f, vhdx_log(f, head))
    regions = vhdx_regions(f)
    bat, _ = regions.get(guid("2DC27766-F623-4200-9D64-115E9BFD4A08")) or check(False, "no BAT")
    meta, _ = regions.get(guid("8B7CA206-4790-4B9A-B8FE-575F050F886E")) or check(False, "no metadata")
    t = f.read(meta, 65536)
    check(t[:8] == b"metadata", "the metadata")
    items = {}
    check(struct.unpack_from("<H", t, 10)[0] <= 2047, "the number of items")
    for i in range(struct.unpack_from("<H", t, 10)[0]):
        e = t[32 + i * 32:64 + i * 32]
        items[e[:16]] = struct.unpack_from("<II", e, 16)

    def item(name, fmt):
        key = guid(name)
        check(key in items, "an item of the metadata")
        return struct.unpack(fmt, f.read(meta + items[key][0], struct.calcsize(fmt)))
    block, flags = item("CAA16737-FA36-4D43-B3B6-33F0AA44E76B", "<II")
    size, = item("2FA54224-CD1B-4876-B211-5DBED83BF4B8", "<Q")
    sector, = item("8141BF1D-A96F-4709-BA47-F233A8FAAB5F", "<I")
    check(not flags & 2, "a differencing disk")
    check(1 << 20 <= block <= 1 << 28 and block & block - 1 == 0 and sector in (512, 4096), "the metadata")
    check(size % sector == 0, "the size of the disk")
    ratio = (1 << 23) * sector // block
    d = new_disk(size)
    n = -(-size // block)
    entries = n + (n - 1) // ratio
    for i, e in enumerate(struct.unpack(f"<{entries}Q", f.read(bat, entries * 8))):
        group, inside = divmod(i, ratio + 1)
        if inside == ratio:
            continue
        state, to = e & 7, (group * ratio + inside) * block
        check(state in (0, 1, 2, 3, 6), "the state of a block")
        if state == 6:
            f.copy(d, e >> 20 << 20, visible(size, to, block), to)
    return d


# --- Parallels: docs/interop/parallels.txt ---------------------------------------------------------------------------

def read_parallels(f):
    h = f.read(0, 64)
    magic, version, _, _, cluster, n, sectors, _, _, _, _ = struct.unpack("<16sIIIIIQIIIQ", h)
    newer = magic == b"WithouFreSpacExt"
    check(version == 2 and cluster > 0, "the header")
    if not newer:
        sectors &= 0xffffffff
    cluster *= 512
    d = new_disk(sectors * 512)
    check(n <= 1 << 24 and n * cluster >= d.size, "the table of clusters is too small")
    for i, place in enumerate(struct.unpack(f"<{n}I", f.read(64, n * 4))):
        if place and i * cluster < d.size:
            f.copy(d, place * (cluster if newer else 512), visible(d.size, i * cluster, cluster), i * cluster)
    return d


# --- OVA ------------------------------------------------------------------------------------------------------------------

def local(e, name):
    for key, value in e.attrib.items():
        if key == name or key.endswith("}" + name):
            return value
    return None


def read_ova(f):
    """The disks of an archive: a list."""
    try:
        tar = tarfile.open(f.path, "r:")
        members = tar.getmembers()
    except tarfile.TarError as e:
        raise Invalid(f"the archive: {e}")
    by_name = {}
    for m in members:
        check(m.offset_data + m.size <= f.length, f"{m.name} is cut off")
        check(m.name not in by_name, f"{m.name} twice")
        by_name[m.name] = m
    names = [n for n in by_name if n.endswith(".ovf")]
    check(len(names) == 1, "no OVF, or two")
    for name in by_name:
        if name.endswith(".mf"):
            try:
                manifest = f.read(by_name[name].offset_data, by_name[name].size).decode()
            except UnicodeDecodeError as e:
                raise Invalid(f"the manifest: {e}") from e
            check_manifest(f, by_name, manifest)
    ovf = by_name[names[0]]
    try:
        root = ElementTree.fromstring(f.read(ovf.offset_data, ovf.size))
    except ElementTree.ParseError as e:
        raise Invalid(f"the OVF: {e}")
    files = {local(e, "id"): local(e, "href") for e in root.iter() if e.tag.endswith("}File")}
    disks = []
    for e in root.iter():
        if e.tag.endswith("}Disk"):
            check(local(e, "fileRef") in files and files[local(e, "fileRef")] in by_name, "a disk that is not there")
            m = by_name[files[local(e, "fileRef")]]
            inner = Reader(f.path, m.offset_data, m.size)
            disks += read_any(inner, m.name)
    check(disks, "no disks")
    return disks


def check_manifest(f, by_name, text):
    for line in text.splitlines():
        m = re.fullmatch(r"(SHA1|SHA256)\s*\((.*)\)\s*=\s*([0-9a-fA-F]+)\s*", line)
        check(m and m.group(2) in by_name, "the manifest")
        data = by_name[m.group(2)]
        digest = hashlib.new(m.group(1).lower(), f.read(data.offset_data, data.size)).hexdigest()
        check(digest == m.group(3).lower(), f"the digest of {m.group(2)}")


# --- which format? --------------------------------------------------------------------------------------------------------

MAGICS = (
    (0, b"QFI\xfb", lambda f: Qcow2(f).read()),
    (0, b"KDMV", read_vmdk),
    (0, b"vhdxfile", read_vhdx),
    (0x40, b"\x7f\x10\xda\xbe", read_vdi),
    (0, b"conectix", read_vhd),
    (0, b"WithouFreSpacExt", read_parallels),
    (0, b"WithoutFreeSpace", read_parallels),
)
PACKERS = (
    (b"\x1f\x8b", gzip.decompress),
    (b"\xfd7zXZ\0", lzma.decompress),
    (b"BZh", bz2.decompress),
)
IMAGE_NAMES = (".vhd", ".vpc")
RAW_NAMES = (".img", ".raw", "-flat.vmdk")


def looks_like_a_disk(start):
    return len(start) >= 512 and start[510:512] == b"\x55\xaa"


def read_any(f, name, declared=None):
    """The disks in a file: a list. @declared: the format that the job names."""
    if declared == "raw":
        return [read_raw(f)]
    start = f.read(0, min(1024, f.length))
    for at, magic, read in MAGICS:
        if start[at:at + len(magic)] == magic:
            return [read(f)]
    if start[257:262] == b"ustar":
        return read_ova(f)
    for magic, unpack in PACKERS:
        if start.startswith(magic):
            return read_packed(f, name, unpack)
    if start.startswith(b"PK\3\4"):
        return read_zip(f)
    try:
        vhd_footer(f)
        return [read_vhd(f)]
    except Invalid:
        pass
    text = start[3:] if start.startswith(b"\xef\xbb\xbf") else start
    if re.match(rb"\s*(#[^\n]*\n\s*)*(# *Disk DescriptorFile|version\s*=)", text, re.I) or \
            b"Disk DescriptorFile" in text[:64]:
        return [read_vmdk(f)]
    check(looks_like_a_disk(start) or name.endswith(RAW_NAMES), "nothing that is known")
    check(not name.endswith(IMAGE_NAMES), "a raw disk whose name promises another format")
    return [read_raw(f)]


def read_unpacked(data, path, name):
    inner = path + ".unpacked"
    with open(inner, "wb") as out:
        out.write(data)
    return read_any(Reader(inner), name)


def read_packed(f, name, unpack):
    try:
        data = unpack(f.read(0, f.length))
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as e:
        raise Invalid(f"the archive: {e}")
    check(data[:4] not in (b"# Di",), "a descriptor, without its extents")
    return read_unpacked(data, f.path, os.path.splitext(name)[0])


def read_zip(f):
    try:
        archive = zipfile.ZipFile(io.BytesIO(f.read(0, f.length)))
        check(len(archive.namelist()) == 1, "more than one file")
        name = archive.namelist()[0]
        return read_unpacked(archive.read(name), f.path, name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as e:
        raise Invalid(f"the archive: {e}")
