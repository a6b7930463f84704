/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shared/machine.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include "basic/string-util.h"
#include "spec/job-fix.h"

#define MIB (UINT64_C(1) << 20)

char *machine_find_program(const char *name) {
        static const char *const directories[] = { "/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
                "/usr/bin" };

        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                _cleanup_free_ char *path = strprintf("%s/%s", directories[i], name);

                if (path && access(path, X_OK) == 0)
                        return TAKE_PTR(path);
        }
        return NULL;
}

static bool has_program(const char *name) {
        _cleanup_free_ char *path = machine_find_program(name);

        return path;
}

/* What hyper-guest does in its appliance (src/guest/README.md). */
#define GUEST_CAPABILITIES \
        (1u << CAPABILITY_MOUNT_OPERATIONS | 1u << CAPABILITY_LVM_TOOLS | 1u << CAPABILITY_SELINUX_TOOLS)

static bool has_guest_program(void) {
        return access(GUEST_PROGRAM, X_OK) >= 0;
}

static bool has_appliance(void) {
        return has_guest_program() && has_program("supermin") && has_program("qemu-system-x86_64");
}

uint32_t machine_capabilities(void) {
        static bool known;
        static uint32_t mask;

        if (!known) {
                mask = (has_program("qemu-img") ? 1u << CAPABILITY_QEMU_IMG : 0) |
                                (has_program("qemu-nbd") ? 1u << CAPABILITY_NBD_ACCESS : 0) |
                                (has_appliance() ? GUEST_CAPABILITIES : 0);
                known = true;
        }
        return mask;
}

uint32_t machine_operations(void) {
        static uint32_t mask; /* convert is in it, once it is known */

        if (mask != 0)
                return mask;
        for (JobOperation o = 0; o < _OPERATION_MAX; o++)
                if (job_operation_is_built_in(o) && (o == OPERATION_CONVERT || has_guest_program()))
                        mask |= operation_bit(o);
        return mask;
}

uint64_t machine_memory_mb(void) {
        long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

        return pages > 0 && size > 0 ? (uint64_t) pages * (uint64_t) size / MIB : 0;
}

uint64_t machine_free_space_mb(const char *path) {
        struct statvfs st;

        return statvfs(path, &st) < 0 ? 0 : (uint64_t) st.f_bavail * st.f_frsize / MIB;
}
