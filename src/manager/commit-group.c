/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/commit-group.h"
#include "basic/log.h"
#include "basic/string-util.h"

/* A group ends with this many members at the latest. */
#define MEMBERS_MAX 256u

typedef struct Member {
        commit_done done;
        void *userdata;
} Member;

struct CommitGroup {
        Store *store;
        void (*committed)(void *userdata);
        void *userdata;
        sd_event_source *source; /* enabled while there is a group */
        usec_t age_max;
        usec_t begun; /* monotonic */
        Member members[MEMBERS_MAX];
        size_t n_members;
};

static void tell(CommitGroup *g, int r) {
        Member members[MEMBERS_MAX];
        size_t n = g->n_members;

        /* Those that are told may begin the next group. */
        memcpy(members, g->members, n * sizeof(Member));
        g->n_members = 0;
        (void) sd_event_source_set_enabled(g->source, SD_EVENT_OFF);
        if (r >= 0)
                g->committed(g->userdata);
        for (size_t i = 0; i < n; i++)
                members[i].done(r, members[i].userdata);
}

void commit_group_settle(CommitGroup *g) {
        int r = store_group_commit(g->store);

        if (r == -ENOENT)
                return;
        if (r < 0)
                log_error_errno(r, "Failed to record what %zu clients have asked for: %m", g->n_members);
        tell(g, r);
}

static int on_source(sd_event_source *s, void *userdata) {
        commit_group_settle(userdata);
        return 0;
}

int commit_group_enter(CommitGroup *g) {
        int r;

        if (g->n_members >= MEMBERS_MAX || (g->n_members > 0 && now_monotonic() - g->begun >= g->age_max))
                commit_group_settle(g);
        r = store_group_enter(g->store);
        if (r == -EBUSY) {
                commit_group_settle(g);
                r = store_group_enter(g->store);
        }
        if (r < 0)
                return r;
        if (g->n_members == 0)
                g->begun = now_monotonic();
        r = sd_event_source_set_enabled(g->source, SD_EVENT_ONESHOT);
        if (r < 0)
                store_group_leave(g->store);
        return r;
}

void commit_group_leave(CommitGroup *g, commit_done done, void *userdata) {
        store_group_leave(g->store);
        if (done)
                g->members[g->n_members++] = (Member){ done, userdata };
}

size_t commit_group_pending(const CommitGroup *g) {
        return g ? g->n_members : 0;
}

int commit_group_new(sd_event *event, Store *store, usec_t age_max, void (*committed)(void *userdata),
                void *userdata, CommitGroup **ret) {
        _cleanup_(commit_group_freep) CommitGroup *g = new0(CommitGroup, 1);
        int r;

        if (!g)
                return -ENOMEM;
        g->store = store;
        g->age_max = age_max;
        g->committed = committed;
        g->userdata = userdata;
        r = sd_event_add_defer(event, &g->source, on_source, g);
        if (r >= 0)
                r = sd_event_source_set_enabled(g->source, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_source_set_priority(g->source, COMMIT_GROUP_PRIORITY);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(g);
        return 0;
}

CommitGroup *commit_group_free(CommitGroup *g) {
        if (!g)
                return NULL;
        for (size_t i = 0; i < g->n_members; i++)
                g->members[i].done(-ECANCELED, g->members[i].userdata);
        sd_event_source_disable_unref(g->source);
        return mfree(g);
}
