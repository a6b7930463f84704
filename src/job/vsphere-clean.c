/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/vsphere-clean.h"

#include "job/part-directory.h"
#include "job/vsphere-child.h"
#include "job/vsphere-session.h"
#include "job/vsphere-snapshot.h"

#define TIME_MAX 22u /* seconds, and 5 for the logout: what systemd gives to "finish" is 30 */

/* One that is being created is waited for as long as there is time. */
static int remove_snapshot(Attempt *a, VsphereReply *ret_reply) {
        _cleanup_(vsphere_child_endp) VsphereChild *child = NULL;
        usec_t began = now_monotonic();

        int r = vsphere_child_start(a, TIME_MAX, &child, ret_reply);
        if (r < 0)
                return r;
        unsigned gone = (unsigned) ((now_monotonic() - began) / USEC_PER_SEC),
                 left = TIME_MAX - MIN(gone, TIME_MAX - 1),
                 patience = MIN(vsphere_snapshot_patience(a), left - 1);
        return vsphere_child_do(child, VSPHERE_REMOVE_SNAPSHOT, left - patience, patience, ret_reply);
}

void vsphere_clean(Attempt *a) {
        bool snapshot, noted;
        VsphereReply reply;

        if (a->plan->spec->source.type != ENDPOINT_VSPHERE)
                return;
        snapshot = marker_exists(a->directory_fd, VSPHERE_SNAPSHOT_MARK);
        noted = marker_exists(a->directory_fd, VSPHERE_SESSION_FILE) ||
                        marker_exists(a->directory_fd, VSPHERE_CHILD_FILE);
        if (!snapshot && noted)
                vsphere_child_end_session(a, TIME_MAX);
        int r = snapshot ? remove_snapshot(a, &reply) : 0;
        /* It is not tried again: the server ends sessions that are not used. */
        if (noted)
                vsphere_unmark(a, VSPHERE_SESSION_FILE);
        if (snapshot && r >= 0)
                vsphere_unmark(a, VSPHERE_SNAPSHOT_MARK);
        else if (snapshot)
                report_note(&a->report,
                                "The job's snapshot was not removed: %s: it is removed when the job runs "
                                "again; otherwise, remove it in vCenter",
                                reply.message);
}
