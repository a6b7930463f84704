/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Pages of lists: {"data": […], "pagination": {"offset", "limit", "total", "has_more"}}. */

#include <jansson.h>

#include "api/http/query.h"
#include "api/http/request.h"
#include "api/openapi/schema.h"

#define V1_LIMIT_DEFAULT 50u
#define V1_LIMIT_MAX 200u

typedef struct V1Page {
        uint64_t offset;
        unsigned limit;
} V1Page;

#define V1_PAGE_INIT                      \
        (V1Page) {                        \
                .limit = V1_LIMIT_DEFAULT \
        }

/* The fields of a table for request_query_decode(), for a struct that has the V1Page at @at. */
#define V1_PAGE_FIELDS(at)                                                                                  \
        { .key = "offset",                                                                                  \
                .type = QUERY_UINT64,                                                                       \
                .offset = (at) + offsetof(V1Page, offset),                                                  \
                .max = INT64_MAX,                                                                           \
                .description = "How many elements are left out at the beginning; default 0." },             \
        {                                                                                                   \
                .key = "limit", .type = QUERY_UNSIGNED, .offset = (at) + offsetof(V1Page, limit), .min = 1, \
                .max = V1_LIMIT_MAX, .description = "The length of the page; default 50."                   \
        }

/* "asc" or "desc" */
typedef enum V1Order { V1_ORDER_DEFAULT, V1_ORDER_ASC, V1_ORDER_DESC } V1Order;
int v1_order_from_string(const char *s) _pure_;

#define V1_SEARCH_MAX 200u
/* Answers 400 if a filter was given that is for other lists, one of @others (NULL at their end), or if the
 * query's @search, which may be NULL, is empty. 0 or -EINVAL. */
int v1_check_filters(Request *r, const char *const *others, const char *search);
/* True if @text, which may be NULL, contains @search; ASCII letters of either case. */
bool v1_search_matches(const char *text, const char *search) _pure_;

/* The part of @length elements of @all, which is in order, that @page shows: [*ret_from, *ret_to). */
void v1_page_bounds(const V1Page *page, size_t length, size_t *ret_from, size_t *ret_to);

/* The page @data (an array, consumed) of a list of @total elements, as a member of @object ("data" and
 * "pagination"). 0 or -ENOMEM. */
int v1_page_add(json_t *object, const V1Page *page, json_t *data, uint64_t total);

extern const Schema v1_pagination_schema;
