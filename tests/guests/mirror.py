#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""mirror.py FILE-SYSTEM MEMBER MEMBER: makes images of the members of an md array (RAID 1, metadata 1.2) that
contains FILE-SYSTEM, without md of the kernel. mdadm --examine verifies them."""

import struct
import sys

OFFSET = 2048  # of the data, in sectors
ARRAY_UUID = bytes(range(16))


def superblock(number, sectors):
    s = bytearray(264)
    struct.pack_into("<4I16s32s", s, 0, 0xA92B4EFC, 1, 0, 0, ARRAY_UUID, b"guest:0")
    struct.pack_into("<QIIQII", s, 64, 1, 1, 0, sectors, 0, 2)
    struct.pack_into("<QQQQII16s", s, 128, OFFSET, sectors, 8, 0, number, 0, bytes([number + 1]) * 16)
    struct.pack_into("<QQQII", s, 192, 1, 1, 0xFFFFFFFFFFFFFFFF, 0, 4)
    struct.pack_into("<4H", s, 256, 0, 1, 0xFFFF, 0xFFFF)
    total = sum(struct.unpack("<66I", s))
    struct.pack_into("<I", s, 216, ((total & 0xFFFFFFFF) + (total >> 32)) & 0xFFFFFFFF)
    return s


with open(sys.argv[1], "rb") as f:
    data = f.read()
for i, path in enumerate(sys.argv[2:4]):
    with open(path, "wb") as f:
        f.seek(4096)
        f.write(superblock(i, len(data) // 512))
        f.seek(OFFSET * 512)
        f.write(data)
