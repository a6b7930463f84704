/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The export lease that the disks of a VM are downloaded with. A thread keeps it while it is used, since the
 * server ends leases that show no progress. */

#include "job/vsphere-source.h"
#include "vsphere/lease.h"

/* Opens disk @disk (from 0) for a download: with a new lease if there is none, or if the disk was downloaded
 * with this one already. *ret is valid until nfc_export_release(). Notes failures in the attempt. */
int nfc_export_acquire(VsphereSource *v, size_t disk, const LeaseDevice **ret);

/* Begins the export if there is none. 1: it has the disk; 0: the server does not export it, with the reason
 * in *ret_why_not (caller frees). Notes other failures in the attempt. */
int nfc_export_try(VsphereSource *v, size_t disk, char **ret_why_not);

/* The download is over, however it ended. */
void nfc_export_release(VsphereSource *v);

/* How much of all disks is done, for the tasks of vCenter. */
void nfc_export_set_percent(NfcExport *e, unsigned percent);

/* What the server says of a file that was sent: *ret_hex (caller frees) is its checksum, SHA-256 or
 * SHA-1. 1; 0 if it says nothing; negative errno. Blocks. */
int nfc_export_checksum(VsphereSource *v, const LeaseDevice *device, uint64_t *ret_size, bool *ret_sha256,
                char **ret_hex);

/* Ends the lease as complete. */
int nfc_export_complete(VsphereSource *v);

/* Aborts the lease if it was not completed. */
NfcExport *nfc_export_free(NfcExport *e);
