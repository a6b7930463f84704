/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether a guest boots on KVM, and if not, why: a judgement on what was found, and on what the operations
 * would still change. */

#include "guest/changes.h"

typedef struct BootState {
        const char *bootable; /* "yes", "no" or "unknown" */
        json_t *reasons; /* sentences; new reference */
} BootState;

/* @needs: the changes that were not made, as a Changes has them. @kernels: of the result. Both may be NULL.
 * @known: an operating system was found that is known here. 0 or -ENOMEM. */
int boot_state(const json_t *needs, const json_t *kernels, bool known, BootState *ret);
