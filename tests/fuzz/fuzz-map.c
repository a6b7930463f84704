/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The tables of an image in any state: reading them ends, and what is accepted is inside the file. The input
 * is a format (1 byte), the size of the file (3 bytes), then patches of a file of zeroes: 4 bytes where (in
 * units of 8 bytes), 8 bytes what. The checksums of VHDX are made right, else nothing would get past
 * them. */

#include <endian.h>
#include <sys/mman.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "fuzz.h"
#include "image/map.h"

#define FILE_MAX (UINT64_C(16) << 20)

static uint64_t number(const uint8_t *p, size_t size) {
        uint64_t n = 0;

        for (size_t i = 0; i < size; i++)
                n = n << 8 | p[i];
        return n;
}

static void seal(uint8_t *image, uint64_t length, uint64_t at, size_t size) {
        uint32_t crc = 0xffffffff;

        if (at + size > length)
                return;
        memset(image + at + 4, 0, 4);
        for (size_t i = 0; i < size; i++) {
                crc ^= image[at + i];
                for (int k = 0; k < 8; k++)
                        crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
        }
        crc = htole32(~crc);
        memcpy(image + at + 4, &crc, 4);
}

static void patch(uint8_t *image, uint64_t length, const uint8_t *data, size_t size) {
        for (size_t i = 0; i + 12 <= size; i += 12) {
                uint64_t at = number(data + i, 4) * 8;
                if (at + 8 <= length)
                        memcpy(image + at, data + i + 4, 8);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const DiskFormat formats[] = { FORMAT_QCOW2, FORMAT_VMDK, FORMAT_VHD, FORMAT_VHDX, FORMAT_VDI,
                FORMAT_PARALLELS };
        _cleanup_close_ int fd = memfd_create("image", MFD_CLOEXEC);
        _cleanup_free_ char *why = NULL;
        Map map;

        if (size < 4 || fd < 0)
                return 0;
        DiskFormat format = formats[data[0] % ELEMENTSOF(formats)];
        uint64_t length = number(data + 1, 3) % FILE_MAX;
        if (ftruncate(fd, (off_t) length) < 0 || length == 0)
                return 0;
        uint8_t *image = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (image == MAP_FAILED)
                return 0;
        patch(image, length, data + 4, size - 4);
        if (format == FORMAT_VHDX) {
                seal(image, length, 65536, 4096);
                seal(image, length, 196608, 65536);
        }
        MapFile file = { .fd = fd, .length = length, .cancel_fd = -1 };
        int r = map_walk(format, &file, &map, &why);
        if (r == -EBADMSG ? !why : r >= 0 && (map.end > length || map.length > length))
                abort();
        munmap(image, length);
        return 0;
}
