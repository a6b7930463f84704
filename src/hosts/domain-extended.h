/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* All devices of a VM, as the hosts API's /hardware/extended has them, from libvirt's description of the VM,
 * which is hostile input (xml-util.h). */

#include <jansson.h>

#include "basic/macro.h"

/* 0 with a new reference, -EBADMSG if it is no such description, -ENOMEM. */
int domain_xml_extended(const char *xml, size_t size, json_t **ret);
