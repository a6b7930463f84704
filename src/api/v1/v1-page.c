/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-page.h"

#include <strings.h>

#include "api/http/reply.h"
#include "api/job-json.h"
#include "basic/string-util.h"

int v1_order_from_string(const char *s) {
        return streq(s, "asc") ? V1_ORDER_ASC : streq(s, "desc") ? V1_ORDER_DESC : -EINVAL;
}

int v1_check_filters(Request *r, const char *const *others, const char *search) {
        for (size_t i = 0; others[i]; i++)
                if (request_query(r, others[i]))
                        return request_reply_error(r, 400, "%s: this list has no such field", others[i]),
                               -EINVAL;
        if (search && isempty(search))
                return request_reply_error(r, 400, "search: must be 1 to %u characters", V1_SEARCH_MAX),
                       -EINVAL;
        return 0;
}

bool v1_search_matches(const char *text, const char *search) {
        size_t n = strlen(search);

        for (const char *p = strempty(text); *p; p++)
                if (strncasecmp(p, search, n) == 0)
                        return true;
        return false;
}

void v1_page_bounds(const V1Page *page, size_t length, size_t *ret_from, size_t *ret_to) {
        *ret_from = (size_t) MIN(page->offset, (uint64_t) length);
        *ret_to = *ret_from + MIN((size_t) page->limit, length - *ret_from);
}

int v1_page_add(json_t *object, const V1Page *page, json_t *data, uint64_t total) {
        uint64_t end = page->offset + json_array_size(data);
        json_t *pagination = json_pack("{s:o, s:i, s:o, s:b}", "offset", json_count(page->offset), "limit",
                        (int) page->limit, "total", json_count(total), "has_more", end < total);

        if (json_object_set_new(object, "data", data) < 0)
                return json_decref(pagination), -ENOMEM;
        return json_object_set_new(object, "pagination", pagination) < 0 ? -ENOMEM : 0;
}

static const SchemaField pagination_fields[] = {
        { "offset", SCHEMA_INTEGER },
        { "limit", SCHEMA_INTEGER },
        { "total", SCHEMA_INTEGER, .description = "After filters, on all pages." },
        { "has_more", SCHEMA_BOOLEAN },
        {},
};
const Schema v1_pagination_schema = { .name = "Pagination", .fields = pagination_fields };
