/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Routes that list VMs. */

#include "api/http/request.h"

/* Of the host {id}; of all hosts. */
int hosts_get_vms(Request *r);
int hosts_get_all_vms(Request *r);
/* VMs that are not managed here: there are none, since all VMs of a host are. */
int hosts_get_discovered(Request *r);
int hosts_get_all_discovered(Request *r);
