/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The machine that an OVF descriptor describes: VMware's, VirtualBox's, oVirt's and the plain ones of
 * DSP0243. What is malformed or out of range is left out, since no disk depends on it. */

#include <libxml/tree.h>

#include "image/ovf-descriptor.h"

/* Of @envelope, whose disks are in @d. *ret is NULL if there is no machine, or several. 0 or -ENOMEM. */
int ovf_hardware_read(const xmlNode *envelope, const OvfDescriptor *d, VmHardware **ret);
