/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/output-layout.h"
#include "basic/string-util.h"
#include "image/ovf-writer.h"

#define FIRST_DISK_OF_PACKAGE 3u

static const struct {
        const char *what[2]; /* the first two places; the others are disk images */
        unsigned first_disk;
        unsigned fixed; /* places that are published whatever the number of disks */
        bool disks_published;
        unsigned not_listed; /* of the published ones, those that the result does not list */
        size_t disks_max;
} layouts[] = {
        { { "disk image", "disk image" }, 1, 0, true, 0, PART_DISKS_MAX },
        { { "OVA", "manifest" }, FIRST_DISK_OF_PACKAGE, 1, false, 0, OVF_WRITE_MAX },
        { { "OVF", "manifest" }, FIRST_DISK_OF_PACKAGE, 2, true, 1, OVF_WRITE_MAX },
};

static_assert(OVF_WRITE_MAX + FIRST_DISK_OF_PACKAGE - 1 <= PART_DISKS_MAX, "all disks have a place");

static size_t layout_of(const JobEndpoint *destination) {
        return destination->format == FORMAT_OVA ? 1 : destination->format == FORMAT_OVF ? 2 : 0;
}

unsigned layout_place(const JobEndpoint *destination, size_t disk) {
        return layouts[layout_of(destination)].first_disk + (unsigned) disk;
}

size_t layout_disks_max(const JobEndpoint *destination) {
        return layouts[layout_of(destination)].disks_max;
}

unsigned layout_published(const JobEndpoint *destination, size_t n_disks) {
        size_t i = layout_of(destination);

        return layouts[i].fixed + (layouts[i].disks_published ? (unsigned) n_disks : 0);
}

unsigned layout_published_of_outputs(const JobEndpoint *destination, size_t n_outputs) {
        size_t i = layout_of(destination);

        /* The half that wrote the list is not trusted. */
        if (!layouts[i].disks_published)
                return layouts[i].fixed;
        return (unsigned) n_outputs + layouts[i].not_listed;
}

const char *layout_what(const JobEndpoint *destination, unsigned place) {
        return place >= 1 && place <= 2 ? layouts[layout_of(destination)].what[place - 1] : "disk image";
}

char *layout_path(const JobEndpoint *destination, unsigned place) {
        const char *path = destination->path, *slash = strrchr(path, '/'), *dot = strrchr(path, '.');

        if (place <= 1)
                return strdup(path);
        if (!dot || dot <= (slash ? slash + 1 : path))
                dot = path + strlen(path);
        if (layout_of(destination) == 0)
                return strprintf("%.*s-disk%u%s", (int) (dot - path), path, place, dot);
        if (place == PLACE_MANIFEST)
                return strprintf("%.*s.mf", (int) (dot - path), path);
        return strprintf("%.*s-disk%u.vmdk", (int) (dot - path), path, place - FIRST_DISK_OF_PACKAGE + 1);
}
