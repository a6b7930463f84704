/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The way "https": ranges of the file of a disk, which the server offers in /folder. */

#include "job/vsphere-way.h"

extern const VsphereWay way_folder;
