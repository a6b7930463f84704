/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What jobs have transferred from vSphere servers, in sums that metrics are made of. */

#include "store/store.h"

/* Further servers are added up under "other": their number is that of the time series. */
#define VSPHERE_SERVERS_MAX 256

typedef struct VsphereTotal {
        char *server; /* host, and the port if it is another one than 443 */
        char *what; /* "logins", "leases", or the way whose bytes are counted: "nfc", "https", "vddk" */
        uint64_t n;
} VsphereTotal;

typedef struct VsphereTotals {
        VsphereTotal *rows; /* by @what, then by @server */
        size_t n_rows;
        uint64_t running; /* jobs that are running, and read from such a server */
} VsphereTotals;

void vsphere_totals_done(VsphereTotals *t);

/* Adds to a sum. 0 or negative errno. */
int store_vsphere_add(Store *s, const char *server, const char *what, uint64_t n);
int store_vsphere_totals(Store *s, VsphereTotals *ret);
