/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/jobs-reply.h"
#include "api/api.h"
#include "api/http/list-reply.h"
#include "api/reading.h"
#include "basic/string-util.h"

typedef struct JobsList {
        Api *api;
        JobFilter filter; /* of the next step; its limit is what is left */
        char **ids, *workflow_id;
        const JobsFormat *format;
        usec_t now;
        JobRows rows; /* read, and not told yet */
} JobsList;

static void jobs_list_free(void *userdata) {
        JobsList *l = userdata;

        job_rows_done(&l->rows);
        strv_free(l->ids);
        free(l->workflow_id);
        free(l);
}

/* In a thread the first ones, in the loop the others. */
static int read_rows_of(JobsList *l, Store *store) {
        JobFilter filter = l->filter;
        int r;

        filter.limit = MIN(filter.limit, (uint64_t) l->format->step);
        r = store_jobs_list(store, &filter, &l->rows);
        if (r < 0)
                return r;
        l->filter.offset = 0;
        /* A page that is not full was the last one. */
        l->filter.limit = l->rows.n < filter.limit ? 0 : l->filter.limit - l->rows.n;
        if (l->rows.n > 0)
                l->filter.before = l->rows.rows[l->rows.n - 1]->seq;
        return 0;
}

/* Reads the next ones; none at the end, or without a database. */
static int read_rows(JobsList *l) {
        Store *store;
        int r;

        if (l->filter.limit == 0)
                return 0;
        r = api_store(l->api, &store);
        if (r >= 0)
                return read_rows_of(l, store);
        l->filter.limit = 0;
        return r == -ENOENT ? 0 : r;
}

static int make_elements(JobsList *l, json_t **ret) {
        _cleanup_json_ json_t *list = json_array();

        if (!list)
                return -ENOMEM;
        for (size_t i = 0; i < l->rows.n; i++)
                if (json_array_append_new(list, l->format->to_json(l->rows.rows[i], l->now)) < 0)
                        return -ENOMEM;
        job_rows_done(&l->rows);
        *ret = TAKE_PTR(list);
        return 0;
}

static int jobs_step(void *userdata, json_t **ret) {
        JobsList *l = userdata;
        int r = l->rows.n > 0 ? 0 : read_rows(l);

        if (r >= 0)
                r = make_elements(l, ret);
        return r < 0 ? r : l->filter.limit > 0;
}

static int copy_ids(JobsList *l, char *const *ids) {
        l->ids = new0(char *, 1); /* a list without IDs has no jobs */
        if (!l->ids)
                return -ENOMEM;
        STRV_FOREACH(id, ids) {
                int r = strv_extend(&l->ids, *id);

                if (r < 0)
                        return r;
        }
        l->filter.ids = l->ids;
        return 0;
}

/* --- a page that takes longer to be found ---------------------------------------------------------- */

typedef struct JobsReading {
        JobsList *list;
        json_t *head;
} JobsReading;

static void jobs_reading_free(void *userdata) {
        JobsReading *g = userdata;

        if (g->list)
                jobs_list_free(g->list);
        json_decref(g->head);
        free(g);
}

static int read_first(Store *store, void *userdata) {
        JobsReading *g = userdata;

        return g->list->filter.limit > 0 ? read_rows_of(g->list, store) : 0;
}

/* Takes @l and @head, also on failure. */
static int reply_list(Request *r, JobsList *l, json_t *head) {
        _cleanup_json_ json_t *owned = head;

        if (json_object_set_new(owned, "total", json_integer((json_int_t) l->rows.total)) >= 0)
                return request_reply_list(r, TAKE_PTR(owned), "jobs", jobs_step, l, jobs_list_free);
        jobs_list_free(l);
        return -ENOMEM;
}

static int reply_read(Request *r, int result, void *userdata) {
        JobsReading *g = userdata;

        if (result == -ENOENT)
                g->list->filter.limit = 0;
        else if (result < 0)
                return result;
        return reply_list(r, TAKE_PTR(g->list), TAKE_PTR(g->head));
}

/* Rows that are passed over, and those of a workflow or with some IDs, which are counted. */
#define OFFSET_FEW 1000u

static bool takes_longer(const JobFilter *filter) {
        return filter->offset > OFFSET_FEW || filter->workflow_id || filter->ids;
}

/* Takes @l and @head, also on failure. */
static int read_then_reply(Request *r, JobsList *l, json_t *head) {
        static const ReadingOps ops = { read_first, reply_read, jobs_reading_free };
        JobsReading *g = new0(JobsReading, 1);

        if (!g) {
                jobs_list_free(l);
                json_decref(head);
                return -ENOMEM;
        }
        *g = (JobsReading){ l, head };
        return request_read(r, &ops, g);
}

int request_reply_jobs(
                Request *r, const JobFilter *filter, json_t *head, const JobsFormat *format, usec_t now) {
        _cleanup_json_ json_t *owned = head;
        JobsList *l = owned ? new0(JobsList, 1) : NULL;
        int k = 0;

        if (!l)
                return -ENOMEM;
        *l = (JobsList){ .api = request_api(r), .filter = *filter, .format = format, .now = now };
        if (filter->ids)
                k = copy_ids(l, filter->ids);
        if (filter->workflow_id) {
                l->filter.workflow_id = l->workflow_id = strdup(filter->workflow_id);
                k = l->workflow_id ? k : -ENOMEM;
        }
        if (k >= 0 && takes_longer(filter))
                return read_then_reply(r, l, TAKE_PTR(owned));
        if (k >= 0)
                k = read_rows(l);
        if (k >= 0)
                return reply_list(r, l, TAKE_PTR(owned));
        jobs_list_free(l);
        return k;
}
