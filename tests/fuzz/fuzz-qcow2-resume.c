/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An unfinished qcow2 image in any state: going on and finishing must end, and write nothing out of bounds.
 * The input is the checkpoint's three numbers, then patches of the file: 4 bytes where (in units of 8
 * bytes), 8 bytes what. */

#include <sys/mman.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "engine/qcow2-map.h"
#include "fuzz.h"

#define DISK (UINT64_C(3) << 29) /* three L2 tables */
#define FILE_SIZE (UINT64_C(4) << 20)

static uint64_t number(const uint8_t *p, size_t size) {
        uint64_t n = 0;

        for (size_t i = 0; i < size; i++)
                n = n << 8 | p[i];
        return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_close_ int fd = memfd_create("image", MFD_CLOEXEC);
        Qcow2Map m;
        uint64_t at;

        if (size < 24 || fd < 0 || ftruncate(fd, FILE_SIZE) < 0)
                return 0;
        for (size_t i = 24; i + 12 <= size; i += 12)
                (void) pwrite_full(fd, data + i + 4, 8, number(data + i, 4) * 8 % FILE_SIZE);

        uint64_t watermark = number(data, 8) % (DISK + 1);
        int r = qcow2_map_resume(&m, fd, DISK, watermark, number(data + 8, 8), number(data + 16, 8));
        if (r >= 0 && m.next > FILE_SIZE)
                abort();
        watermark = round_up(watermark, QCOW2_CLUSTER);
        if (r >= 0 && watermark < DISK)
                r = qcow2_map_put(&m, watermark, &at);
        if (r >= 0 && watermark + QCOW2_CLUSTER < DISK)
                r = qcow2_map_put_compressed(&m, watermark + QCOW2_CLUSTER, 1000, &at);
        if (r >= 0)
                r = qcow2_map_finish(&m);
        qcow2_map_done(&m);
        return 0;
}
