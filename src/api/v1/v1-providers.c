/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-providers.h"

#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/v1/v1-gather.h"
#include "api/v1/v1-page.h"
#include "basic/string-util.h"
#include "json/json-table.h"

typedef enum ProviderSort { SORT_NAME, SORT_PROVIDER, SORT_STATUS, SORT_CONNECTED } ProviderSort;
typedef enum ProviderStatus { CONNECTED, DISCONNECTED, ERROR } ProviderStatus;

static int sort_from_string(const char *s) {
        static const char *const words[] = { "name", "provider", "status", "connected_at" };

        for (int i = 0; i < (int) ELEMENTSOF(words); i++)
                if (streq(words[i], s))
                        return i;
        return -EINVAL;
}

static int status_from_string(const char *s) {
        return streq(s, "connected")               ? CONNECTED
                        : streq(s, "disconnected") ? DISCONNECTED
                        : streq(s, "error")        ? ERROR
                                                   : -EINVAL;
}

typedef struct ProvidersQuery {
        V1Page page;
        uint32_t statuses;
        const char *provider, *search;
        int sort, order;
} ProvidersQuery;

const QueryField v1_providers_query[] = {
        V1_PAGE_FIELDS(offsetof(ProvidersQuery, page)),
        { "status", QUERY_ENUM_SET, offsetof(ProvidersQuery, statuses), .from_string = status_from_string,
                        .expected = "any of connected, disconnected, error" },
        { "provider", QUERY_STRING, offsetof(ProvidersQuery, provider),
                        .description = "Types or IDs, with commas between them." },
        { "search", QUERY_STRING, offsetof(ProvidersQuery, search), .max = V1_SEARCH_MAX,
                        .description = "A part of the ID or endpoint." },
        { "sort", QUERY_ENUM, offsetof(ProvidersQuery, sort), .from_string = sort_from_string,
                        .expected = "one of name, provider, status, connected_at" },
        { "order", QUERY_ENUM, offsetof(ProvidersQuery, order), .from_string = v1_order_from_string,
                        .expected = "one of asc, desc", .description = "Default: desc for connected_at." },
        {},
};

static const SchemaField providers_fields[] = {
        { "data", SCHEMA_ARRAY, .schema = &v1_provider_schema },
        { "pagination", SCHEMA_OBJECT, .schema = &v1_pagination_schema },
        {},
};
static const Schema providers_schema = { .name = "Providers", .fields = providers_fields };
const Reply v1_providers_replies[] = { REPLY_OBJECT(200, "A page of providers.", providers_schema), {} };

typedef struct ListRequest {
        V1Gather gather;
        ProvidersQuery query;
} ListRequest;

static void list_request_free(void *userdata) {
        ListRequest *q = userdata;

        v1_gather_done(&q->gather);
        free(q);
}

static ProviderStatus status_of(const V1Provider *p) {
        return p->connected ? CONNECTED : p->error ? ERROR : DISCONNECTED;
}

static bool matches(const V1Provider *p, const ProvidersQuery *q) {
        if (q->statuses != 0 && !(q->statuses & 1u << status_of(p)))
                return false;
        return !q->search || v1_search_matches(p->id, q->search) ||
                        v1_search_matches(p->endpoint, q->search);
}

static int compare(const void *a, const void *b, void *userdata) {
        const V1Provider *x = *(V1Provider *const *) a, *y = *(V1Provider *const *) b;
        const ProvidersQuery *q = userdata;
        bool descending = q->order == V1_ORDER_DESC ||
                        (q->order == V1_ORDER_DEFAULT && q->sort == SORT_CONNECTED);
        int c = 0;

        switch (q->sort) {
        case SORT_PROVIDER:
                c = strcmp(v1_provider_type_to_string(x->type), v1_provider_type_to_string(y->type));
                break;
        case SORT_STATUS:
                c = (int) status_of(x) - (int) status_of(y);
                break;
        case SORT_CONNECTED:
                if (x->connected != y->connected)
                        return x->connected ? -1 : 1;
                c = x->connected_at < y->connected_at ? -1 : x->connected_at > y->connected_at;
                break;
        default:
                c = strcmp(x->id, y->id);
        }
        if (c != 0)
                return descending ? -c : c;
        return strcmp(x->id, y->id);
}

static int reply_page(Request *r) {
        ListRequest *q = request_userdata(r);
        _cleanup_free_ V1Provider **list = new0(V1Provider *, q->gather.n + 1);
        _cleanup_json_ json_t *reply = json_object();
        json_t *data = json_array();
        size_t n = 0, from, to;
        int k = list && data ? 0 : -ENOMEM;

        for (size_t i = 0; k >= 0 && i < q->gather.n; i++)
                if (matches(q->gather.providers[i], &q->query))
                        list[n++] = q->gather.providers[i];
        if (n > 0)
                qsort_r(list, n, sizeof(V1Provider *), compare, &q->query);
        v1_page_bounds(&q->query.page, n, &from, &to);
        for (size_t i = from; k >= 0 && i < to; i++)
                if (json_array_append_new(data, v1_provider_json(list[i])) < 0)
                        k = -ENOMEM;
        if (k < 0) {
                json_decref(data);
                return k;
        }
        k = v1_page_add(reply, &q->query.page, data, n);
        return k < 0 ? k : request_reply_json(r, 200, TAKE_PTR(reply));
}

int v1_list_providers(Request *r) {
        static const char *const others[] = { "type", "os", "created_after", "created_before", NULL };
        ListRequest *q = new0(ListRequest, 1);
        int k;

        if (!q)
                return -ENOMEM;
        request_set_userdata(r, q, list_request_free);
        q->query.page = V1_PAGE_INIT;
        k = request_query_decode(r, &q->query);
        if (k >= 0)
                k = v1_check_filters(r, others, q->query.search);
        return k < 0 ? k
                     : v1_gather(r, &q->gather,
                                       &(V1GatherOptions){ .which = q->query.provider, .done = reply_page });
}
