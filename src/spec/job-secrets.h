/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "json/json-table.h"

/* Splits a spec into a document in which every secret reads "***", and an object {"source.tls_psk": "…"} of
 * those in source, destination and parameters. A value that is "***" already was cut before and is no
 * secret. A secret that is no string is an error in @errors. 0 or -ENOMEM. */
int job_secrets_cut(json_t *spec, json_t **ret_document, json_t **ret_secrets, JsonErrors *errors);

/* The names of the secrets that were cut out of @document; the caller frees the list. 0 or -ENOMEM. */
int job_secrets_list(json_t *document, char ***ret);
