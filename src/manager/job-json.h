/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A job as JSON, for GetJob. */

#include "store/store.h"

/* The whole job for GetJob: JSON text that the caller frees. */
int job_details(Store *store, const char *id, char **ret);
