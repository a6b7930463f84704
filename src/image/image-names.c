/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>

#include "basic/byte-order.h"
#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "basic/utf8.h"
#include "image/hyperv-names.h"
#include "image/image-names.h"
#include "image/vmdk-embedded.h"

#define HEADER_SIZE 512u

static int complain(char **ret_error, const char *format, ...) _printf_(2, 3);
static int complain(char **ret_error, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        *ret_error = utf8_vprintf(format, ap);
        va_end(ap);
        return *ret_error ? -EBADMSG : -ENOMEM;
}

/* --- vmdk ------------------------------------------------------------------------------------------ */

static char *cid_text(uint32_t cid) {
        return strprintf("CID %08" PRIx32, cid);
}

static int from_descriptor(const VmdkDescriptor *d, bool with_files, ImageNames *n) {
        int r = with_files ? vmdk_descriptor_files(d, &n->files) : 0;

        if (r >= 0 && d->parent)
                r = strv_extend(&n->parents, d->parent);
        if (r < 0)
                return r;
        n->has_parent = vmdk_descriptor_has_parent(d);
        n->parent_format = FORMAT_VMDK;
        n->id = d->has_cid ? cid_text(d->cid) : NULL;
        n->parent_id = n->has_parent ? cid_text(d->parent_cid) : NULL;
        return (d->has_cid && !n->id) || (n->has_parent && !n->parent_id) ? -ENOMEM : 0;
}

static int read_descriptor(int fd, uint64_t size, ImageNames *n, char **ret_error) {
        _cleanup_(vmdk_descriptor_done) VmdkDescriptor d = {};
        _cleanup_free_ char *text = NULL, *why = NULL;

        if (size > VMDK_DESCRIPTOR_MAX)
                return complain(ret_error, "its descriptor is longer than %zu bytes", VMDK_DESCRIPTOR_MAX);
        text = malloc(size + 1);
        if (!text)
                return -ENOMEM;
        int r = pread_full(fd, text, size, 0);
        if (r < 0)
                return r;
        r = vmdk_descriptor_parse(text, size, &d, &why);
        if (r == -EBADMSG)
                return complain(ret_error, "its descriptor: %s", strna(why));
        return r < 0 ? r : from_descriptor(&d, true, n);
}

static int read_embedded(int fd, const char *header, uint64_t size, ImageNames *n, char **ret_error) {
        _cleanup_(vmdk_descriptor_done) VmdkDescriptor d = {};

        int r = vmdk_embedded_read(fd, header, 0, size, &d, ret_error);
        return r <= 0 ? r : from_descriptor(&d, false, n);
}

/* --- qcow2: docs/interop/qcow2.txt in qemu --------------------------------------------------------- */

#define QCOW2_NAME_MAX 1023u
#define QCOW2_HEADER_MAX 65536u
#define EXTENSION_BACKING_FORMAT UINT32_C(0xe2792aca)

static int take_backing_format(const char *name, size_t size, ImageNames *n, char **ret_error) {
        _cleanup_free_ char *copy = strndup(name, size);

        if (!copy)
                return -ENOMEM;
        n->parent_format = disk_format_from_string(copy);
        if (n->parent_format > FORMAT_PROBE && n->parent_format != FORMAT_OVA)
                return 0;
        return complain(ret_error, "its backing file is of format \"%.32s\", which is not supported",
                        utf8_is_valid(copy) ? copy : "?");
}

/* The header's extensions lie between its end and the backing file's name. */
static int read_backing_format(const char *header, size_t from, size_t to, ImageNames *n, char **ret_error) {
        while (from + 8 <= to) {
                uint32_t type = read_be32(header + from), size = read_be32(header + from + 4);

                from += 8;
                if (type == 0 || size > to - from)
                        return 0;
                if (type == EXTENSION_BACKING_FORMAT)
                        return take_backing_format(header + from, size, n, ret_error);
                from += (size + 7) / 8 * 8;
        }
        return 0;
}

static int read_qcow2(int fd, const char *h, uint64_t size, ImageNames *n, char **ret_error) {
        uint64_t at = read_be64(h + 8), length = read_be32(h + 16),
                 start = read_be32(h + 4) >= 3 ? read_be32(h + 100) : 72;
        _cleanup_free_ char *header = NULL;

        if (at == 0)
                return 0;
        if (length == 0 || length > QCOW2_NAME_MAX || at > QCOW2_HEADER_MAX - length || at + length > size)
                return complain(ret_error,
                                "its header gives the name of its backing file a place where it "
                                "cannot be");
        header = malloc(at + length + 1);
        if (!header)
                return -ENOMEM;
        int r = pread_full(fd, header, at + length, 0);
        if (r < 0)
                return r;
        header[at + length] = 0;
        if (strlen(header + at) != length || !utf8_is_valid(header + at))
                return complain(ret_error, "the name of its backing file is not UTF-8");
        n->has_parent = true;
        r = strv_extend(&n->parents, header + at);
        return r < 0 ? r : read_backing_format(header, start, at, n, ret_error);
}

/* --- all of them ----------------------------------------------------------------------------------- */

static bool has_vhd_footer(int fd, uint64_t size) {
        char cookie[8];

        return size >= 512 && pread_full(fd, cookie, sizeof(cookie), size - 512) >= 0 &&
                        memcmp(cookie, "conectix", sizeof(cookie)) == 0;
}

static int find_format(int fd, const char *header, size_t n, uint64_t size) {
        if (memcmp(header, "QFI\xfb", 4) == 0)
                return FORMAT_QCOW2;
        if (memcmp(header, "KDMV", 4) == 0 || vmdk_is_descriptor(header, n))
                return FORMAT_VMDK;
        if (memcmp(header, "vhdxfile", 8) == 0)
                return FORMAT_VHDX;
        return has_vhd_footer(fd, size) ? FORMAT_VHD : FORMAT_RAW;
}

int image_names_read(int fd, uint64_t size, int format, ImageNames *ret, char **ret_error) {
        _cleanup_image_names_ ImageNames n = { .format = FORMAT_RAW, .parent_format = FORMAT_PROBE };
        char header[HEADER_SIZE] = {};
        size_t got = (size_t) MIN(size, (uint64_t) sizeof(header));

        int r = pread_full(fd, header, got, 0);
        if (r < 0)
                return r;
        int found = find_format(fd, header, got, size);
        if (format == FORMAT_PROBE || format == found)
                n.format = found;
        if (n.format == FORMAT_QCOW2)
                r = read_qcow2(fd, header, size, &n, ret_error);
        else if (n.format == FORMAT_VHD)
                r = vhd_names_read(fd, size, &n, ret_error);
        else if (n.format == FORMAT_VHDX)
                r = vhdx_names_read(fd, size, &n, ret_error);
        else if (n.format == FORMAT_VMDK)
                r = memcmp(header, "KDMV", 4) == 0 ? read_embedded(fd, header, size, &n, ret_error)
                                                   : read_descriptor(fd, size, &n, ret_error);
        if (r < 0)
                return r;
        *ret = n;
        n = (ImageNames){};
        return 0;
}
