/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a worker can do: one row for each capability. */

#include "json/json-table.h"

typedef enum Capability {
        CAPABILITY_QEMU_IMG,
        CAPABILITY_NBD_ACCESS,
        CAPABILITY_LVM_TOOLS,
        CAPABILITY_MOUNT_OPERATIONS,
        CAPABILITY_SELINUX_TOOLS,
        _CAPABILITY_MAX,
        _CAPABILITY_INVALID = -EINVAL,
} Capability;

#define CAPABILITY_BITS ((1u << _CAPABILITY_MAX) - 1)

const char *capability_to_string(Capability c) _pure_; /* the published name: "nbd_access" */
Capability capability_from_string(const char *s) _pure_; /* also takes the short name, "nbd" */

/* "nbd_access, lvm_tools" for a mask of 1u << Capability. The caller frees; NULL when out of memory. */
char *capabilities_to_text(uint32_t mask);

/* Capabilities come as a list of words or as a map of booleans, in which null is false. Gives the mask of
 * those that are known here; others are kept by whoever keeps the JSON, and no job demands them. What is
 * neither form is added to
 * @errors under @path. 0, -EBADMSG or -ENOMEM. */
int capabilities_from_json(json_t *value, const char *path, uint32_t *ret, JsonErrors *errors);
