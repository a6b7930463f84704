/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What was last seen of the servers of vSphere, in a file, while the daemon does not run. */

#include "api/v1/v1-seen.h"

/* Replaces the file in @directory. 0 or negative errno. */
int v1_inventory_file_write(const char *directory, const V1Providers *all);

/* Adds those of the file to @all. What is damaged is left out. 0, -ENOENT without a file, or another
 * negative errno. */
int v1_inventory_file_read(const char *directory, V1Providers *all);
