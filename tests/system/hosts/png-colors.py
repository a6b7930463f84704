#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""png-colors.py <PNG: print the colors in the middle of the left and of the right half of an image in RGB, 8 bits."""

import struct
import sys
import zlib

data = sys.stdin.buffer.read()
width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
assert (depth, kind) == (8, 2), (depth, kind)
at, packed = 8, b""
while at < len(data):
    size, name = struct.unpack(">I4s", data[at : at + 8])
    body = data[at + 8 : at + 8 + size]
    assert zlib.crc32(name + body) == struct.unpack(">I", data[at + 8 + size : at + 12 + size])[0], name
    if name == b"IDAT":
        packed += body
    at += 12 + size
raw = zlib.decompress(packed)
assert len(raw) == (width * 3 + 1) * height


def paeth(a, b, c):
    p = a + b - c
    return min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]


row = bytearray(width * 3)
for y in range(height // 2 + 1):
    line = raw[y * (width * 3 + 1) :][: width * 3 + 1]
    above, row = row, bytearray(line[1:])
    for x in range(width * 3):
        left, corner = (row[x - 3], above[x - 3]) if x >= 3 else (0, 0)
        guesses = (0, left, above[x], (left + above[x]) // 2, paeth(left, above[x], corner))
        row[x] = (row[x] + guesses[line[0]]) & 255
print(*(",".join(str(c) for c in row[x * 3 : x * 3 + 3]) for x in (width // 4, width * 3 // 4)))
