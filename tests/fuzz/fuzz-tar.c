/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The index of a tar: whatever it says, every member lies inside, under a name of its own. */

#include "basic/string-util.h"
#include "fuzz.h"
#include "image/tar.h"

typedef struct Input {
        const uint8_t *data;
        size_t size;
} Input;

static int read_input(void *userdata, void *buf, size_t size, uint64_t offset) {
        const Input *in = userdata;

        if (offset > in->size || size > in->size - offset)
                abort(); /* the reader must know where the end is */
        memcpy(buf, in->data + offset, size);
        return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Input in = { .data = data, .size = size };
        _cleanup_tar_index_ TarIndex index = {};
        _cleanup_free_ char *why = NULL;

        int r = tar_index_read(read_input, &in, size, &index, &why);
        if (r < 0 && r != -ENOMEM && !why)
                abort();
        for (size_t i = 0; i < index.n_members; i++) {
                const TarMember *m = &index.members[i];
                if (m->offset > size || (!m->is_sparse && m->size > size - m->offset) || m->name[0] == '/' ||
                                startswith(m->name, "../") || tar_index_find(&index, m->name) != m)
                        abort();
                uint64_t end = 0;
                for (size_t k = 0; k < m->n_segments; k++) {
                        const TarSegment *g = &m->segments[k];
                        if (g->at < end || g->length > m->size - g->at || g->offset > size ||
                                        g->length > size - g->offset)
                                abort();
                        end = g->at + g->length;
                }
        }
        return 0;
}
