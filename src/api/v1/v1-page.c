/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-page.h"

#include "api/job-json.h"

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
