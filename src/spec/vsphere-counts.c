/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/vsphere-counts.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"

int vsphere_counts_map(int directory_fd, VsphereCounts **ret) {
        if (unlinkat(directory_fd, VSPHERE_COUNTS_FILE, 0) < 0 && errno != ENOENT)
                return -errno;
        _cleanup_close_ int fd = openat(directory_fd, VSPHERE_COUNTS_FILE,
                        O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return -errno;
        /* Not a hole: without space, the first write to it would be a SIGBUS. */
        int r = posix_fallocate(fd, 0, sizeof(VsphereCounts));
        if (r != 0)
                return -r;
        void *p = mmap(NULL, sizeof(VsphereCounts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (p == MAP_FAILED)
                return -errno;
        *ret = p;
        return 0;
}

VsphereCounts *vsphere_counts_unmap(VsphereCounts *c) {
        if (c)
                (void) munmap(c, sizeof(*c));
        return NULL;
}

int vsphere_counts_read(const char *directory, VsphereCounts *ret) {
        _cleanup_free_ char *data = NULL;
        size_t size;
        int r = job_file_read(directory, VSPHERE_COUNTS_FILE, sizeof(*ret), &data, &size);

        if (r < 0)
                return r;
        if (size != sizeof(*ret))
                return -EBADMSG;
        memcpy(ret, data, sizeof(*ret));
        return 0;
}

/* Above it, numbers are not exact in JSON. */
static json_t *number(uint64_t n) {
        return json_integer((json_int_t) MIN(n, UINT64_C(1) << 53));
}

int vsphere_counts_to_json(const VsphereCounts *c, json_t *metrics) {
        int r = json_object_set_new(metrics, "vsphere_logins", number(c->logins));

        if (r >= 0)
                r = json_object_set_new(metrics, "vsphere_leases", number(c->leases));
        for (VsphereMethod m = 0; m < _VSPHERE_METHOD_MAX && r >= 0; m++) {
                char name[64];

                if (c->received[m] == 0)
                        continue;
                (void) snprintf(name, sizeof(name), "vsphere_%s_bytes", vsphere_method_to_string(m));
                r = json_object_set_new(metrics, name, number(c->received[m]));
        }
        return r < 0 ? -ENOMEM : 0;
}
