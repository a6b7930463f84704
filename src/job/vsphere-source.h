/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A virtual machine of a vCenter server or an ESXi host whose disks are copied: the session, what is
 * known of the VM, and how each of its disks is read. */

#include <pthread.h>

#include "engine/disk-digest.h"
#include "job/source.h"
#include "job/vsphere-session.h"
#include "spec/vsphere-counts.h"
#include "vsphere/vm.h"

typedef struct VsphereWay VsphereWay;
typedef struct NfcExport NfcExport;

typedef struct VsphereDisk {
        const VmDisk *device; /* of the VM */
        const VsphereWay *way;
        bool digested; /* all of it was received, and this is its digest */
        uint8_t digest[DISK_DIGEST_SIZE];
} VsphereDisk;

typedef struct VsphereSource {
        Attempt *attempt; /* not owned */
        const VsphereSpec *spec; /* of the plan */
        pthread_mutex_t lock; /* of the session: an export has a thread that keeps its lease */
        Session *session; /* NULL: not logged in */
        bool noted; /* for "finish", in case that the attempt is killed: */
        VsphereNote note;
        VmDetail vm;
        char *snapshot; /* ID of the one that is copied; NULL: the VM is off */
        VsphereDisk *disks; /* vm.n_disks, in the order of the VM */
        Image *images; /* the same, for the source */
        NfcExport *nfc; /* NULL: no disk is exported */
        bool vddk_probed; /* whether VDDK is there was found out: */
        char *vddk_why_not; /* NULL: it is */
        char *vddk_work; /* a private directory, in Attempt.runtime; NULL: none yet */
        VsphereCounts *counts; /* NULL: not begun yet */
} VsphereSource;

VsphereSource *vsphere_source_new(Attempt *a);
/* Logs out. */
VsphereSource *vsphere_source_free(VsphereSource *v);
DEFINE_CLEANUP_FUNC(VsphereSource *, vsphere_source_free);

/* The one of a source that is a virtual machine. */
static inline VsphereSource *vsphere_of(const Source *s) {
        return s->of_kind;
}

/* Reads the password; then logs in; then finds the VM. All note failures in the attempt. */
int vsphere_prepare_login(VsphereSource *v);
int vsphere_login(VsphereSource *v);
int vsphere_find(VsphereSource *v);

/* The password of the source. The caller clears and frees it. Notes failures in the attempt. */
int vsphere_read_password(Attempt *a, char **ret);

/* What an attempt that was killed has noted in @file; nothing if that cannot be read. Notes failures in the
 * attempt. */
int vsphere_read_noted(Attempt *a, const char *file, VsphereNoted *ret);
/* Ends the session and the lease that were noted, with the session of @v, which is not logged in. */
void vsphere_end_noted(VsphereSource *v, const VsphereNoted *noted);

/* For all that uses the session; between both the error of the last call can be read. */
static inline void vsphere_lock(VsphereSource *v) {
        pthread_mutex_lock(&v->lock);
}
static inline void vsphere_unlock(VsphereSource *v) {
        pthread_mutex_unlock(&v->lock);
}

/* Notes that a call has failed with @error, with the reason that the session has, unless a failure was noted
 * before. Returns @error. The session is locked. */
int vsphere_fail(VsphereSource *v, int error, const char *format, ...) _printf_(3, 4);

/* A disk could not be read: notes that the VM was started, if that is so. */
void vsphere_explain(VsphereSource *v);

/* The name of the job's snapshot. NULL when out of memory. */
char *vsphere_snapshot_name(const Attempt *a);
