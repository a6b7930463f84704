/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Routes that list pools, volumes, networks, disks and ports: of all hosts, or of the host {id}. */

#include "api/http/request.h"

int hosts_get_pools(Request *r);
int hosts_get_volumes(Request *r);
int hosts_get_networks(Request *r);
int hosts_get_disk_attachments(Request *r);
int hosts_get_ports(Request *r);
int hosts_get_port_attachments(Request *r);
