/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-readiness-vm.h"

#include <inttypes.h>

#include "api/v1/v1-machine.h"
#include "basic/string-util.h"

static const char *text_of(const json_t *object, const char *key) {
        return strempty(json_string_value(json_object_get(object, key)));
}

/* With a message that it frees. */
static int add(const V1VmReadiness *q, const char *name, bool required, bool ok, char *message,
                const char *fix) {
        int r = message ? q->add(q->userdata, name, required, ok, message, fix) : -ENOMEM;

        free(message);
        return r;
}

static uint64_t size_of_disks(const json_t *disks) {
        const json_t *disk;
        uint64_t sum = 0;
        size_t i;

        json_array_foreach(disks, i, disk) {
                json_int_t size = json_integer_value(json_object_get(disk, "size_bytes"));

                sum += size > 0 ? (uint64_t) size : 0;
        }
        return sum;
}

static int check_disks(const V1VmReadiness *q) {
        const json_t *disks = json_object_get(q->vm, "disks"),
                     *blockers = json_object_get(json_object_get(q->vm, "migration"), "blockers");
        const char *blocker = json_string_value(json_array_get(blockers, 0));
        size_t n = json_array_size(disks);

        if (blocker)
                return add(q, "vm_disks", true, false, strdup(blocker), NULL);
        if (n == 0)
                return add(q, "vm_disks", true, false, strdup("It has no disks, or they are not known."),
                                NULL);
        return add(q, "vm_disks", true, true,
                        strprintf("%zu, with %" PRIu64 " MiB.", n, size_of_disks(disks) >> 20), NULL);
}

static int check_snapshots(const V1VmReadiness *q) {
        json_int_t n = json_integer_value(json_object_get(q->vm, "snapshot_count"));

        return add(q, "vm_snapshots", false, n <= 0,
                        n > 0 ? strprintf("It has %" JSON_INTEGER_FORMAT
                                          " snapshots: only the current state is migrated.",
                                                n)
                              : strdup("It has no snapshots."),
                        "Remove those that are not needed: reading is faster then.");
}

static int check_cbt(const V1VmReadiness *q) {
        const json_t *cbt = json_object_get(q->vm, "cbt_enabled");

        return add(q, "cbt", false, !json_is_false(cbt),
                        strdup(json_is_true(cbt) ? "Changed areas are tracked."
                                                        : json_is_false(cbt)
                                                        ? "Changed areas are not tracked: the first pass "
                                                          "of a warm job has to enable that."
                                                        : "It is not needed, or not known."),
                        "Set ctkEnabled in the configuration of the VM.");
}

static int check_guest(const V1VmReadiness *q) {
        const char *os = text_of(q->vm, "os");
        bool ok = streq(os, "linux") || streq(os, "windows");

        return add(q, "guest_supported", false, ok,
                        ok ? strprintf("It is %s.", os)
                           : strdup("It is neither Linux nor Windows, or not known."),
                        "Set options.fix_guest to false, and check that the guest has drivers for virtio.");
}

static int check_space(const V1VmReadiness *q) {
        uint64_t size = size_of_disks(json_object_get(q->vm, "disks"));
        V1Space space = {};
        int r = v1_space(q->destination, &space);
        bool ok = r >= 0 && space.available > size;

        return add(q, "space", q->raw || space.available == 0, ok,
                        r < 0 ? strprintf("The space for %s is not known.", q->destination)
                              : strprintf("%" PRIu64 " MiB are free for %s, and the disks have %" PRIu64
                                          " MiB.",
                                                space.available >> 20, q->destination, size >> 20),
                        "Remove files, or choose another destination.");
}

static int check_networks(const V1VmReadiness *q) {
        const json_t *nics = json_object_get(q->vm, "nics"), *nic;
        size_t i;

        json_array_foreach(nics, i, nic) {
                const char *network = text_of(nic, "network");

                if (*network && !(q->networks && strv_contains(q->networks, network)))
                        return add(q, "networks", false, false,
                                        strprintf("libvirt has no network \"%s\" here.", network),
                                        "Name one for it in options.network_map.");
        }
        return add(q, "networks", false, true, strdup("Each has the same name here."), NULL);
}

int v1_readiness_of_vm(const V1VmReadiness *q) {
        static int (*const checks[])(const V1VmReadiness *) = { check_disks, check_snapshots, check_cbt,
                check_guest, check_space, check_networks };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(checks) && r >= 0; i++)
                r = checks[i](q);
        return r;
}
