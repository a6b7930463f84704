/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Archives, as the child unpacks them. The first byte is the kind. */

#include <sys/mman.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "fuzz.h"
#include "image/archive.h"

#define MAX_SIZE (UINT64_C(1) << 20)

FUZZ_LIMIT_RESERVATIONS

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *why = NULL;

        if (size < 1)
                return 0;
        ArchiveKind kind = (ArchiveKind) (1 + data[0] % (_ARCHIVE_MAX - 1));
        _cleanup_close_ int in = memfd_create("in", MFD_CLOEXEC), out = memfd_create("out", MFD_CLOEXEC);
        if (in < 0 || out < 0 || pwrite_full(in, data + 1, size - 1, 0) < 0)
                return 0;
        int r = archive_extract(kind, in, 0, size - 1, out, MAX_SIZE, &why);
        if ((r == -EBADMSG) != (why != NULL) || lseek(out, 0, SEEK_END) > (off_t) MAX_SIZE)
                abort();
        return 0;
}
