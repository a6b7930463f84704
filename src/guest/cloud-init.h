/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files of cloud-init: text in, text and list of changes out. */

#include "guest/changes.h"

/* A datasource_list that has only sources of VMware becomes [ NoCloud, None ]. 1 with *ret (the caller
 * frees), 0 if nothing changes, or -ENOMEM. */
int cloud_init_rewrite(const char *step, const char *file, const char *text, Changes *changes, char **ret);
