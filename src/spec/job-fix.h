/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* parameters.fix: what is done in the guest of a copied disk, so that it starts on KVM. */

#include "spec/operation.h"

/* It carries out all operations on guests (src/guest/README.md), and may not be installed. */
#define GUEST_PROGRAM LIBEXECDIR "/hyper-guest"

/* A mask of 1u << JobOperation, and: */
#define FIX_AUTO (1u << 31) /* all that the guest needs; a guest that is not known is left as it is */
#define FIX_ALL                                                                                   \
        (1u << OPERATION_OFFLINE_FIX | 1u << OPERATION_BOOT_REPAIR | 1u << OPERATION_LVM_REPAIR | \
                        1u << OPERATION_FS_REPAIR | 1u << OPERATION_INITRAMFS_REGENERATE |        \
                        1u << OPERATION_SELINUX_PREP)

/* "none" or false, "auto" or true, or a list of operations. Wrong words are added to @errors under @path.
 * 0 or -ENOMEM. */
int job_fix_from_json(json_t *value, const char *path, unsigned *ret, JsonErrors *errors);
/* A new reference, or NULL when out of memory. */
json_t *job_fix_to_json(unsigned fix);
