/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The ways in which disks of a VM are read, in the order in which they are tried. */

#include "job/vsphere-source.h"

/* Notes a failure for a disk that no way can read, as far as that is known before the disks can be read: the
 * one that parameters.conversion_method names, or all of them. */
int vsphere_check_ways(VsphereSource *v);

/* Chooses a way for each disk: the one that parameters.conversion_method names, or the first one that can be
 * had, for which the server is asked. Says in the log which, and why not those before it. */
int vsphere_choose_ways(VsphereSource *v);
