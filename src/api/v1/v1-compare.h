/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Compares the configurations of two virtual machines, as v1_vm_json() and v1_vm_add_…_all() have
 * them. Pure. */

#include "api/openapi/schema.h"
#include "basic/time-util.h"

/* @ignore: fields that are not compared: "mac", or "nics[0].mac"; may be NULL. New reference, or NULL when
 * out of memory. */
json_t *v1_compare(const json_t *source, const json_t *target, char *const *ignore, usec_t now);

extern const Schema v1_comparison_schema;
