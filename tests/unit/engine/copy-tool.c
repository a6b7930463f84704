/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* copy-tool SOURCE DIRECTORY: copies a raw file into a part directory as a job does, without a server, and
 * prints how many bytes of the image share their blocks with another file (FIEMAP). For check-reflink. */

#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "engine/copy.h"
#include "engine/endpoint-file.h"
#include "engine/part.h"

#define EXTENTS 4096u

static int count_shared(const char *image, uint64_t *ret) {
        _cleanup_free_ struct fiemap *map = calloc(1, sizeof(*map) + EXTENTS * sizeof(struct fiemap_extent));
        _cleanup_close_ int fd = open(image, O_RDONLY | O_CLOEXEC);

        if (!map)
                return -ENOMEM;
        map->fm_length = FIEMAP_MAX_OFFSET;
        map->fm_flags = FIEMAP_FLAG_SYNC;
        map->fm_extent_count = EXTENTS;
        if (fd < 0 || ioctl(fd, FS_IOC_FIEMAP, map) < 0)
                return -errno;
        *ret = 0;
        for (unsigned i = 0; i < map->fm_mapped_extents; i++)
                if (map->fm_extents[i].fe_flags & FIEMAP_EXTENT_SHARED)
                        *ret += map->fm_extents[i].fe_length;
        return 0;
}

static int copy(const char *source, const char *directory) {
        _cleanup_free_ char *error = NULL, *image = strprintf("%s/image", directory);
        _cleanup_close_ int fd = open(source, O_RDONLY | O_CLOEXEC), dir_fd = -1;
        _cleanup_endpoint_ Endpoint *s = NULL, *d = NULL;
        _cleanup_(part_closep) Part *p = NULL;
        uint64_t begin = 0, shared = 0;
        struct stat st;
        int r;

        if (fd < 0 || fstat(fd, &st) < 0 || mkdir(directory, 0700) < 0)
                return log_error_errno(-errno, "%s, %s: %m", source, directory);
        dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const FileRange range = { .fd = fd, .length = (uint64_t) st.st_size };
        const CheckpointIdentity id = { .source = source, .size = range.length, .destination = "raw" };
        const CopyOptions options = { .cancel_fd = -1 };

        r = image ? endpoint_file_new(&range, 1, "source", &s) : -ENOMEM;
        if (r >= 0)
                r = part_open(dir_fd, &id, PART_OWN_IMAGE, &p, &error);
        if (r >= 0)
                r = part_open_endpoint(p, "raw", COMPRESSION_NONE, "destination", &d, &begin, &error);
        if (r >= 0)
                r = copy_run(s, d, p, begin, &options, NULL, &error);
        if (r >= 0)
                r = count_shared(image, &shared);
        if (r < 0)
                return log_error_errno(r, "%s: %m", strempty(error));
        printf("%llu\n", (unsigned long long) shared);
        return 0;
}

int main(int argc, char *argv[]) {
        return argc == 3 && copy(argv[1], argv[2]) >= 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
