/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where carbon intensity comes from: the sources of carbon.source, and the addresses that they are asked at.
 * Pure. */

#include "shared/settings.h"
#include "spec/carbon-data.h"

typedef enum CarbonSourceKind {
        CARBON_SOURCE_GB,
        CARBON_SOURCE_ELECTRICITY_MAPS,
        CARBON_SOURCE_WATTTIME,
        CARBON_SOURCE_FILE,
        _CARBON_SOURCE_MAX,
        _CARBON_SOURCE_INVALID = -EINVAL,
} CarbonSourceKind;

CarbonSourceKind carbon_source_from_string(const char *s) _pure_;

/* 0 with *ret; -EBADMSG if the settings do not go together, with *ret_error, for people (caller frees);
 * -ENODATA if there is no source; -ENOMEM. @has_token: there is a credential. */
int carbon_source_check(const Settings *s, bool has_token, CarbonSourceKind *ret, char **ret_error);

/* The base of the service: carbon.url, or else its own. */
const char *carbon_source_url(const Settings *s, CarbonSourceKind kind);
/* The address for the forecast of the service of Great Britain from @now on. NULL when out of memory. */
char *carbon_source_gb_url(const Settings *s, usec_t now);
