/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* nbdkit's vddk plugin with VMware's VDDK library, both of which the user installs: nbdkit-vddk-plugin(1). It
 * logs in by itself. */

#include "job/vsphere-way.h"

extern const VsphereWay way_vddk;
