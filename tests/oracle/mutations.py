# SPDX-License-Identifier: LGPL-2.1-or-later
"""One change of an image each. A mutation is a function of a case; it gives a text of what it did, or None where it
does not apply. Those in LEGAL leave an image that the specification allows: it must be converted."""

import bz2
import gzip
import lzma
import os
import struct
import zipfile

CREATORS = (b"win ", b"wa\0\0", b"vbox", b"d2v ", b"tap\0", b"CTXS", b"vpc ", b"vs  ", b"qemu", b"qem2", b"sw  ",
            b"Xyz1", b"\0\0\0\0")


def patch(path, at, data):
    with open(path, "r+b") as f:
        f.seek(at)
        f.write(data)


def read(path, at, size):
    with open(path, "rb") as f:
        f.seek(at)
        return f.read(size)


def none(_case, _rng):
    return "nothing"


def cut(case, rng):
    path = rng.choice(case.files)
    size = os.path.getsize(path)
    n = rng.choice((1, 2, 3, 511, 512, 513, 1024, 1536, 4096, 65535, 65536, 65537, 1 << 20, size // 3, size // 2,
                    rng.randrange(1, size), size - 1))
    if not 0 < n < size:
        return None
    os.truncate(path, size - n)
    return f"{os.path.basename(path)} cut by {n} bytes of {size}"


def cut_last(case, rng):
    """The last byte that is not zero is missing, or a few before it."""
    path = case.files[-1]
    size = os.path.getsize(path)
    tail = read(path, max(0, size - (1 << 20)), 1 << 20).rstrip(b"\0")
    n = max(0, size - (1 << 20)) + len(tail) - rng.choice((1, 1, 2, 100))
    if n <= 0:
        return None
    os.truncate(path, n)
    return f"{os.path.basename(path)} cut to {n} bytes of {size}"


def pad(case, rng):
    path = rng.choice(case.files)
    n = rng.choice((1, 3, 511, 512, 4096, 65536, (1 << 20) + 7))
    with open(path, "ab") as f:
        f.write(rng.choice((bytes(n), rng.randbytes(n), b"\n" * n)))
    return f"{os.path.basename(path)} padded with {n} bytes"


def pad_footer(case, rng):
    if case.format != "vmdk-stream-footer":
        return None
    n = rng.choice((1, 511, 512, 1024, 4096, 65536, 1 << 20))
    with open(case.path, "ab") as f:
        f.write(bytes(n))
    return f"{n} zeroes behind the footer"


def before(case, rng):
    path = rng.choice(case.files)
    if os.path.getsize(path) > 64 << 20:
        return None
    what = rng.choice((b"\xef\xbb\xbf", b"\xff\xfe", bytes(512), b"\n", b"\r\n"))
    with open(path, "rb") as f:
        data = f.read()
    with open(path, "wb") as f:
        f.write(what + data)
    return f"{what[:4].hex()} before {os.path.basename(path)}"


def flip(case, rng):
    """A bit of the header, or of what is near the begin, where the tables are."""
    path = rng.choice(case.files)
    size = os.path.getsize(path)
    at = rng.randrange(min(size, rng.choice((128, 512, 4096, 65536 * 5))))
    bit = 1 << rng.randrange(8)
    patch(path, at, bytes([read(path, at, 1)[0] ^ bit]))
    return f"bit {bit:#x} of byte {at} of {os.path.basename(path)}"


def flip_near_data(case, rng):
    """A bit of a byte that is not zero, anywhere in the first MiB."""
    path = rng.choice(case.files)
    data = read(path, 0, 1 << 20)
    places = [i for i in range(0, len(data), 8) if data[i:i + 8] != bytes(8)]
    if not places:
        return None
    at = rng.choice(places) + rng.randrange(8)
    if at >= len(data):
        return None
    patch(path, at, bytes([data[at] ^ 1 << rng.randrange(8)]))
    return f"a bit of byte {at} of {os.path.basename(path)}"


FIELDS = {
    "qcow2": ((4, ">I"), (8, ">Q"), (16, ">I"), (20, ">I"), (24, ">Q"), (32, ">I"), (36, ">I"), (40, ">Q"), (48, ">Q"),
              (56, ">I"), (60, ">I"), (64, ">Q"), (72, ">Q"), (80, ">Q"), (88, ">Q"), (96, ">I"), (100, ">I"),
              (104, ">B")),
    "vmdk": ((4, "<I"), (8, "<I"), (12, "<Q"), (20, "<Q"), (28, "<Q"), (36, "<Q"), (44, "<I"), (48, "<Q"), (56, "<Q"),
             (64, "<Q"), (72, "<B"), (73, "<I"), (77, "<H")),
    "vdi": ((0x44, "<I"), (0x48, "<I"), (0x4c, "<I"), (0x50, "<I"), (0x154, "<I"), (0x158, "<I"), (0x168, "<I"),
            (0x170, "<Q"), (0x178, "<I"), (0x17c, "<I"), (0x180, "<I"), (0x184, "<I"), (0x1a8, "<I"), (0x1b8, "<I")),
    "parallels": ((16, "<I"), (20, "<I"), (24, "<I"), (28, "<I"), (32, "<I"), (36, "<Q"), (44, "<I"), (48, "<I"),
                  (52, "<I"), (56, "<Q"), (64, "<I"), (68, "<I")),
    "vhd": ((8, ">I"), (12, ">I"), (16, ">Q"), (28, ">I"), (36, ">I"), (40, ">Q"), (48, ">Q"), (56, ">H"), (58, ">B"),
            (59, ">B"), (60, ">I"), (84, ">B")),
    "vhdx": ((0, "<Q"), (65536 + 8, "<Q"), (65536 + 48, "<Q"), (65536 + 64, "<H"), (65536 + 66, "<H"), (65536 + 68, "<I"),
             (131072 + 8, "<Q"), (196608 + 8, "<I"), (196608 + 16, "<Q"), (196608 + 32, "<Q"), (196608 + 40, "<I")),
}


def change(value, bits, rng):
    return rng.choice((0, 1, value + 1, value - 1, value * 2, value // 2, value ^ 1 << rng.randrange(bits),
                       (1 << bits) - 1, 1 << bits - 1)) & (1 << bits) - 1


def field(case, rng):
    """A field of the header."""
    kind = case.format.split("-")[0]
    if kind not in FIELDS:
        return None
    path = rng.choice(case.files)
    at, fmt = rng.choice(FIELDS[kind])
    if kind == "vmdk" and read(path, 0, 4) != b"KDMV":
        return None
    if kind == "vhd":
        return vhd_field(case, at, fmt, rng)
    size = struct.calcsize(fmt)
    old, = struct.unpack(fmt, read(path, at, size))
    new = change(old, size * 8, rng)
    patch(path, at, struct.pack(fmt, new))
    return f"{new:#x} instead of {old:#x} at {at} of {os.path.basename(path)}"


def table_entry(case, rng):
    """An entry of a table of clusters, grains or blocks: it names another place."""
    kind = case.format.split("-")[0]
    if kind == "qcow2":
        at, = struct.unpack(">Q", read(case.path, 40, 8))
        l2, = struct.unpack(">Q", read(case.path, at, 8))
        l2 &= 0x00fffffffffffe00
        at = rng.choice((at, l2 + 8 * rng.randrange(8), l2 + 16 * rng.randrange(8) + 8))
        fmt = ">Q"
    elif kind == "vhd":
        if case.format == "vhd-fixed":
            return None
        at, = struct.unpack(">Q", read(case.path, 512 + 16, 8))
        at, fmt = at + 4 * rng.randrange(4), ">I"
    elif kind == "vdi":
        at, = struct.unpack("<I", read(case.path, 0x154, 4))
        at, fmt = at + 4 * rng.randrange(4), "<I"
    elif kind == "vhdx":
        at = 3 << 20
        at, fmt = at + 8 * rng.randrange(4), "<Q"
    elif kind == "vmdk" and read(case.path, 0, 4) == b"KDMV":
        gd, = struct.unpack("<Q", read(case.path, 56, 8))
        if gd == 2 ** 64 - 1:
            return None
        gt, = struct.unpack("<I", read(case.path, gd * 512, 4))
        at, fmt = rng.choice((gd * 512, gt * 512 + 4 * rng.randrange(16))), "<I"
    else:
        return None
    size = struct.calcsize(fmt)
    data = read(case.path, at, size)
    if len(data) < size:
        return None
    old, = struct.unpack(fmt, data)
    new = change(old, size * 8, rng)
    patch(case.path, at, struct.pack(fmt, new))
    return f"the entry at {at}: {new:#x} instead of {old:#x}"


# --- VHD -----------------------------------------------------------------------------------------------------------

def seal_footers(path, edit):
    """Changes the footer, and the copy at the begin, and makes their checksums right."""
    size = os.path.getsize(path)
    places = [size - 512] + ([0] if read(path, 0, 8) == b"conectix" else [])
    for at in places:
        footer = bytearray(read(path, at, 512))
        edit(footer)
        footer[64:68] = bytes(4)
        footer[64:68] = struct.pack(">I", ~sum(footer) & 0xffffffff)
        patch(path, at, footer)


def vhd_field(case, at, fmt, rng):
    size = struct.calcsize(fmt)
    old, = struct.unpack(fmt, read(case.path, os.path.getsize(case.path) - 512 + at, size))
    new = change(old, size * 8, rng)

    def edit(footer):
        footer[at:at + size] = struct.pack(fmt, new)
    if rng.random() < 0.2:  # its checksum stays
        patch(case.path, os.path.getsize(case.path) - 512 + at, struct.pack(fmt, new))
    else:
        seal_footers(case.path, edit)
    return f"{new:#x} instead of {old:#x} at {at} of the footer"


def creator(case, rng):
    if not case.format.startswith("vhd-") and case.format != "vhd":
        return None
    name = rng.choice(CREATORS)

    def edit(footer):
        footer[28:32] = name
    seal_footers(case.path, edit)
    return f"made by {name!r}"


def geometry(case, rng):
    if not case.format.startswith("vhd-") and case.format != "vhd":
        return None
    chs = struct.pack(">HBB", rng.randrange(1, 65536), rng.randrange(1, 17), rng.randrange(1, 64))
    name = rng.choice(CREATORS)

    def edit(footer):
        footer[56:60] = chs
        footer[28:32] = name
    seal_footers(case.path, edit)
    return f"the geometry {chs.hex()}, made by {name!r}"


def vhd_bits(case, _rng):
    """Sectors of zeroes are not in use, as VirtualBox writes it: their bits are not set."""
    if case.format != "vhd":
        return None
    table, _, n, block = struct.unpack(">QIII", read(case.path, 512 + 16, 20))
    cleared = 0
    for sector in struct.unpack(f">{n}I", read(case.path, table, 4 * n)):
        if sector == 0xffffffff:
            continue
        data = read(case.path, sector * 512 + 512, block)
        bits = bytearray(read(case.path, sector * 512, 512))
        for k in range(block // 512):
            if data[k * 512:k * 512 + 512] == bytes(512):
                bits[k // 8] &= ~(0x80 >> k % 8)
                cleared += 1
        patch(case.path, sector * 512, bits)
    return f"{cleared} sectors are not in use"


def vhdx_one_header(case, rng):
    """The older header is damaged: the newer one counts."""
    if not case.format.startswith("vhdx"):
        return None
    first, = struct.unpack("<Q", read(case.path, 65536 + 8, 8))
    second, = struct.unpack("<Q", read(case.path, 131072 + 8, 8))
    at = 65536 if first < second else 131072
    patch(case.path, at + rng.randrange(4096), b"\x5a")
    return f"the header at {at} is damaged"


# --- descriptors ------------------------------------------------------------------------------------------------------

def edit_descriptor(case, edit):
    if not case.format.startswith("vmdk"):
        return None
    data = read(case.path, 0, 65536)
    embedded = data[:4] == b"KDMV"
    if embedded:
        at, n = struct.unpack_from("<QQ", data, 28)
        if not at or not n:
            return None
        at, room = at * 512, n * 512
        text = read(case.path, at, room).split(b"\0")[0].decode("latin-1")
    else:
        text = data.decode("latin-1")
    lines = text.split("\n")
    extents = [i for i, line in enumerate(lines) if line.split(" ")[0] in ("RW", "RDONLY")]
    if not extents:
        return None
    what = edit(lines, extents)
    if what is None:
        return None
    new = "\n".join(lines).encode("latin-1")
    if not embedded:
        with open(case.path, "wb") as f:
            f.write(new)
    elif len(new) <= room:
        patch(case.path, at, new.ljust(room, b"\0"))
    else:
        return None
    return what


def extent_line(case, rng):
    """A line that names an extent is changed."""
    def edit(lines, extents):
        i = rng.choice(extents)
        words = lines[i].split(" ")
        how = rng.choice(("size", "offset", "drop", "twice", "kind", "access", "name", "lower", "words"))
        if how == "size":
            words[1] = str(max(0, change(int(words[1]), 32, rng)))
        elif how == "offset" and len(words) > 4:
            words[4] = str(rng.choice((1, 2, 63, 2 ** 40)))
        elif how == "drop":
            del lines[i]
            return "an extent is dropped"
        elif how == "twice":
            lines.insert(i, lines[i])
            return "an extent is there twice"
        elif how == "kind":
            words[2] = rng.choice(("FLAT", "SPARSE", "ZERO", "VMFS", "VMFSSPARSE", "VMFSTHIN", "SESPARSE", "VMFSRDM"))
        elif how == "access":
            words[0] = rng.choice(("NOACCESS", "WO", "rw", ""))
        elif how == "name" and len(words) > 3:
            words[3] = rng.choice(('"other.vmdk"', '"../disk.vmdk"', '""', "disk.vmdk", '"disk.vmdk"'))
        elif how == "lower":
            lines[i] = lines[i].lower()
            return "an extent in lower case"
        else:
            words.append("extra")
        lines[i] = " ".join(words)
        return f"an extent: {lines[i]}"
    return edit_descriptor(case, edit)


def swap_lines(case, rng):
    def edit(lines, extents):
        if len(extents) < 2:
            return None
        a, b = rng.sample(extents, 2)
        lines[a], lines[b] = lines[b], lines[a]
        return "two extents change places"
    return edit_descriptor(case, edit)


def read_only(case, _rng):
    def edit(lines, extents):
        for i in extents:
            if lines[i].startswith("RW "):
                lines[i] = "RDONLY " + lines[i][3:]
        return "the extents are read-only"
    return edit_descriptor(case, edit)


def blank_lines(case, rng):
    def edit(lines, extents):
        i = rng.choice(extents)
        lines.insert(i, rng.choice(("", "# a comment", "   ", "\t")))
        return "a blank line, or a comment, before an extent"
    return edit_descriptor(case, edit)


def line_ends(case, _rng):
    def edit(lines, _extents):
        for i, line in enumerate(lines[:-1]):
            lines[i] = line + "\r"
        return "lines end with CR LF"
    return edit_descriptor(case, edit)


def parent(case, rng):
    def edit(lines, _extents):
        for i, line in enumerate(lines):
            if line.startswith("parentCID="):
                lines[i] = "parentCID=" + rng.choice(("12345678", "fffffffe"))
                return "it has a parent"
        return None
    return edit_descriptor(case, edit)


def swap_files(case, rng):
    if len(case.files) < 3:
        return None
    a, b = rng.sample(case.files[1:], 2)
    os.rename(a, a + ".tmp")
    os.rename(b, a)
    os.rename(a + ".tmp", b)
    return f"{os.path.basename(a)} and {os.path.basename(b)} change names"


def lose_file(case, rng):
    if len(case.files) < 2:
        return None
    path = rng.choice(case.files[1:])
    os.unlink(path)
    case.files.remove(path)
    return f"{os.path.basename(path)} is not there"


# --- names, archives ------------------------------------------------------------------------------------------------------

def rename(case, rng):
    new = rng.choice(("other" + os.path.splitext(case.path)[1], "disk",
                      "disk.img", "disk.vmdk", "disk.qcow2", "a b\u00e9.vmdk"))
    path = os.path.join(os.path.dirname(case.path), new)
    if path in case.files:
        return None
    os.rename(case.path, path)
    case.files[0] = case.path = path
    return f"it is named {new}"


def compress(case, rng):
    if len(case.files) > 1 or os.path.getsize(case.path) > 64 << 20:
        return None
    with open(case.path, "rb") as f:
        data = f.read()
    how = rng.choice(("gz", "xz", "bz2", "zip"))
    path = f"{case.path}.{how}"
    if how == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
            z.writestr(os.path.basename(case.path), data)
    else:
        pack = {"gz": lambda d: gzip.compress(d, 1), "xz": lambda d: lzma.compress(d, preset=0), "bz2": bz2.compress}[how]
        with open(path, "wb") as f:
            f.write(pack(data))
    os.unlink(case.path)
    case.files[0] = case.path = path
    if rng.random() < 0.2:
        os.truncate(path, os.path.getsize(path) * 2 // 3)
        return f"{how}, cut off"
    case.must_convert = True
    return how


def declared(case, rng):
    """The job names a format: often not the image's."""
    case.declared = rng.choice(("raw", "qcow2", "vmdk", "vdi", "vhd", "vhdx"))
    return f"the job says that it is {case.declared}"


def first_sector(case, _rng):
    patch(case.path, 0, bytes(512))
    return "the first sector is gone"


LEGAL = (none, pad_footer, creator, vhd_bits, geometry, vhdx_one_header, read_only, blank_lines)
OTHERS = (cut, cut, cut, cut, cut_last, pad, before, flip, flip, flip_near_data, flip_near_data, field, field, field,
          table_entry, table_entry, extent_line, extent_line, swap_lines, line_ends, parent, swap_files, lose_file, rename, compress,
          declared, first_sector)
