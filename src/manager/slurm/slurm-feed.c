/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/slurm/slurm-feed.h"

#include <pwd.h>

#include "basic/log.h"
#include "manager/commit-group.h"
#include "manager/systemd-names.h"
#include "spec/job-demand.h"
#include "store/slurm-jobs.h"

#define SERVICE "hyper-slurmd.service"
#define SLURM_USER "hyper-slurmd"

static int on_started(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        SlurmFeed *f = userdata;

        f->start_call = sd_bus_slot_unref(f->start_call);
        if (error)
                log_error("Failed to start " SERVICE ", so no job is handed over to Slurm: %s",
                                error->message);
        return 0;
}

static void start_slurmd(SlurmFeed *f) {
        int r;

        if (f->start_call)
                return;
        r = sd_bus_call_method_async(f->manager->bus, &f->start_call, SYSTEMD_NAME, SYSTEMD_PATH,
                        SYSTEMD_MANAGER, "StartUnit", on_started, f, "ss", SERVICE, "replace");
        if (r < 0)
                log_error_errno(r, "Failed to start " SERVICE ": %m");
}

static int is_pending(Manager *m) {
        _cleanup_(slurm_rows_done) SlurmRows next = {}, known = {};
        int r = store_slurm_next(m->store, 1, &next);

        if (r >= 0 && next.n == 0)
                r = store_slurm_known(m->store, &known);
        return r < 0 ? r : next.n + known.n > 0;
}

static void look(SlurmFeed *f) {
        Manager *m = f->manager;
        int r;

        if (m->draining || !m->settings->slurm.url)
                return;
        r = is_pending(m);
        if (r < 0)
                log_error_errno(r, "Failed to look for jobs for Slurm: %m");
        if (r <= 0)
                return;
        (void) sd_bus_emit_signal(m->bus, HYPER_BUS_PATH, HYPER_SLURM_INTERFACE, "SlurmPending", "");
        if (!f->slurmd || sd_bus_track_count(f->slurmd) == 0)
                start_slurmd(f);
}

static int on_wake(sd_event_source *s, void *userdata) {
        SlurmFeed *f = userdata;

        f->wake_source = sd_event_source_disable_unref(f->wake_source);
        look(f);
        return 0;
}

void slurm_feed_wake(SlurmFeed *f) {
        int r;

        if (!f || f->wake_source)
                return;
        r = sd_event_add_defer(f->manager->event, &f->wake_source, on_wake, f);
        /* What it reads would end a group of requests that is not complete. */
        if (r >= 0)
                r = sd_event_source_set_priority(f->wake_source, COMMIT_GROUP_PRIORITY + 1);
        if (r < 0)
                log_error_errno(r, "Failed to look for jobs for Slurm: %m");
}

void slurm_feed_job_changed(Job *j) {
        if ((job_demand_unpack(j->row->demand).capabilities & DEMAND_SLURM) &&
                        (j->row->state == JOB_QUEUED || job_is_finished(j)))
                slurm_feed_wake(j->manager->slurm);
}

bool slurm_feed_is_busy(const SlurmFeed *f) {
        return f && (f->wake_source || f->start_call || (f->slurmd && sd_bus_track_count(f->slurmd) > 0));
}

/* It has nothing to do any more, or has crashed. */
static int on_gone(sd_bus_track *track, void *userdata) {
        slurm_feed_wake(userdata);
        return 1; /* at 0 sd-bus would call again at once, and for ever */
}

int slurm_feed_meet(SlurmFeed *f, sd_bus_message *message) {
        int r = 0;

        if (!f->slurmd)
                r = sd_bus_track_new(f->manager->bus, &f->slurmd, on_gone, f);
        return r < 0 ? r : sd_bus_track_add_sender(f->slurmd, message);
}

SlurmFeed *slurm_feed_free(SlurmFeed *f) {
        if (!f)
                return NULL;
        sd_event_source_disable_unref(f->wake_source);
        sd_bus_slot_unref(f->object_slot);
        sd_bus_slot_unref(f->start_call);
        sd_bus_track_unref(f->slurmd);
        return mfree(f);
}

int slurm_feed_new(Manager *m, SlurmFeed **ret) {
        SlurmFeed *f = new0(SlurmFeed, 1);
        struct passwd *user = getpwnam(SLURM_USER);

        if (!f)
                return -ENOMEM;
        f->manager = m;
        f->uid = user ? user->pw_uid : SLURM_UID_INVALID;
        *ret = f;
        return 0;
}
