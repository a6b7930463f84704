/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* lvm.conf(5): filters that know disks by the names of their old hardware. */

#include "guest/changes.h"

/* Comments out filter and global_filter if they name disks of VMware, so that LVM finds its volumes by their
 * content. 1 with *ret (caller frees), 0 or -ENOMEM. */
int lvm_filter_rewrite(const char *step, const char *file, const char *text, Changes *changes, char **ret);
