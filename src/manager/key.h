/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Keys for the HTTP API in the manager: it makes them, hyper-apid reads their hashes from the database. */

#include "manager/manager.h"
#include "store/api-keys.h"
#include "json/json-table.h"

#define API_KEYS_MAX 256u /* hyper-apid holds all of them in memory */
#define API_KEY_RATE_MAX 1000000u /* requests a minute */

typedef struct KeyDefinition {
        char *name;
        uint32_t scopes;
        unsigned rate_limit; /* requests a minute; 0: not given */
        usec_t expires_at; /* 0: never */
        /* as they came */
        char **scope_words;
        char *expiry;
} KeyDefinition;

void key_definition_done(KeyDefinition *d);
/* {"name", "scopes", "rate_limit", "expires_at"}, as text. What there is besides is refused: a misspelled
 * limit would be none. 0, -EBADMSG with all that is wrong in @errors, -ENOMEM. */
int key_definition_decode(const char *text, KeyDefinition *ret, JsonErrors *errors);

/* Makes a key and stores its hash; *ret is the only copy, and the caller's to wipe. These: 0, or negative
 * errno with
 * @error set. */
int manager_add_key(
                Manager *m, const char *definition, ApiKey *ret, JsonErrors *fields, sd_bus_error *error);
int manager_remove_key(Manager *m, const char *name, sd_bus_error *error);
