/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which drivers an initramfs lacks, and which files of the kernel's modules provide them. */

#include "basic/macro.h"

typedef struct ModuleSet {
        char **missing; /* drivers that are modules, and that the initramfs does not have */
        char **unavailable; /* drivers that this kernel does not have at all */
        char **files; /* those to add: the missing ones and what they need, as modules.dep has them */
} ModuleSet;

void module_set_done(ModuleSet *s);
#define _cleanup_module_set_ _cleanup_(module_set_done)

/* @dep and @builtin are the texts of modules.dep and modules.builtin, @present what
 * initramfs_list_read() found, @wanted the drivers. 0 or -ENOMEM. */
int module_set_find(const char *dep, const char *builtin, char *const *present, const char *const *wanted,
                ModuleSet *ret);
