/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* POST /vms/browse and /vms/compare. */

#include "api/http/router.h"

int v1_browse_vm(Request *r);
int v1_compare_vms(Request *r);
/* The same as browsing for @vm at @provider, both of which exist as long as the request. */
int v1_browse_named(Request *r, const char *provider, const char *vm);

extern const Schema v1_browse_body, v1_compare_body;
extern const Reply v1_browse_vm_replies[], v1_compare_replies[];
