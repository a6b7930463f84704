/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* GET /vms/list: the VMs of all providers, by page. */

#include "api/http/router.h"

int v1_list_vms(Request *r);
int v1_list_domains(Request *r); /* GET /libvirt/domains: of hosts of libvirt only */

extern const QueryField v1_vms_query[];
extern const Reply v1_vms_replies[];
