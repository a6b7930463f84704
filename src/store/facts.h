/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What outlives the owner and is no row of a noun. */

#include "store/store.h"

/* A number that changes whenever another connection has committed something (PRAGMA data_version): what was
 * read while it stays the same is still true. Meant for readers. */
int store_version(Store *s, int64_t *ret);

/* Small facts of the owner's that outlive it (the journal cursor it has read up to). */
int store_get_fact(Store *s, const char *name, char **ret);
int store_set_fact(Store *s, const char *name, const char *value);
/* The same, but nothing is written if it has this value already: 0. 1 if it was written, or negative
 * errno. */
int store_update_fact(Store *s, const char *name, const char *value);
