/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The JSON document of a VM's hardware (vm.h). */

#include "spec/vm.h"
#include "json/json-table.h"

/* Strict: unknown keys, values out of range and contradictions are errors. @path is put before each field
 * ("vm" makes "vm.cpus"). 0 with *ret, -EBADMSG with @errors, -ENOMEM. */
int vm_hardware_from_json(json_t *object, const char *path, VmHardware **ret, JsonErrors *errors);

/* The hardware that @source (a document, or NULL) describes, with the values of @given (likewise) instead
 * where it has some. 0; -EBADMSG: together they are contradictory; -ENOMEM. */
int vm_hardware_merge(const json_t *source, const json_t *given, VmHardware **ret);

/* The document: a new reference; NULL when out of memory, or if a string of @vm is no UTF-8. */
json_t *vm_hardware_to_json(const VmHardware *vm);
