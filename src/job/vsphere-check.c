/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/vsphere-check.h"

#include <inttypes.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"

#define WARM_HARDWARE_MIN 7u
#define WARM_SNAPSHOTS_MAX 28u

#define reject(ret, ...)                         \
        ({                                       \
                *(ret) = strprintf(__VA_ARGS__); \
                *(ret) ? -EOPNOTSUPP : -ENOMEM;  \
        })

static int check_disk(const VmDisk *d, bool snapshot, char **ret_reason) {
        const char *label = strna(d->label);

        if (d->rdm_physical)
                return reject(ret_reason,
                                "%s is a raw device mapping in physical mode, which vSphere does not read "
                                "for others: change it to virtual mode, or copy the LUN itself",
                                label);
        if (d->shared)
                return reject(ret_reason,
                                "%s is shared with other VMs, which may write to it: stop them, and set "
                                "its sharing to \"none\"",
                                label);
        if (snapshot && d->mode && startswith(d->mode, "independent"))
                return reject(ret_reason,
                                "%s is independent, so that a snapshot of the running VM does not hold it: "
                                "set parameters.source_power to \"shutdown\", or make the disk dependent",
                                label);
        if (d->capacity == 0 || d->capacity % 512 != 0)
                return reject(ret_reason, "%s has %" PRIu64 " bytes, which is no whole number of sectors",
                                label, d->capacity);
        return 0;
}

int vsphere_check_vm(const VmDetail *d, bool snapshot, char **ret_reason) {
        if (d->n_disks == 0)
                return reject(ret_reason, "it has no disks");
        if (d->summary.consolidation_needed)
                return reject(ret_reason,
                                "its disks need consolidation, since a snapshot was not removed completely: "
                                "consolidate them in vCenter (Snapshots, Consolidate)");
        for (size_t i = 0; i < d->n_disks; i++) {
                int r = check_disk(&d->disks[i], snapshot, ret_reason);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* "vmx-07": tracking came with the seventh. */
static bool hardware_is_too_old(const VmDetail *d) {
        const char *number = startswith(strempty(d->hardware_version), "vmx-");
        uint64_t version;

        while (number && number[0] == '0' && number[1] != '\0')
                number++;
        return !number || parse_uint64(number, &version) < 0 || version < WARM_HARDWARE_MIN;
}

int vsphere_check_warm(const VmDetail *d, char **ret_reason) {
        if (hardware_is_too_old(d))
                return reject(ret_reason,
                                "its hardware version is %s, and changed block tracking requires vmx-%02u: "
                                "upgrade the compatibility of the VM, or copy it without parameters.warm",
                                strna(d->hardware_version), WARM_HARDWARE_MIN);
        if (!d->change_tracking_supported)
                return reject(ret_reason,
                                "the server does not support changed block tracking for it: copy it without "
                                "parameters.warm");
        if (d->summary.power == VM_SUSPENDED)
                return reject(ret_reason,
                                "it is suspended, so that its guest cannot be shut down: resume it, or shut "
                                "it down and copy it without parameters.warm");
        if (d->n_snapshots > WARM_SNAPSHOTS_MAX)
                return reject(ret_reason,
                                "it has %u snapshots, and changed block tracking works with at most %u: "
                                "remove some of them",
                                d->n_snapshots, WARM_SNAPSHOTS_MAX);
        for (size_t i = 0; i < d->n_disks; i++)
                if (d->disks[i].rdm)
                        return reject(ret_reason,
                                        "%s is a raw device mapping, which has no changed block tracking: "
                                        "copy the VM without parameters.warm",
                                        strna(d->disks[i].label));
        return 0;
}

char *vsphere_identity(const VmDetail *d) {
        _cleanup_free_ char *all = strprintf("vm %s modified %s power %s",
                        strempty(d->summary.instance_uuid), strempty(d->modified),
                        strempty(vm_power_to_string(d->summary.power)));

        for (size_t i = 0; i < d->n_disks && all; i++) {
                const VmDisk *v = &d->disks[i];
                char *more = strprintf("%s\n%u %s %" PRIu64 " %s %s %s", all, v->key, strempty(v->uuid),
                                v->capacity, strempty(v->file), strempty(v->change_id),
                                strempty(v->content_id));
                free(all);
                all = more;
        }
        return TAKE_PTR(all);
}
