/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Copies of JSON values without their secrets. */

#include <jansson.h>
#include <stdbool.h>

/* True for keys whose value is a secret: password, passwd, secret, token, authorization, api_key, tls_psk,
 * …, in any case, also as the end of a longer key ("vcenter_password"). */
bool json_key_is_secret(const char *key);

/* A deep copy with every secret's value, and the userinfo of every URL, replaced by "***". NULL when out of
 * memory. */
json_t *json_redact(json_t *value);
