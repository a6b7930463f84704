/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/activity.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "hosts/hosts.h"

struct Activities {
        Activity ring[ACTIVITIES_MAX];
        uint64_t noted; /* in all */
};

const char *activity_kind_to_string(ActivityKind k) {
        static const char *const words[] = {
                [ACTIVITY_HOST_CONNECTED] = "host_connect",
                [ACTIVITY_HOST_DISCONNECTED] = "host_disconnect",
                [ACTIVITY_VM_STATE] = "vm_state_change",
                [ACTIVITY_SYSTEM] = "system",
        };

        return k >= 0 && k < _ACTIVITY_KIND_MAX ? words[k] : NULL;
}

static void activity_done(Activity *a) {
        free(a->host);
        free(a->uuid);
        free(a->vm);
        free(a->message);
        *a = (Activity){};
}

int activities_new(Activities **ret) {
        Activities *a = new0(Activities, 1);

        if (!a)
                return -ENOMEM;
        *ret = a;
        return 0;
}

Activities *activities_free(Activities *a) {
        for (size_t i = 0; a && i < ELEMENTSOF(a->ring); i++)
                activity_done(a->ring + i);
        return mfree(a);
}

void activity_note(
                const Host *h, const Vm *vm, ActivityKind kind, const char *severity, const char *message) {
        Activities *a = h->hosts->activities;
        Activity *slot = a->ring + a->noted % ELEMENTSOF(a->ring);
        Activity n = {
                .id = a->noted + 1,
                .at = now_realtime(),
                .kind = kind,
                .severity = severity,
                .host = strdup(h->row.id),
                .uuid = strdup(vm ? vm->row.uuid : ""),
                .vm = strdup(vm ? vm->row.name : ""),
                .message = vm ? strprintf("VM %s: %s", vm->row.name, message)
                              : strprintf("Host %s: %s", h->row.id, message),
        };

        if (!n.host || !n.uuid || !n.vm || !n.message) {
                activity_done(&n);
                log_oom();
                return;
        }
        activity_done(slot);
        *slot = n;
        a->noted++;
}

size_t activities_count(const Activities *a) {
        return MIN(a->noted, (uint64_t) ELEMENTSOF(a->ring));
}

const Activity *activities_get(const Activities *a, size_t i) {
        return a->ring + (a->noted - 1 - i) % ELEMENTSOF(a->ring);
}
