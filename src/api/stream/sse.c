/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The hub: streams by job, what the journal tells of these, the tick. What one stream does is in
 * sse-stream.c. */

#include "api/stream/sse.h"
#include "api/api-state.h"
#include "basic/log.h"
#include "basic/string-util.h"

#define SSE_TICK (5 * USEC_PER_SEC)
/* The manager writes a job's last event after the database has it; by then it is surely there. */
#define SSE_SETTLE (2 * USEC_PER_SEC)

static SseTopic *sse_hub_topic(SseHub *h, const char *job_id) {
        SseTopic *topic;

        HASH_FIND_STR(h->topics, job_id, topic);
        return topic;
}

void sse_news_init(SseNews *n, const JobEvent *event) {
        *n = (SseNews){ .event = event };
        n->has_position = journal_position_parse(event->cursor, &n->position) >= 0;
}

void sse_news_done(SseNews *n) {
        n->text = mfree(n->text);
}

static void on_event(const JobEvent *event, void *userdata) {
        SseHub *h = userdata;
        SseTopic *topic;
        SseStream *s;
        SseNews n;

        topic = sse_hub_topic(h, event->job_id);
        if (!topic)
                return;
        sse_news_init(&n, event);
        LIST_FOREACH(s, &topic->streams, streams)
                s->ops->event(s, &n);
        sse_news_done(&n);
}

bool sse_job_is_settled(Api *a, const char *job_id, JobRow **ret) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        Store *store;
        usec_t ended;

        if (api_store(a, &store) < 0 || store_job_get(store, job_id, &row) < 0)
                return false;
        if (!job_state_is_terminal(row->state))
                return false;
        ended = row->finished_at > 0 ? row->finished_at : row->updated_at;
        if (now_realtime() < ended + SSE_SETTLE)
                return false;

        if (ret)
                *ret = TAKE_PTR(row);
        return true;
}

static int on_tick(sd_event_source *source, uint64_t usec, void *userdata) {
        usec_t now = now_monotonic();
        SseTopic *topic, *tmp;
        SseHub *h = userdata;
        SseStream *s;

        HASH_ITER(hh, h->topics, topic, tmp) {
                bool ended = sse_job_is_settled(h->api, topic->job_id, NULL);

                LIST_FOREACH(s, &topic->streams, streams)
                        s->ops->tick(s, now, ended);
        }

        (void) sd_event_source_set_time_relative(source, SSE_TICK);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* Before the first stream replays: what is written after its replay must find us listening. */
static int sse_hub_start(SseHub *h) {
        int r;

        if (!h->tick) {
                r = sd_event_add_time_relative(
                                api_event(h->api), &h->tick, CLOCK_MONOTONIC, SSE_TICK, 0, on_tick, h);
                if (r < 0)
                        return r;
        }
        return event_hub_listen(api_events(h->api), &h->listener);
}

static void sse_hub_stop(SseHub *h) {
        event_hub_ignore(api_events(h->api), &h->listener);
        h->tick = sd_event_source_disable_unref(h->tick);
}

int sse_hub_add(SseHub *h, const char *job_id, SseStream *s) {
        SseTopic *topic;
        int r;

        r = sse_hub_start(h);
        if (r < 0)
                return r;

        topic = sse_hub_topic(h, job_id);
        if (!topic) {
                topic = new0(SseTopic, 1);
                if (!topic)
                        return -ENOMEM;
                topic->job_id = strdup(job_id);
                if (!topic->job_id) {
                        free(topic);
                        return -ENOMEM;
                }
                LIST_INIT(&topic->streams);
                HASH_ADD_KEYPTR(hh, h->topics, topic->job_id, strlen(topic->job_id), topic);
        }

        LIST_INSERT_HEAD(&topic->streams, s, streams);
        s->topic = topic;
        return 0;
}

void sse_hub_remove(SseHub *h, SseStream *s) {
        SseTopic *topic = s->topic;

        if (!topic)
                return;
        s->topic = NULL;
        LIST_REMOVE(s, streams);
        if (!LIST_EMPTY(&topic->streams))
                return;

        HASH_DEL(h->topics, topic);
        free(topic->job_id);
        free(topic);
        if (!h->topics)
                sse_hub_stop(h);
}

int sse_hub_new(Api *a, SseHub **ret) {
        SseHub *h = new0(SseHub, 1);

        if (!h)
                return -ENOMEM;
        h->api = a;
        h->listener = (EventListener){ .on_event = on_event, .userdata = h };
        *ret = h;
        return 0;
}

void sse_hub_end(SseHub *h) {
        SseTopic *topic, *tmp;
        SseStream *s;

        HASH_ITER(hh, h->topics, topic, tmp)
                LIST_FOREACH(s, &topic->streams, streams)
                        s->ops->end(s);
}

SseHub *sse_hub_free(SseHub *h) {
        if (!h)
                return NULL;

        assert(!h->topics); /* the connections were closed before */
        sse_hub_stop(h);
        free(h);
        return NULL;
}
