/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The JSON document of a VM's hardware (vm.h). */

#include "spec/vm.h"
#include "json/json-table.h"

/* Strict: unknown keys, values out of range and contradictions are errors. @path is put before each field ("vm"
 * makes "vm.cpus"). 0 with *ret, -EBADMSG with @errors, -ENOMEM. */
int vm_hardware_from_json(json_t *object, const char *path, VmHardware **ret, JsonErrors *errors);

/* The document: a new reference; NULL when out of memory, or if a string of @vm is no UTF-8. */
json_t *vm_hardware_to_json(const VmHardware *vm);
