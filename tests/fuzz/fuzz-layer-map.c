/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/mman.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "fuzz.h"
#include "job/layer-map.h"

/* Runs follow each other and stay inside of what was asked for. */
static void walk(LayerMap *m) {
        uint64_t offset = 0;

        for (unsigned k = 0; k < 4096 && offset < m->size; k++) {
                uint64_t max = MIN(m->size - offset, UINT64_C(1) << (k % 24));
                LayerRun run;

                if (m->find(m, offset, max, &run) < 0)
                        return;
                if (run.length == 0 || run.length > max)
                        abort();
                offset += run.length;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const DiskFormat formats[] = { FORMAT_VHD, FORMAT_VHDX };
        _cleanup_close_ int fd = memfd_create("image", MFD_CLOEXEC);

        if (fd < 0 || pwrite_full(fd, data, size, 0) < 0)
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(formats); i++) {
                _cleanup_free_ char *error = NULL;
                LayerMap *m = NULL;
                int r = layer_map_open(fd, size, formats[i], &m, &error);

                if (r == -EBADMSG && isempty(error))
                        abort();
                if (r < 0)
                        continue;
                walk(m);
                safe_close(m->fd);
                m->free(m);
        }
        return 0;
}
