/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the headers of an image say about other files, read before qemu opens it. */

#include <endian.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "job/image.h"
#include "job/safe-open.h"
#include "shared/vmdk-descriptor.h"

#define HEADER_SIZE 512u
#define SECTOR 512u

static uint32_t be32(const char *p) {
        uint32_t v;
        memcpy(&v, p, sizeof(v));
        return be32toh(v);
}

static uint64_t be64(const char *p) {
        uint64_t v;
        memcpy(&v, p, sizeof(v));
        return be64toh(v);
}

static uint32_t le32(const char *p) {
        uint32_t v;
        memcpy(&v, p, sizeof(v));
        return le32toh(v);
}

static uint64_t le64(const char *p) {
        uint64_t v;
        memcpy(&v, p, sizeof(v));
        return le64toh(v);
}

/* --- qcow2: docs/interop/qcow2.txt in qemu ------------------------------------------------------------ */

static int check_qcow2(const char *header, char **ret_error) {
        uint32_t version = be32(header + 4);

        if (version != 2 && version != 3)
                return refuse(ret_error, "it is qcow2 of version %u, 2 and 3 are supported", version);
        if (be64(header + 8) != 0)
                return refuse(ret_error,
                                "it has a backing file, which will not be opened: make it independent first "
                                "(qemu-img convert, or qemu-img rebase -b \"\")");
        if (be32(header + 32) != 0)
                return refuse(ret_error, "it is encrypted: decrypt it first (qemu-img convert)");
        if (version == 3 && (be64(header + 72) & UINT64_C(4)))
                return refuse(ret_error,
                                "it has an external data file, which will not be opened: make it "
                                "independent first (qemu-img convert)");
        return 0;
}

/* --- vmdk: "Virtual Disk Format 5.0" ------------------------------------------------------------------ */

static int check_parent(const VmdkDescriptor *d, char **ret_error) {
        if (!d->parent)
                return 0;
        return refuse(ret_error,
                        "it is a snapshot on top of another disk, which will not be opened: consolidate the "
                        "machine's snapshots first");
}

/* A sparse extent's header. Without a capacity qemu takes the descriptor inside as if it were a file of its
 * own, and opens what that names. */
static int check_sparse_header(
                int fd, const char *header, uint64_t offset, uint64_t length, char **ret_error) {
        if (le64(header + 12) == 0)
                return refuse(ret_error, "its header claims a capacity of 0");

        uint64_t at = le64(header + 28), n = le64(header + 36);
        if (at == 0 || n == 0)
                return 0;
        if (n > VMDK_DESCRIPTOR_MAX / SECTOR)
                n = VMDK_DESCRIPTOR_MAX / SECTOR;
        if (at > length / SECTOR || n > length / SECTOR - at)
                return refuse(ret_error, "the descriptor inside is behind its end: it is cut off");
        _cleanup_free_ char *text = malloc(n * SECTOR), *why = NULL;
        if (!text)
                return -ENOMEM;
        int r = pread_full(fd, text, n * SECTOR, offset + at * SECTOR);
        if (r < 0)
                return r;
        size_t size = strnlen(text, n * SECTOR);
        if (!vmdk_is_descriptor(text, size))
                return size == 0 ? 0 : refuse(ret_error, "the descriptor inside is not one");
        _cleanup_(vmdk_descriptor_done) VmdkDescriptor d = {};
        r = vmdk_descriptor_parse(text, size, &d, &why);
        if (r == -EBADMSG)
                return refuse(ret_error, "the descriptor inside: %s", strna(why));
        return r < 0 ? r : check_parent(&d, ret_error);
}

static int check_extent_header(int fd, uint64_t length, char **ret_error) {
        char header[HEADER_SIZE];

        if (length < sizeof(header))
                return 0;
        int r = pread_full(fd, header, sizeof(header), 0);
        if (r < 0)
                return r;
        return memcmp(header, "KDMV", 4) == 0 ? check_sparse_header(fd, header, 0, length, ret_error) : 0;
}

static int check_extent(Image *i, const char *name, char *const *visible, char **ret_error) {
        _cleanup_free_ char *path = NULL, *why = NULL;
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        if (!vmdk_extent_name_is_plain(name))
                return refuse(ret_error, "it names \"%s\", which is no plain file beside it", name);
        path = strprintf("%.*s/%s", (int) (strrchr(i->path, '/') - i->path), i->path, name);
        if (!path)
                return -ENOMEM;
        int r = open_regular(path, &fd, &st);
        if (r == -ENOENT) {
                *ret_error = strprintf("%s, which it is made of, is not there", path);
                return *ret_error ? -ENOENT : -ENOMEM;
        }
        if (r == -ELOOP || r == -EISDIR || r == -ENOTBLK)
                return refuse(ret_error, "it names \"%s\", which is no plain file", name);
        if (r < 0)
                return r;
        if (!strv_contains(visible, path))
                return refuse(ret_error, "it names \"%s\", which was not part of it when the job began",
                                name);
        r = check_extent_header(fd, (uint64_t) st.st_size, &why);
        if (r == -EBADMSG)
                return refuse(ret_error, "%s: %s", name, strna(why));
        return r < 0 ? r : strv_consume(&i->extents, TAKE_PTR(path));
}

static int check_descriptor_file(int fd, Image *i, char *const *visible, char **ret_error) {
        _cleanup_(vmdk_descriptor_done) VmdkDescriptor d = {};
        _cleanup_free_ char *text = NULL, *why = NULL;

        if (!i->whole)
                return refuse(ret_error, "it is in several files, which is not supported inside an OVA");
        if (i->length > VMDK_DESCRIPTOR_MAX)
                return refuse(ret_error, "its descriptor is longer than %d bytes", VMDK_DESCRIPTOR_MAX);
        text = malloc(i->length);
        if (!text)
                return -ENOMEM;
        int r = pread_full(fd, text, i->length, 0);
        if (r < 0)
                return r;
        r = vmdk_descriptor_parse(text, i->length, &d, &why);
        if (r == -EBADMSG)
                return refuse(ret_error, "its descriptor: %s", strna(why));
        if (r >= 0)
                r = check_parent(&d, ret_error);
        if (r < 0)
                return r;
        STRV_FOREACH(name, d.extents) {
                r = check_extent(i, *name, visible, ret_error);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_vmdk(int fd, Image *i, const char *header, char *const *visible, char **ret_error) {
        if (vmdk_is_descriptor(header, MIN(i->length, (uint64_t) HEADER_SIZE)))
                return check_descriptor_file(fd, i, visible, ret_error);
        if (memcmp(header, "KDMV", 4) == 0)
                return check_sparse_header(fd, header, i->offset, i->length, ret_error);
        return 0;
}

/* --- vhd: "Virtual Hard Disk Image Format Specification" ---------------------------------------------- */

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
        if (be32(p + 60) == 4)
                return refuse(ret_error,
                                "it is a differencing disk on top of another one, which will not be opened: "
                                "merge it first");
        return 0;
}

/* --- vdi: the header of VirtualBox, as block/vdi.c in qemu reads it ----------------------------------- */

static int check_vdi(const Image *i, const char *header, char **ret_error) {
        uint32_t type = le32(header + 0x4c);
        uint64_t data = le32(header + 0x158), block = le32(header + 0x178), n = le32(header + 0x184);

        if (type != 1 && type != 2)
                return refuse(ret_error,
                                "it is a snapshot on top of another disk, which will not be opened: clone the "
                                "machine first");
        /* qemu would read zeroes behind the end. Both factors have 32 bits. */
        if (n > 0 && (data > i->length || block * n > i->length - data))
                return refuse(ret_error, "it is cut off: its header speaks of more bytes than it has");
        return 0;
}

int image_check_header(int fd, Image *i, char *const *visible, char **ret_error) {
        char header[HEADER_SIZE] = {};

        int r = pread_full(fd, header, (size_t) MIN(i->length, (uint64_t) sizeof(header)), i->offset);
        if (r < 0)
                return r;
        switch (i->format) {
        case FORMAT_QCOW2:
                return check_qcow2(header, ret_error);
        case FORMAT_VMDK:
                return check_vmdk(fd, i, header, visible, ret_error);
        case FORMAT_VHD:
                return check_vhd(fd, i, ret_error);
        case FORMAT_VDI:
                return check_vdi(i, header, ret_error);
        default:
                return 0;
        }
}
