/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Adds the disks and NICs of VMs to what v1_vm_json() has made, with one call for all VMs of a provider. */

#include "api/v1/v1-gather.h"

/* The userdata of a request that asks for VMs begins with this. */
typedef struct V1VmsRequest {
        V1Gather gather;
        json_t *vms; /* an array of v1_vm_json() */
        bool all; /* add also what only one VM has, for few VMs */
        unsigned n_out;
        char **warnings; /* of calls that have failed: the VMs stay as they are */
        int (*done)(Request *r); /* like a handler */
} V1VmsRequest;
void v1_vms_request_done(V1VmsRequest *q);

/* Reads them, and calls @done. 0 or negative errno. */
int v1_hardware_read(Request *r, int (*done)(Request *r));
