/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/job-index.h"

#include "basic/string-util.h"
#include "manager/lookup.h"
#include "manager/worker/worker-local.h"

static bool starts_before(const void *x, const void *y) {
        const Job *a = x, *b = y;

        return job_comes_before(a, b);
}

static bool looks_before(const void *x, const void *y) {
        const Job *a = x, *b = y;

        return a->look_again_at < b->look_again_at;
}

static bool due_before(const void *x, const void *y) {
        const Job *a = x, *b = y;

        return a->row->due_at < b->row->due_at;
}

void job_index_init(JobIndex *p) {
        const size_t offset = offsetof(Job, place_index);

        *p = (JobIndex){};
        prioq_init(&p->later, looks_before, offset);
        prioq_init(&p->retrying, due_before, offset);
        prioq_init(&p->waiting, due_before, offset);
        TAILQ_INIT(&p->deciding);
        TAILQ_INIT(&p->looked_at);
        TAILQ_INIT(&p->here);
        TAILQ_INIT(&p->held);
        TAILQ_INIT(&p->ending);
}

static JobClass *class_free(JobIndex *p, JobClass *c) {
        HASH_DEL(p->classes, c);
        prioq_done(&c->own);
        prioq_done(&c->shared);
        return mfree(c);
}

void job_index_done(JobIndex *p) {
        JobClass *c, *next;

        HASH_ITER(hh, p->classes, c, next)
                class_free(p, c);
        prioq_done(&p->later);
        prioq_done(&p->retrying);
        prioq_done(&p->waiting);
        HASH_CLEAR(by_path, p->destinations);
}

static int find_class(JobIndex *p, int64_t limit_set, JobClass **ret) {
        const size_t offset = offsetof(Job, place_index);
        JobClass *c;

        HASH_FIND(hh, p->classes, &limit_set, sizeof(limit_set), c);
        if (!c) {
                c = new0(JobClass, 1);
                if (!c)
                        return -ENOMEM;
                c->limit_set = limit_set;
                prioq_init(&c->own, starts_before, offset);
                prioq_init(&c->shared, starts_before, offset);
                HASH_ADD(hh, p->classes, limit_set, sizeof(c->limit_set), c);
        }
        *ret = c;
        return 0;
}

int job_index_add(JobIndex *p, Job *j) {
        JobClass *c;
        int r = find_class(p, j->row->limit_set, &c);

        if (r < 0)
                return r;
        Prioq *const all[] = { &p->later, &p->retrying, &p->waiting },
                     *const own[] = { &c->own, &c->shared };
        for (size_t i = 0; i < ELEMENTSOF(all) && r >= 0; i++)
                r = prioq_reserve(all[i], p->n_jobs + 1);
        for (size_t i = 0; i < ELEMENTSOF(own) && r >= 0; i++)
                r = prioq_reserve(own[i], c->n_jobs + 1);
        if (r < 0) {
                if (c->n_jobs == 0)
                        class_free(p, c);
                return r;
        }
        p->n_jobs++;
        c->n_jobs++;
        j->class = c;
        return 0;
}

static void leave(JobIndex *p, Job *j) {
        if (j->queue)
                prioq_remove(j->queue, j);
        if (j->list)
                TAILQ_REMOVE(j->list, j, in_list);
        j->queue = NULL;
        j->list = NULL;
}

static void enter_queue(Prioq *q, Job *j) {
        j->queue = q;
        prioq_put(q, j);
}

static void enter_list(struct JobList *list, Job *j) {
        j->list = list;
        TAILQ_INSERT_TAIL(list, j, in_list);
}

static void forget_destinations(JobIndex *p, Job *j) {
        for (size_t i = 0; i < j->n_destinations && j->has_destinations; i++)
                HASH_DELETE(by_path, p->destinations, &j->destinations[i]);
        j->has_destinations = false;
}

static void place_queued(JobIndex *p, Job *j, usec_t now) {
        if (j->lookup)
                enter_list(&p->looked_at, j);
        else if (j->deciding)
                enter_list(&p->deciding, j);
        else if (j->row->due_at > now || job_is_on_hold(j))
                enter_queue(&p->waiting, j);
        else if (!j->row->any_worker)
                enter_queue(&j->class->own, j);
        else if (!worker_could_be_local(j))
                return; /* for workers only */
        else if (j->look_again_at > now)
                enter_queue(&p->later, j);
        else
                enter_queue(&j->class->shared, j);
}

void job_index_put(JobIndex *p, Job *j, usec_t now) {
        leave(p, j);
        /* It was cancelled meanwhile, or a worker has got it. */
        if (j->row->state != JOB_QUEUED) {
                j->lookup = lookup_cancel(j->lookup);
                j->deciding = false;
        }
        if (job_is_finished(j)) {
                forget_destinations(p, j);
                enter_list(&p->ending, j);
                return;
        }
        for (size_t i = 0; i < j->n_destinations && !j->has_destinations; i++) {
                JobDestination *d = &j->destinations[i];
                HASH_ADD_KEYPTR(by_path, p->destinations, d->path, strlen(d->path), d);
        }
        j->has_destinations = true;
        switch (j->row->state) {
        case JOB_QUEUED:
                place_queued(p, j, now);
                break;
        case JOB_RETRYING:
                enter_queue(&p->retrying, j);
                break;
        case JOB_ASSIGNED:
        case JOB_RUNNING:
                enter_list(job_is_held(j) ? &p->held : &p->here, j);
                break;
        default:
                break;
        }
}

void job_index_remove(JobIndex *p, Job *j) {
        j->lookup = lookup_cancel(j->lookup);
        leave(p, j);
        forget_destinations(p, j);
        if (--j->class->n_jobs == 0)
                class_free(p, j->class);
        j->class = NULL;
        p->n_jobs--;
}

Job *job_index_by_destination(const JobIndex *p, const char *destination) {
        JobDestination *d;

        HASH_FIND(by_path, p->destinations, destination, strlen(destination), d);
        return d ? d->job : NULL;
}
