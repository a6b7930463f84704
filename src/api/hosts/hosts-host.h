/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Routes of hosts. */

#include "api/http/request.h"
#include "api/openapi/schema.h"

int hosts_get_hosts(Request *r);
int hosts_post_host(Request *r);
int hosts_get_host(Request *r);
int hosts_patch_host(Request *r);
int hosts_delete_host(Request *r);
int hosts_connect_host(Request *r);
int hosts_disconnect_host(Request *r);
int hosts_get_info(Request *r);
int hosts_get_host_stats(Request *r);
int hosts_get_capabilities(Request *r);
