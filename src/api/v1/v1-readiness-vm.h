/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether a virtual machine can be migrated here. Pure but for looking at the space on disks. */

#include <jansson.h>

#include "basic/macro.h"

/* Adds a check: one that is not @required has a warning instead of an error. @fix may be NULL. 0 or
 * -ENOMEM. */
typedef int (*v1_check_func)(void *userdata, const char *name, bool required, bool ok, const char *message,
                const char *fix);

typedef struct V1VmReadiness {
        const json_t *vm; /* as POST /vms/browse has it */
        const char *destination; /* a directory */
        bool raw; /* the disks are written with all their size */
        char *const *networks; /* of libvirt here; NULL: not known */
        v1_check_func add;
        void *userdata;
} V1VmReadiness;

int v1_readiness_of_vm(const V1VmReadiness *q);
