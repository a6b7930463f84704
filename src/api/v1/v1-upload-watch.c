/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-upload-watch.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "store/facts.h"
#include "store/upload-json.h"

#define INTERVAL USEC_PER_SEC
/* Those that are complete are known by their last change. */
#define OVERLAP (5 * USEC_PER_SEC)
/* An upload of more chunks is told without their numbers: that would be a message of 60 kB each second. */
#define CHUNKS_MAX 10000u

struct V1UploadWatch {
        Api *api;
        sd_event_source *timer;
        int64_t version; /* of the database */
        usec_t looked_at; /* realtime */
        json_t *known; /* by ID: a number that is another one after each change */
        v1_upload_func func;
        void *userdata;
};

static json_int_t mark_of(const UploadRow *row) {
        return (json_int_t) (row->updated_at * _UPLOAD_STATE_MAX + row->state);
}

static void tell(V1UploadWatch *w, Store *store, const UploadRow *row) {
        json_t *upload = NULL;
        int r = store_upload_json(store, row, CHUNKS_MAX, &upload);

        if (r < 0 && r != -ENOMEM)
                log_warning_errno(r, "Failed to read upload %s: %m", row->id);
        else
                w->func(row, upload, w->userdata);
}

/* Tells of what has changed, if @quiet is false. */
static int compare(V1UploadWatch *w, Store *store, const UploadRows *l, bool quiet) {
        _cleanup_json_ json_t *now = json_object();

        for (size_t i = 0; i < l->n; i++) {
                const UploadRow *row = &l->rows[i];
                const json_t *before = json_object_get(w->known, row->id);
                json_int_t mark = mark_of(row);

                if (json_object_set_new(now, row->id, json_integer(mark)) < 0)
                        return -ENOMEM;
                if (!quiet && (!before || json_integer_value(before) != mark))
                        tell(w, store, row);
        }
        json_decref(w->known);
        w->known = TAKE_PTR(now);
        return 0;
}

static int look(V1UploadWatch *w, bool quiet) {
        _cleanup_(upload_rows_done) UploadRows l = {};
        usec_t now = now_realtime(), since = w->looked_at > OVERLAP ? w->looked_at - OVERLAP : 0;
        int64_t version = 0;
        Store *store;
        int r = api_store(w->api, &store);

        if (r == -ENOENT) /* without a database, there are no uploads */
                return 0;
        if (r >= 0)
                r = store_version(store, &version);
        if (r < 0 || (!quiet && version == w->version))
                return r;
        r = store_uploads_recent(store, quiet ? now - OVERLAP : since, &l);
        if (r >= 0)
                r = compare(w, store, &l, quiet);
        if (r < 0)
                return r;
        w->version = version;
        w->looked_at = now;
        return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        V1UploadWatch *w = userdata;
        int r = look(w, false);

        if (r < 0)
                log_debug_errno(r, "Failed to read the uploads: %m");
        r = sd_event_source_set_time_relative(source, INTERVAL);
        return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

V1UploadWatch *v1_upload_watch_free(V1UploadWatch *w) {
        if (!w)
                return NULL;
        sd_event_source_disable_unref(w->timer);
        json_decref(w->known);
        return mfree(w);
}

int v1_upload_watch_new(Api *a, v1_upload_func func, void *userdata, V1UploadWatch **ret) {
        _cleanup_(v1_upload_watch_freep) V1UploadWatch *w = new0(V1UploadWatch, 1);
        int r;

        if (!w)
                return -ENOMEM;
        w->api = a;
        w->func = func;
        w->userdata = userdata;
        r = look(w, true);
        if (r < 0)
                log_debug_errno(r, "Failed to read the uploads: %m");
        r = sd_event_add_time_relative(api_event(a), &w->timer, CLOCK_MONOTONIC, INTERVAL, 0, on_timer, w);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(w);
        return 0;
}
