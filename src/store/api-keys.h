/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Keys for the HTTP API, of which only the hash is there. A row never changes. The same rules and errors as
 * in store.h. */

#include "shared/api-key.h"
#include "store/store.h"

typedef struct ApiKeyRow {
        ApiKeyId id;
        char *name;
        ApiKeyHash hash;
        uint32_t scopes; /* bits of 1u << Scope */
        unsigned rate_limit; /* requests a minute; 0: what the configuration says */
        usec_t created_at;
        usec_t expires_at; /* 0: never */
} ApiKeyRow;

typedef struct ApiKeyRows {
        ApiKeyRow *rows;
        size_t n;
} ApiKeyRows;
void api_key_rows_done(ApiKeyRows *rows);

/* -EEXIST: the name or the id is taken. */
int store_api_key_insert(Store *s, const ApiKeyRow *row);
/* By name. -ENOENT. */
int store_api_key_delete(Store *s, const char *name);
/* Oldest first. */
int store_api_keys_list(Store *s, ApiKeyRows *ret);
