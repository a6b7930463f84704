/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a helper program wrote to its standard error, as part of an error message. */

/* All lines of @errors as one text: lines are joined with "; ", repeated ones and hints about the usage are
 * left out, as are the program's name in front and block device options that no person wrote. At most
 * COMPLAINT_MAX bytes; the middle is cut out of a longer one. NULL if the program said nothing, or when out
 * of memory. The caller frees it. */
#define COMPLAINT_MAX 1500
char *complaint_text(const char *errors);
