/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the headers of an image say about other files, read before qemu opens it. */

#include <sys/stat.h>

#include "basic/byte-order.h"
#include "basic/fd-util.h"
#include "basic/safe-open.h"
#include "basic/string-util.h"
#include "image/image-header.h"
#include "image/image-vmdk.h"
#include "image/parallels.h"
#include "image/refusal.h"

#define HEADER_SIZE 512u

/* --- qcow2: docs/interop/qcow2.txt in qemu --------------------------------------------------------- */

static int check_qcow2(const Image *i, const char *header, char **ret_error) {
        uint32_t version = read_be32(header + 4);

        if (version != 2 && version != 3)
                return refuse(ret_error, "it is qcow2 of version %u, 2 and 3 are supported", version);
        if (read_be64(header + 8) != 0 && !i->flatten)
                return refuse(ret_error, "it has a backing file, which is not opened: " CHAIN_REMEDY);
        if (read_be32(header + 32) != 0)
                return refuse(ret_error, "it is encrypted: decrypt it first (qemu-img convert)");
        if (version == 3 && (read_be64(header + 72) & UINT64_C(4)))
                return refuse(ret_error,
                                "it has an external data file, which will not be opened: make it "
                                "independent first (qemu-img convert)");
        return 0;
}

/* --- vhd: "Virtual Hard Disk Image Format Specification" ------------------------------------------- */

static int check_vhd(int fd, const Image *i, char **ret_error) {
        char footer[HEADER_SIZE];
        const char *p = footer;

        if (i->length < sizeof(footer))
                return refuse(ret_error, "it is shorter than a VHD's footer");
        int r = pread_full(fd, footer, sizeof(footer), i->offset + i->length - sizeof(footer));
        if (r < 0)
                return r;
        if (memcmp(p, "conectix", 8) != 0 && memcmp(++p, "conectix", 8) != 0)
                return refuse(ret_error, "it does not end with a VHD's footer: it is cut off");
        if (read_be32(p + 60) == 4 && !i->flatten)
                return refuse(ret_error,
                                "it is a differencing disk on top of another one, which is not "
                                "opened: " CHAIN_REMEDY);
        return 0;
}

/* --- vdi: the header of VirtualBox, as block/vdi.c in qemu reads it -------------------------------- */

static int check_vdi(const Image *i, const char *header, char **ret_error) {
        uint32_t type = read_le32(header + 0x4c);
        uint64_t data = read_le32(header + 0x158), block = read_le32(header + 0x178),
                 n = read_le32(header + 0x184);

        if (type != 1 && type != 2)
                return refuse(ret_error,
                                "it is a snapshot on top of another disk, which will not be opened: clone "
                                "the "
                                "machine first");
        /* qemu would read zeroes behind the end. Both factors have 32 bits. */
        if (n > 0 && (data > i->length || block * n > i->length - data))
                return refuse(ret_error, "it is cut off: its header speaks of more bytes than it has");
        return 0;
}

/* --- parallels ------------------------------------------------------------------------------------- */

static int read_descriptor(const char *path, char **ret, size_t *ret_size) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *text = NULL;
        struct stat st;

        int r = open_regular(path, &fd, &st);
        if (r < 0)
                return r;
        size_t size = (size_t) MIN((uint64_t) st.st_size, (uint64_t) PARALLELS_DESCRIPTOR_MAX + 1);
        text = malloc(size + 1);
        if (!text)
                return -ENOMEM;
        r = pread_full(fd, text, size, 0);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(text);
        *ret_size = size;
        return 0;
}

static int check_parallels(Image *i, char *const *visible, char **ret_error) {
        const char *slash = strrchr(i->path, '/');
        _cleanup_free_ char *path = strprintf(
                                            "%.*s/" PARALLELS_DESCRIPTOR, (int) (slash - i->path), i->path),
                            *text = NULL;
        size_t size;

        if (!path)
                return -ENOMEM;
        if (i->whole && strv_contains(visible, path)) {
                int r = read_descriptor(path, &text, &size);
                if (r >= 0)
                        r = parallels_check_descriptor(text, size, slash + 1, ret_error);
                return r < 0 ? r : strv_consume(&i->extents, TAKE_PTR(path));
        }
        return i->format_given ? 0
                               : refuse(ret_error,
                                                 "without " PARALLELS_DESCRIPTOR " beside it nothing says "
                                                 "whether it is a whole disk or a snapshot: if it is whole, "
                                                 "give its format, parallels");
}

int image_check_header(int fd, Image *i, char *const *visible, char **ret_error) {
        char header[HEADER_SIZE] = {};

        int r = pread_full(fd, header, (size_t) MIN(i->length, (uint64_t) sizeof(header)), i->offset);
        if (r < 0)
                return r;
        switch (i->format) {
        case FORMAT_QCOW2:
                return check_qcow2(i, header, ret_error);
        case FORMAT_VMDK:
                return image_check_vmdk(fd, i, header, visible, ret_error);
        case FORMAT_VHD:
                return check_vhd(fd, i, ret_error);
        case FORMAT_VDI:
                return check_vdi(i, header, ret_error);
        case FORMAT_PARALLELS:
                return check_parallels(i, visible, ret_error);
        default:
                return 0;
        }
}
