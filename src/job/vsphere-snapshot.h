/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The state of the VM in which its disks are copied: off, or in a snapshot of the job's. A mark in the
 * directory of the job says that there is a snapshot, for "finish". */

#include "job/vsphere-source.h"

#define VSPHERE_SNAPSHOT_MARK JOB_RESULTS_DIRECTORY "/vsphere-snapshot"

/* Removes a snapshot that an earlier attempt has left. */
int vsphere_snapshot_remove_stale(VsphereSource *v);

/* Makes the disks readable as parameters.source_power says: shuts the VM down, powers it off, or creates a
 * snapshot of a running one. */
int vsphere_snapshot_begin(VsphereSource *v);

/* Removes the snapshot, if there is one; @timeout: how long the server may take. 0 or negative errno
 * with a note in the log. */
int vsphere_snapshot_end(VsphereSource *v, usec_t timeout);
#define VSPHERE_REMOVE_TIMEOUT (3600 * USEC_PER_SEC) /* disks are consolidated */
