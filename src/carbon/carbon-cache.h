/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What hyper-carbond reads from its own directories: the last data, and the token of the source. */

#include "spec/carbon-data.h"

/* @directory may be NULL: nothing is kept. Data that cannot be understood are no data. 0 or negative errno.
 * */
int carbon_cache_read(const char *directory, CarbonData **ret);
int carbon_cache_write(const char *directory, const CarbonData *data);

/* The first line of the credential; *ret stays NULL if there is none. 0 or negative errno. */
int carbon_token_read(const char *directory, char **ret);
