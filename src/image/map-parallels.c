/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Parallels, docs/interop/parallels.txt in qemu: a header and one table of clusters, whose places are
 * counted in sectors, or by the newer kind in clusters. */

#include "image/map-parallels.h"
#include "image/refusal.h"

#define HEADER_SIZE 64u
#define CLUSTER_MAX (UINT64_C(1) << 30)

typedef struct Parallels {
        uint64_t cluster, unit; /* bytes */
} Parallels;

static int on_cluster(MapWalk *w, uint64_t index, const char *entry, void *userdata) {
        const Parallels *p = userdata;
        uint64_t place = read_le32(entry);

        if (place != 0)
                map_need(w, place * p->unit, map_visible(w, index, p->cluster));
        return 0;
}

int map_walk_parallels(MapWalk *w) {
        char h[HEADER_SIZE];

        int r = map_read(w, h, sizeof(h), 0);
        if (r < 0)
                return r;
        bool newer = memcmp(h, "WithouFreSpacExt", 16) == 0;
        Parallels p = { .cluster = (uint64_t) read_le32(h + 28) * MAP_SECTOR };
        uint64_t n = read_le32(h + 32), sectors = newer ? read_le64(h + 36) : read_le32(h + 36);
        if (p.cluster == 0 || p.cluster > CLUSTER_MAX)
                return refuse(w->error, "its header gives clusters of %ju bytes", (uintmax_t) p.cluster);
        if (sectors > IMAGE_SIZE_MAX / MAP_SECTOR || map_divide_up(sectors * MAP_SECTOR, p.cluster) > n)
                return refuse(w->error, "its header gives a disk that is larger than its table of clusters");
        p.unit = newer ? p.cluster : MAP_SECTOR;
        w->map.virtual_size = sectors * MAP_SECTOR;
        return map_each(w, HEADER_SIZE, n, sizeof(uint32_t), on_cluster, &p);
}
