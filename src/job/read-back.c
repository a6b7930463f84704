/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "job/read-back.h"

#define WINDOW ((uint64_t) 1 << 30) /* of the file that is looked at at a time */
#define DIRECT_BLOCK ((size_t) 4096)

static const char *const names[_READ_BACK_MAX] = {
        [READ_BACK_DIRECT] = "direct",
        [READ_BACK_DROPPED] = "dropped",
        [READ_BACK_CACHED] = "cached",
        [READ_BACK_SERVER] = "server",
};

const char *read_back_to_string(ReadBack b) {
        return b >= 0 && b < _READ_BACK_MAX ? names[b] : NULL;
}

static int resident_in(int fd, uint64_t offset, size_t length, size_t page, uint64_t *ret) {
        _cleanup_free_ unsigned char *pages = malloc((length + page - 1) / page);
        void *map = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, (off_t) offset);
        int r = 0;

        if (map == MAP_FAILED)
                return -errno;
        if (!pages)
                r = -ENOMEM;
        else if (mincore(map, length, pages) < 0)
                r = -errno;
        for (size_t i = 0; r >= 0 && i * page < length; i++)
                *ret += (pages[i] & 1) ? MIN(page, length - i * page) : 0;
        (void) munmap(map, length);
        return r;
}

int read_back_resident(int fd, uint64_t *ret) {
        size_t page = (size_t) sysconf(_SC_PAGESIZE);
        uint64_t resident = 0;
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        for (uint64_t at = 0; at < (uint64_t) st.st_size; at += WINDOW) {
                int r = resident_in(
                                fd, at, (size_t) MIN(WINDOW, (uint64_t) st.st_size - at), page, &resident);
                if (r < 0)
                        return r;
        }
        *ret = resident;
        return 0;
}

/* Some file systems refuse the flag, some the first read. */
static bool direct_works(const char *path) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECT | O_NOFOLLOW | O_CLOEXEC);
        _cleanup_free_ void *block = NULL;

        return fd >= 0 && posix_memalign(&block, DIRECT_BLOCK, DIRECT_BLOCK) == 0 &&
                        pread(fd, block, DIRECT_BLOCK, 0) >= 0;
}

int read_back_prepare(const char *path, ReadBack *ret) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        uint64_t resident = 0;
        int r;

        /* Only pages that are on the disk already can be dropped. */
        if (fd < 0 || fsync(fd) < 0)
                return -errno;
        r = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        if (r > 0)
                return -r;
        if (direct_works(path)) {
                *ret = READ_BACK_DIRECT;
                return 0;
        }
        r = read_back_resident(fd, &resident);
        if (r < 0)
                return r;
        *ret = resident == 0 ? READ_BACK_DROPPED : READ_BACK_CACHED;
        return 0;
}
