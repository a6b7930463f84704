/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The VM of a job, for the commands that run with all privileges: a child without rights logs in to the
 * server, and parses what it sends. It does one thing after the other, ends with its parent, and ends by
 * itself if one of them takes too long. */

#include "job/attempt.h"

typedef struct VsphereChild VsphereChild;

typedef enum VsphereTask {
        VSPHERE_READ_POWER, /* the answer is a VmPower */
        VSPHERE_REMOVE_SNAPSHOT, /* the job's, also if it appears within the patience */
        VSPHERE_DISABLE_TRACKING,
        /* If it is off, or goes off within the patience, since its guest shuts down. One that was powered on
         * since it was marked (VSPHERE_OFF_MARK) does not. */
        VSPHERE_POWER_ON,
} VsphereTask;

/* What a task, or the login, has come to. */
typedef struct VsphereReply {
        int r; /* 0 or positive: the answer; negative errno */
        char code[64]; /* of the failure, as in failure.h */
        char message[2048];
} VsphereReply;

/* Ends the session and the lease that an attempt which was killed has noted (vsphere-session.h). */
void vsphere_child_end_session(Attempt *a, unsigned time_max);

/* Does the same, logs in and finds the VM, within @time_max seconds. @ret_reply is why not. The descriptors
 * that are open are the child's, too: none of them may be one that it must not use. */
int vsphere_child_start(Attempt *a, unsigned time_max, VsphereChild **ret, VsphereReply *ret_reply);
/* Logs out. */
VsphereChild *vsphere_child_end(VsphereChild *c);
DEFINE_CLEANUP_FUNC(VsphereChild *, vsphere_child_end);

/* Does @task within @time_max seconds. Returns reply.r: -ETIMEDOUT with a message if the child has ended. */
int vsphere_child_do(VsphereChild *c, VsphereTask task, unsigned time_max, unsigned patience,
                VsphereReply *ret_reply);
