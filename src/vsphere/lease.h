/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Export leases (HttpNfcLease): while one lasts, the server offers the disks of a VM or of a snapshot as
 * streamOptimized VMDKs over HTTPS. A lease ends by itself without lease_progress() for Lease.timeout, and
 * has to be ended by lease_complete() or lease_abort(). All functions block. */

#include "vsphere/session.h"

typedef struct LeaseDevice {
        /* "/vm-42/ParaVirtualSCSIController0:0": the type and number of its controller, and its unit;
         * lease_manifest() names the device by it */
        char *key;
        bool disk; /* false for CD-ROM images, NVRAM and others */
        char *url; /* with the host in place of "*" */
        char *thumbprint; /* what the certificate of the URL's host is checked against, or NULL */
} LeaseDevice;

typedef struct Lease {
        char *id;
        usec_t timeout;
        LeaseDevice *devices;
        size_t n_devices;
} Lease;

void lease_done(Lease *l);
#define _cleanup_lease_ _cleanup_(lease_done)

/* Decodes HttpNfcLease.info into @l; @host replaces "*". 0, -EBADMSG, -EFBIG or -ENOMEM. */
int lease_info_read(const xmlNode *info, const char *host, Lease *l);

/* Called when the server has begun a lease, which takes some time to be ready; may be NULL. */
typedef void (*lease_begun_func)(const char *id, void *userdata);

/* Waits until the lease is ready. -EBUSY: the VM is exported already (TaskInProgress). -EBADFD: its
 * power state does not permit it (InvalidPowerState). */
int lease_export_vm(Session *s, const char *vm, lease_begun_func begun, void *userdata, Lease *ret);
int lease_export_snapshot(
                Session *s, const char *snapshot, lease_begun_func begun, void *userdata, Lease *ret);

/* Keeps the lease. -ETIMEDOUT: it has ended by itself. */
int lease_progress(Session *s, const Lease *l, unsigned percent);
int lease_complete(Session *s, const Lease *l);
/* 0 also if the lease has ended already */
int lease_abort(Session *s, const Lease *l);

typedef struct LeaseChecksum {
        char *key; /* LeaseDevice.key */
        bool sha256; /* else SHA-1 */
        char *hex; /* lower case */
        uint64_t size; /* of the file that was sent */
        uint64_t capacity; /* of the disk, or 0 */
} LeaseChecksum;

typedef struct LeaseManifest {
        LeaseChecksum *entries;
        size_t n_entries;
} LeaseManifest;

void lease_manifest_done(LeaseManifest *m);
#define _cleanup_lease_manifest_ _cleanup_(lease_manifest_done)

/* Decodes the entries of a manifest, @first and its siblings. 0, -EFBIG or -ENOMEM. */
int lease_manifest_read(const xmlNode *first, LeaseManifest *ret);

/* Asks for SHA-256 in the manifest, before anything is downloaded. -EOPNOTSUPP on servers before vSphere
 * 6.7, which have SHA-1 only. */
int lease_use_sha256(Session *s, const Lease *l);
/* Before lease_complete(). Only has entries of files that were downloaded to the end. -EOPNOTSUPP: the
 * server has no manifests. */
int lease_manifest(Session *s, const Lease *l, LeaseManifest *ret);
