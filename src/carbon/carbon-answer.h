/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The answers of services for carbon intensity. They come from other machines: each decoder checks types,
 * ranges and the number of values, and takes nothing that it does not understand. Pure. */

#include "spec/carbon-data.h"

#define CARBON_TOKEN_MAX ((size_t) 4096)

/* All of these add points to @d, whose zone is the one that was asked for, and put them in order. 0; -EBADMSG
 * with *ret_error, for people (caller frees); -ENOMEM. */

/* carbonintensity.org.uk: GET /intensity/{from}/fw48h, and /regional/intensity/{from}/fw48h/regionid/{n} or
 * …/postcode/{p}. */
int carbon_answer_gb(const char *text, size_t size, CarbonData *d, char **ret_error);

/* electricitymaps.com: GET /carbon-intensity/latest and /carbon-intensity/forecast. A latest value is taken
 * to last until @now and an hour more: it is about an hour that is over, or nearly. */
int carbon_answer_latest(const char *text, size_t size, usec_t now, CarbonData *d, char **ret_error);
int carbon_answer_forecast(const char *text, size_t size, CarbonData *d, char **ret_error);

/* watttime.org: GET /v3/forecast. */
int carbon_answer_watttime(const char *text, size_t size, CarbonData *d, char **ret_error);
/* watttime.org: GET /login. The token is for a header. */
int carbon_answer_login(const char *text, size_t size, char **ret_token, char **ret_error);
