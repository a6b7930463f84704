/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Disks that are exported as streamOptimized VMDKs over HTTPS (HttpNfcLease): works with every server,
 * without other software, but cannot go on in the middle of a disk. */

#include "job/vsphere-way.h"

extern const VsphereWay way_nfc;
