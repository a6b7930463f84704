/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <poll.h>

#include "basic/fd-util.h"
#include "image/map-format.h"
#include "image/refusal.h"

#define PIECE ((size_t) 64 * 1024)

void map_need(MapWalk *w, uint64_t at, uint64_t size) {
        uint64_t end;

        if (__builtin_add_overflow(at, size, &end))
                end = UINT64_MAX;
        w->map.end = MAX(w->map.end, end);
}

int map_check_end(const MapWalk *w) {
        if (w->map.end <= w->file->length)
                return 0;
        if (w->map.end > INT64_MAX)
                return refuse(w->error, "it is damaged: its tables refer to places that no file can have");
        return refuse(w->error, "it is cut off: %" PRIu64 " bytes are missing at its end",
                        w->map.end - w->file->length);
}

int map_read(MapWalk *w, void *buf, size_t size, uint64_t at) {
        if (!map_holds(w, at, size)) {
                map_need(w, at, size);
                return map_check_end(w);
        }
        return pread_full(w->file->fd, buf, size, w->file->offset + at);
}

static bool is_cancelled(const MapWalk *w) {
        struct pollfd p = { .fd = w->file->cancel_fd, .events = POLLIN };

        return p.fd >= 0 && poll(&p, 1, 0) > 0;
}

/* The entries that are inside the file. */
static int read_entries(MapWalk *w, uint64_t at, uint64_t n, size_t width, MapEntry entry, void *userdata) {
        size_t piece = (size_t) MIN(n, (uint64_t) (PIECE / width));
        _cleanup_free_ char *buf = malloc(MAX(piece * width, (size_t) 1));

        if (!buf)
                return -ENOMEM;
        for (uint64_t i = 0; i < n; i += piece) {
                size_t here = (size_t) MIN((uint64_t) piece, n - i);
                if (is_cancelled(w))
                        return -ECANCELED;
                int r = pread_full(w->file->fd, buf, here * width, w->file->offset + at + i * width);
                for (size_t k = 0; k < here && r >= 0; k++)
                        r = entry(w, i + k, buf + k * width, userdata);
                if (r < 0)
                        return r;
        }
        return 0;
}

int map_each(MapWalk *w, uint64_t at, uint64_t n, size_t width, MapEntry entry, void *userdata) {
        uint64_t size;

        if (__builtin_mul_overflow(n, (uint64_t) width, &size))
                size = UINT64_MAX;
        map_need(w, at, size);
        if (at >= w->file->length)
                return 0;
        return read_entries(w, at, MIN(n, (w->file->length - at) / width), width, entry, userdata);
}
