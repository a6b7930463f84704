/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "image/vmdk-embedded.h"
#include "basic/byte-order.h"
#include "basic/fd-util.h"
#include "basic/string-util.h"

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
