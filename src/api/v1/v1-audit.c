/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-audit.h"

#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/http/request-work.h"
#include "api/job-json.h"
#include "api/v1/v1-page.h"
#include "basic/string-util.h"
#include "journal/journal-audit.h"

/* So many of the newest entries are looked at, since reading them takes time. */
#define ENTRIES_MAX 2000u

typedef struct AuditQuery {
        V1Page page;
        usec_t after, before;
        uint32_t kinds;
        const char *user, *search;
} AuditQuery;

const QueryField v1_audit_query[] = {
        V1_PAGE_FIELDS(offsetof(AuditQuery, page)),
        { "type", QUERY_ENUM_SET, offsetof(AuditQuery, kinds), .from_string = audit_kind_from_string,
                        .expected = "any of login, refused, request" },
        { "user", QUERY_STRING, offsetof(AuditQuery, user), .max = V1_SEARCH_MAX,
                        .description = "The name of a user, or of a key." },
        { "created_after", QUERY_TIMESTAMP, offsetof(AuditQuery, after) },
        { "created_before", QUERY_TIMESTAMP, offsetof(AuditQuery, before) },
        { "search", QUERY_STRING, offsetof(AuditQuery, search), .max = V1_SEARCH_MAX,
                        .description = "A part of the message." },
        {},
};

static json_t *text_or_null(const char *text) {
        return isempty(text) ? json_null() : json_text(text);
}

static json_t *entry_json(const AuditEntry *e) {
        return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o}", "timestamp", json_time(e->when), "type",
                        audit_kind_to_string(e->kind), "user", text_or_null(e->user), "role",
                        text_or_null(e->role), "address", text_or_null(e->address), "message",
                        json_text(strempty(e->message)));
}

/* Those of @all in which the text is. NULL when out of memory. */
static json_t *select_entries(const AuditEntries *all, const char *search) {
        _cleanup_json_ json_t *list = json_array();

        for (size_t i = 0; list && i < all->n; i++)
                if ((!search || v1_search_matches(all->entries[i].message, search)) &&
                                json_array_append_new(list, entry_json(&all->entries[i])) < 0)
                        return NULL;
        return TAKE_PTR(list);
}

static int reply_page(Request *r, const V1Page *page, const json_t *all, bool more) {
        _cleanup_json_ json_t *reply = json_pack("{s:b}", "incomplete", more), *data = json_array();
        size_t from, to;
        int k;

        if (!reply || !data)
                return -ENOMEM;
        v1_page_bounds(page, json_array_size(all), &from, &to);
        for (size_t i = from; i < to; i++)
                if (json_array_append(data, json_array_get(all, i)) < 0)
                        return -ENOMEM;
        k = v1_page_add(reply, page, json_incref(data), json_array_size(all));
        return k < 0 ? k : request_reply_json(r, 200, TAKE_PTR(reply));
}

/* Read in a thread: the journal may be large. */
typedef struct AuditReading {
        AuditQuery query; /* its texts are ours */
        char *directory, *user, *search;
        json_t *list;
        bool more;
} AuditReading;

static void audit_reading_free(void *userdata) {
        AuditReading *g = userdata;

        free(g->directory);
        free(g->user);
        free(g->search);
        json_decref(g->list);
        free(g);
}

static int read_audit(void *userdata) {
        _cleanup_(audit_entries_done) AuditEntries entries = {};
        AuditReading *g = userdata;
        const AuditFilter filter = {
                .after = g->query.after, .before = g->query.before, .kinds = g->query.kinds, .user = g->user
        };
        int r = journal_read_audit(g->directory, &filter, ENTRIES_MAX, &entries);

        if (r < 0)
                return r;
        g->more = entries.more;
        g->list = select_entries(&entries, g->search);
        return g->list ? 0 : -ENOMEM;
}

static int reply_audit(Request *r, int result, void *userdata) {
        const AuditReading *g = userdata;

        return result < 0 ? result : reply_page(r, &g->query.page, g->list, g->more);
}

static int audit_reading_new(Request *r, const AuditQuery *q, AuditReading **ret) {
        const char *directory = api_journal_directory(request_api(r));
        AuditReading *g = new0(AuditReading, 1);

        if (!g)
                return -ENOMEM;
        g->query = *q;
        g->directory = directory ? strdup(directory) : NULL;
        g->user = q->user ? strdup(q->user) : NULL;
        g->search = q->search ? strdup(q->search) : NULL;
        if ((directory && !g->directory) || (q->user && !g->user) || (q->search && !g->search)) {
                audit_reading_free(g);
                return -ENOMEM;
        }
        *ret = g;
        return 0;
}

int v1_list_audit(Request *r) {
        static const char *const others[] = { "status", "provider", "os", "sort", "order", NULL };
        static const RequestWorkOps ops = { read_audit, reply_audit, audit_reading_free };
        AuditQuery q = { .page = V1_PAGE_INIT };
        AuditReading *g;
        int k = request_query_decode(r, &q);

        if (k >= 0)
                k = v1_check_filters(r, others, q.search);
        if (k >= 0)
                k = audit_reading_new(r, &q, &g);
        if (k < 0)
                return k;
        k = request_work(api_readings(request_api(r)), r, &ops, g);
        if (k < 0)
                audit_reading_free(g);
        return k;
}

/* --- its schema ------------------------------------------------------------------------------------ */

static const SchemaField entry_fields[] = {
        { "timestamp", SCHEMA_TIMESTAMP },
        { "type", SCHEMA_STRING, .description = "login, refused or request" },
        { "user", SCHEMA_STRING, SCHEMA_NULLABLE, "Or the name of a key." },
        { "role", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "address", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "message", SCHEMA_STRING },
        {},
};
static const Schema entry_schema = { .name = "AuditEntry", .fields = entry_fields };

static const SchemaField page_fields[] = {
        { "incomplete", SCHEMA_BOOLEAN, .description = "There are older entries: use created_before." },
        { "data", SCHEMA_ARRAY, .schema = &entry_schema },
        { "pagination", SCHEMA_OBJECT, .schema = &v1_pagination_schema },
        {},
};
static const Schema page_schema = { .name = "AuditLog", .fields = page_fields };

const Reply v1_audit_replies[] = { REPLY_OBJECT(200, "The newest first.", page_schema), {} };
