/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/source-guard.h"

#include "basic/string-util.h"
#include "job/part-directory.h"
#include "job/vsphere-child.h"
#include "job/vsphere-snapshot.h"

/* Of each step: systemd gives "finish" 120 seconds. */
#define TIME_MAX 25u

struct SourceGuard {
        Attempt *attempt;
        VsphereChild *child;
};

SourceGuard *source_guard_end(SourceGuard *g) {
        if (!g)
                return NULL;
        vsphere_child_end(g->child);
        return mfree(g);
}

static int fail(Attempt *a, const VsphereReply *reply) {
        return attempt_fail(a, reply->r, reply->code,
                        "Nothing is published before the source is known to be off, and that could not be "
                        "found out: %s",
                        reply->message);
}

int source_guard_start(Attempt *a, SourceGuard **ret) {
        _cleanup_(source_guard_endp) SourceGuard *g = NULL;
        VsphereReply reply;

        *ret = NULL;
        if (a->plan->warm_pass == 0)
                return 0;
        g = new0(SourceGuard, 1);
        if (!g)
                return -ENOMEM;
        g->attempt = a;
        int r = vsphere_child_start(a, TIME_MAX, &g->child, &reply);
        if (r < 0)
                return fail(a, &reply);
        *ret = TAKE_PTR(g);
        return 0;
}

int source_guard_check(void *guard) {
        SourceGuard *g = guard;
        VsphereReply reply;

        if (!g)
                return 0;
        int r = vsphere_child_do(g->child, VSPHERE_READ_POWER, TIME_MAX, 0, &reply);
        if (r < 0)
                return fail(g->attempt, &reply);
        return r == VM_POWERED_OFF
                        ? 0
                        : attempt_fail(g->attempt, ESTALE, "vsphere_started",
                                          "The source was started when its copy was about to be "
                                          "published, so that nothing is published; shut it down, "
                                          "leave it off, and retry the job");
}

void source_guard_published(SourceGuard *g) {
        VsphereReply reply;

        if (!g || !marker_exists(g->attempt->directory_fd, VSPHERE_TRACKING_MARK))
                return;
        if (vsphere_child_do(g->child, VSPHERE_DISABLE_TRACKING, TIME_MAX, 0, &reply) < 0)
                report_note(&g->attempt->report,
                                "Changed block tracking of the source stays enabled: %s; to disable it, set "
                                "changeTrackingEnabled of the VM to false",
                                reply.message);
        else
                vsphere_unmark(g->attempt, VSPHERE_TRACKING_MARK);
}
