/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "image/vmdk-embedded.h"

#include <inttypes.h>

#include "basic/byte-order.h"
#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "image/refusal.h"

static int complain(char **ret_error, const char *what, const char *why) {
        *ret_error = strprintf("%s%s", what, why);
        return *ret_error ? -EBADMSG : -ENOMEM;
}

int vmdk_embedded_read(int fd, const char *header, uint64_t offset, uint64_t length, VmdkDescriptor *ret,
                char **ret_error) {
        uint64_t at = read_le64(header + 28), n = read_le64(header + 36);
        _cleanup_free_ char *text = NULL, *why = NULL;

        if (at == 0 || n == 0)
                return 0;
        n = MIN(n, (uint64_t) VMDK_DESCRIPTOR_MAX / VMDK_SECTOR);
        if (at > length / VMDK_SECTOR || n > length / VMDK_SECTOR - at)
                return complain(ret_error, "the descriptor inside is behind its end: it is cut off", "");
        text = malloc(n * VMDK_SECTOR);
        if (!text)
                return -ENOMEM;
        int r = pread_full(fd, text, n * VMDK_SECTOR, offset + at * VMDK_SECTOR);
        if (r < 0)
                return r;
        size_t size = strnlen(text, n * VMDK_SECTOR);
        if (size == 0)
                return 0;
        if (!vmdk_is_descriptor(text, size))
                return complain(ret_error, "the descriptor inside is not one", "");
        r = vmdk_descriptor_parse(text, size, ret, &why);
        if (r == -EBADMSG)
                return complain(ret_error, "the descriptor inside: ", strna(why));
        return r < 0 ? r : 1;
}

int vmdk_embedded_check(const VmdkDescriptor *d, uint64_t capacity, char **ret_error) {
        if (d->n_extents != 1)
                return refuse(ret_error,
                                "the descriptor inside names %zu extents, but a disk in one file has one: "
                                "use the descriptor that names all of its files as the source",
                                d->n_extents);
        if (d->extents[0].kind != VMDK_EXTENT_SPARSE)
                return refuse(ret_error,
                                "the descriptor inside speaks of an extent of another kind than SPARSE, "
                                "which "
                                "the file is");
        if (d->sectors != capacity)
                return refuse(ret_error,
                                "the descriptor inside speaks of %" PRIu64
                                " sectors, but the header of %" PRIu64,
                                d->sectors, capacity);
        return 0;
}
