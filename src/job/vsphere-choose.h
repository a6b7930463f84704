/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The ways in which disks of a VM are read, in the order in which they are tried. */

#include "job/vsphere-source.h"

/* Chooses a way for each disk: the one that parameters.conversion_method names, or the first one that can
 * be had. Says in the log which, and why not those before it. */
int vsphere_choose_ways(VsphereSource *v);
