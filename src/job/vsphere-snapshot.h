/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The state of the VM in which its disks are copied: off, or in a snapshot of the job's. A mark in the
 * directory of the job says that there is a snapshot, for "finish". */

#include "job/vsphere-source.h"

#define VSPHERE_SNAPSHOT_MARK JOB_RESULTS_DIRECTORY "/vsphere-snapshot"
/* Of a warm migration: its VM was shut down for the cutover, and when it had been powered on (nothing, if
 * that is not known); tracking was turned on for it. */
#define VSPHERE_OFF_MARK JOB_RESULTS_DIRECTORY "/vsphere-off"
#define VSPHERE_TRACKING_MARK JOB_MARK_TRACKING

/* Sets a mark, before what it says is done; notes failures in the attempt. */
int vsphere_mark(Attempt *a, const char *name);
void vsphere_unmark(const Attempt *a, const char *name);
/* The same for VSPHERE_OFF_MARK. */
int vsphere_mark_off(VsphereSource *v);

/* Removes a snapshot that an earlier attempt has left, also if it appears within @patience seconds only. */
int vsphere_snapshot_remove_stale(VsphereSource *v, unsigned patience);

/* That, by the mark: 0, unless an attempt has ended while the server created a snapshot. */
unsigned vsphere_snapshot_patience(const Attempt *a);

/* Makes the disks readable as parameters.source_power says: shuts the VM down, powers it off, or creates a
 * snapshot of a running one. */
int vsphere_snapshot_begin(VsphereSource *v);

/* Creates the job's snapshot: v->snapshot. */
int vsphere_snapshot_create(VsphereSource *v);

/* Shuts the VM down (VSPHERE_POWER_SHUTDOWN) or powers it off, and reads it again, so that what points to its
 * disks is not valid any more. If the server refuses both, VSPHERE_OFF_MARK is removed. */
int vsphere_turn_off(VsphereSource *v, int power);

/* Removes the snapshot, and tries again for 10 minutes. Notes failures in the attempt. */
int vsphere_snapshot_remove(VsphereSource *v);

/* Removes the snapshot, if there is one; @timeout: how long the server may take. 0 or negative errno
 * with a note in the log. */
int vsphere_snapshot_end(VsphereSource *v, usec_t timeout);
#define VSPHERE_REMOVE_TIMEOUT (3600 * USEC_PER_SEC) /* disks are consolidated */
