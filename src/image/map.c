/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/map.h"
#include "image/map-parallels.h"
#include "image/map-qcow2.h"
#include "image/map-vdi.h"
#include "image/map-vhd.h"
#include "image/map-vhdx.h"
#include "image/map-vmdk.h"

static const struct {
        DiskFormat format;
        int (*walk)(MapWalk *w);
} walkers[] = {
        { FORMAT_QCOW2, map_walk_qcow2 },
        { FORMAT_VMDK, map_walk_vmdk },
        { FORMAT_VHD, map_walk_vhd },
        { FORMAT_VHDX, map_walk_vhdx },
        { FORMAT_VDI, map_walk_vdi },
        { FORMAT_PARALLELS, map_walk_parallels },
};

int map_walk(DiskFormat format, const MapFile *file, Map *ret, char **ret_error) {
        MapWalk w = { .file = file, .map = { .length = file->length }, .error = ret_error };
        int r = 0;

        for (size_t k = 0; k < ELEMENTSOF(walkers) && r >= 0; k++)
                if (walkers[k].format == format)
                        r = walkers[k].walk(&w);
        if (r >= 0)
                r = map_check_end(&w);
        if (r < 0)
                return r;
        *ret = w.map;
        return 0;
}
