/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* /vms/…: virtual machines of vCenters and ESXi hosts. Clients send the address and the credentials in the
 * query or in the body; a named source ("source"), and Authorization: Basic, take their place. */

#include "api/http/request.h"

int hypersdk_list_vms(Request *r);
int hypersdk_vm_info(Request *r);
int hypersdk_shut_down_vm(Request *r);
int hypersdk_power_off_vm(Request *r);
int hypersdk_remove_cdroms(Request *r);

/* "USER:PASSWORD" of the value of an Authorization header; the caller wipes and frees. -ENOENT: it is of
 * another kind; -EBADMSG: malformed. */
int hypersdk_basic_decode(const char *header, char **ret);
