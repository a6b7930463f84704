/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where a <disk> of a VM has its content. */

#include <libxml/tree.h>

/* The file, device, directory, "POOL/VOLUME" or "PROTOCOL:NAME"; NULL if it has none (an empty drive), or
 * when out of memory. The caller frees. */
char *domain_disk_source(const xmlNode *disk);
