/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Definitions that clients of the bus pass as JSON text. */

#include "json/json-table.h"

/* Decodes an object of at most @max bytes by @fields into @base. 1 if there is something to check further; 0
 * if it is no object, with the reason in @errors; negative errno. */
int definition_read(const char *text, size_t max, const JsonField *fields, void *base, JsonErrors *errors);
