/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Routes of one VM. */

#include "api/bus-client.h"
#include "api/http/request.h"

int hosts_get_hardware(Request *r);
int hosts_get_extended_hardware(Request *r);
int hosts_get_vm_stats(Request *r);
int hosts_get_screenshot(Request *r);
int hosts_post_action(Request *r);
int hosts_post_short_action(Request *r);

/* A method of a VM, and what is done with its answer. */
typedef struct VmCall {
        const char *method;
        manager_reply_func func; /* NULL: 204 */
        int (*append)(Request *r, sd_bus_message *m); /* its arguments; NULL: it has none */
} VmCall;

/* Calls the VM that the path names as {id} and {name}. @call is static. */
int hosts_call_vm(Request *r, const VmCall *call);
