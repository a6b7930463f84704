/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "job/source.h"

/* Finds out what a file is and where its disks are: archives are unpacked into the part directory, manifests
 * are checked. Formats are settled then. */
int source_settle_file(Source *s);
