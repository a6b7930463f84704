/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "api/http/uri.h"
#include "basic/macro.h"
#include "json/json-table.h"

/* Query parameters, decoded by table like JSON fields (request_query_decode()). */
typedef enum QueryType {
        QUERY_STRING, /* const char *: borrowed from the request */
        QUERY_UNSIGNED, /* unsigned, @min to @max */
        QUERY_UINT64, /* uint64_t, @min to @max */
        QUERY_BOOLEAN, /* bool; "?queue" alone is true */
        QUERY_TIMESTAMP, /* usec_t: RFC 3339 (a "+" in the offset may come undecoded as a blank) */
        QUERY_ENUM, /* int: @from_string gives a negative value for what it does not know */
        QUERY_ENUM_SET, /* uint32_t: mask of 1u << value; the parameter may be repeated or "a,b" */
} QueryType;

typedef struct QueryField {
        const char *key; /* NULL ends a table */
        QueryType type;
        size_t offset; /* into the struct given to request_query_decode() */
        uint64_t min, max; /* numbers; strings: max is the longest length (0: QUERY_STRING_MAX) */
        int (*from_string)(const char *); /* ENUM, ENUM_SET; see also @mask_from_string */
        uint32_t (*mask_from_string)(const char *); /* ENUM_SET where one word stands for several values
                                                     * ("pending"); 0 for what it does not know */
        const char *expected; /* ENUM, ENUM_SET: what the error says, "one of a, b, c" */
        const char *description; /* for the API's own documentation; may be NULL */
} QueryField;

#define QUERY_STRING_MAX 1024u

/* Decodes by @fields into @base, which holds the defaults; strings are borrowed from @pairs. What no field
 * names is passed over. 0, -EBADMSG with all that is wrong in @errors, -ENOMEM. Pure. */
int query_decode(const QueryField *fields, const QueryPair *pairs, size_t n_pairs, void *base,
                JsonErrors *errors);
/* The value of the @n-th pair with that key: "" if it has none, NULL if there are not so many. */
const char *query_get(const QueryPair *pairs, size_t n_pairs, const char *key, size_t n);
