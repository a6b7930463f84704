/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A streamOptimized VMDK that is decoded as it comes, in pieces. The header has the size of the disk. */

#include <string.h>

#include "basic/byte-order.h"
#include "basic/string-util.h"
#include "fuzz.h"
#include "image/vmdk-stream.h"

typedef struct Disk {
        uint64_t capacity, end;
} Disk;

static int on_grain(void *userdata, uint64_t offset, const char *data, size_t size) {
        Disk *d = userdata;

        if (offset < d->end || offset % VMDK_GRAIN_SIZE != 0 || size == 0 || size > d->capacity - offset)
                abort();
        for (size_t i = 0; i < size; i += 4096) /* all of it can be read */
                (void) *(const volatile char *) (data + i);
        d->end = offset + size;
        return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        uint64_t sectors = size >= 20 ? read_le64((const char *) data + 12) : 0;
        Disk d = { .capacity = sectors <= UINT64_MAX / 512 ? sectors * 512 : 0 };
        _cleanup_vmdk_stream_ VmdkStream *s = NULL;
        _cleanup_free_ char *why = NULL;
        int r;
        const VmdkStreamOptions options = { .capacity = d.capacity, .grain = on_grain, .userdata = &d };

        if (vmdk_stream_new(&options, &s) < 0)
                return 0;
        for (size_t at = 0, step = 1; at < size; step = step * 7 % 4099 + 1) {
                size_t space, n = MIN(step, size - at);
                char *p = vmdk_stream_space(s, &space);

                if (space == 0)
                        abort();
                n = MIN(n, space);
                memcpy(p, data + at, n);
                r = vmdk_stream_decode(s, n, &why);
                if ((r == -EBADMSG) != (why != NULL))
                        abort();
                if (r < 0)
                        return 0;
                at += n;
        }
        r = vmdk_stream_end(s, &why);
        if ((r == -EBADMSG) != (why != NULL))
                abort();
        return 0;
}
