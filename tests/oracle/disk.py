# SPDX-License-Identifier: LGPL-2.1-or-later
"""A disk as a guest sees it: its size, and the pieces of it that are not zero."""

import hashlib
import os
import random

PIECE = 65536
ZEROES = bytes(PIECE)


class Invalid(Exception):
    """The image holds no disk, as its format's specification reads it."""


class Disk:
    def __init__(self, size):
        self.size = size
        self.pieces = {}

    def put(self, offset, data):
        """Writes what is inside the disk; what lies behind its end does not count."""
        data = data[:max(0, self.size - offset)]
        at = 0
        while at < len(data):
            index, inside = divmod(offset + at, PIECE)
            part = data[at:at + PIECE - inside]
            at += len(part)
            old = self.pieces.get(index)
            if old is None:
                if part == ZEROES[:len(part)]:
                    continue
                old = ZEROES
            new = old[:inside] + part + old[inside + len(part):]
            if new == ZEROES:
                self.pieces.pop(index, None)
            else:
                self.pieces[index] = new

    def __eq__(self, other):
        return self.size == other.size and self.pieces == other.pieces

    def difference(self, other):
        if self.size != other.size:
            return f"{self.size} bytes instead of {other.size}"
        for index in sorted(set(self.pieces) | set(other.pieces)):
            a, b = self.pieces.get(index, ZEROES), other.pieces.get(index, ZEROES)
            if a != b:
                at = next(i for i in range(PIECE) if a[i] != b[i])
                return f"another byte at {index * PIECE + at}"
        return "none"

    def write_raw(self, path):
        with open(path, "wb") as f:
            f.truncate(self.size)
            for index, data in self.pieces.items():
                f.seek(index * PIECE)
                f.write(data[:self.size - index * PIECE])

    def padded(self):
        """A disk of whole sectors."""
        d = Disk((self.size + 511) // 512 * 512)
        d.pieces = self.pieces
        return d


def blob(seed, size):
    return random.Random(seed).randbytes(size)


def partition_table(size):
    """A boot sector with one partition, so that a raw disk is known as one."""
    sector = bytearray(512)
    first = min(63, size // 512 - 1)
    entry = bytes([0x80, 1, 1, 0, 0x83, 15, 63, 10]) + first.to_bytes(4, "little")
    sector[446:462] = entry + max(1, min(size // 512 - first, 0xffffffff)).to_bytes(4, "little")
    sector[510:512] = b"\x55\xaa"
    return bytes(sector)


PATTERNS = ("ends", "full", "text", "sparse", "last")


def make(size, pattern, seed):
    """A disk with a partition table, and data as @pattern says."""
    d = Disk(size)
    some = min(size, 200000)
    if pattern == "ends":
        d.put(0, blob(f"{seed}a", some))
        d.put(size - some, blob(f"{seed}z", some))
    elif pattern == "full":
        d.put(0, blob(f"{seed}f", min(size, 3 << 20)))
        d.put(max(0, size - (1 << 20)), blob(f"{seed}F", min(size, 1 << 20)))
    elif pattern == "text":
        line = hashlib.sha256(str(seed).encode()).hexdigest().encode() + b"\n"
        d.put(0, line * (min(size, 2 << 20) // len(line) + 1))
        d.put(size - some, (line * (some // len(line) + 1))[:some])
    elif pattern == "sparse":
        rng = random.Random(seed)
        for _ in range(24):
            d.put(rng.randrange(max(1, size // 512)) * 512, blob(rng.random(), rng.choice((1, 512, 4096, 70000))))
    d.put(size - 512, blob(f"{seed}l", 512))
    d.put(0, partition_table(size))
    return d


class Reader:
    """A file, of which nothing behind its end can be read."""

    def __init__(self, path, offset=0, length=None):
        self.fd = os.open(path, os.O_RDONLY)
        self.path, self.offset = path, offset
        self.length = os.fstat(self.fd).st_size - offset if length is None else length

    def __del__(self):
        if getattr(self, "fd", -1) >= 0:
            os.close(self.fd)

    def read(self, at, size):
        if at < 0 or at + size > self.length:
            raise Invalid(f"{os.path.basename(self.path)}: {size} bytes at {at} are behind the end, {self.length}")
        return os.pread(self.fd, size, self.offset + at)

    def data(self, start, end):
        """The runs of data between two places, as (place, bytes)."""
        at = start
        end = min(end, self.length)
        while at < end:
            try:
                at = max(at, os.lseek(self.fd, self.offset + at, os.SEEK_DATA) - self.offset)
            except OSError:
                return
            if at >= end:
                return
            stop = min(end, os.lseek(self.fd, self.offset + at, os.SEEK_HOLE) - self.offset)
            while at < stop:
                size = min(1 << 20, stop - at)
                yield at, os.pread(self.fd, size, self.offset + at)
                at += size

    def copy(self, disk, at, size, to):
        """Puts what is at @at into the disk; all of it must be there."""
        if at < 0 or at + size > self.length:
            raise Invalid(f"{size} bytes at {at} are behind the end, {self.length}")
        for place, data in self.data(at, at + size):
            disk.put(to + place - at, data)
