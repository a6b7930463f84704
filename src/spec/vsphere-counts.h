/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What an attempt has transferred from a vSphere server. It counts in a file that it maps, so that the
 * manager knows it also if the attempt was killed and has no result. The job can write anything there. */

#include <jansson.h>

#include "spec/job-file.h"
#include "spec/vsphere-spec.h"

#define VSPHERE_COUNTS_FILE JOB_RESULTS_DIRECTORY "/vsphere-counts"

typedef struct VsphereCounts {
        uint64_t logins, leases;
        uint64_t received[_VSPHERE_METHOD_MAX]; /* bytes of disks, by way */
} VsphereCounts;

/* Creates the file, all zero, and maps it. 0 or negative errno. */
int vsphere_counts_map(int directory_fd, VsphereCounts **ret);
VsphereCounts *vsphere_counts_unmap(VsphereCounts *c);

/* 0, -ENOENT: there is none, -EBADMSG, or another negative errno. */
int vsphere_counts_read(const char *directory, VsphereCounts *ret);

/* Adds them to the metrics of a result: "vsphere_logins", "vsphere_leases", "vsphere_nfc_bytes" … */
int vsphere_counts_to_json(const VsphereCounts *c, json_t *metrics);
