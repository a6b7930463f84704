/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Lists of modules that are loaded at boot, modules-load.d(5): text in, text and list of changes out. */

#include "guest/changes.h"

/* Modules of VMware are commented out. 1 with *ret (the caller frees), 0 if nothing changes, or -ENOMEM. */
int module_list_rewrite(const char *step, const char *file, const char *text, Changes *changes, char **ret);
