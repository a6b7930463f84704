/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/managed-objects.h"

#include "basic/string-util.h"
#include "manager/manager.h"
#include "shared/object-list.h"
#include "store/jobs-list.h"

/* So many are read in one step. */
#define STEP 50u

typedef struct ManagedObjects {
        ObjectList list;
        int64_t seq; /* of the last row in the answer */
        bool jobs_done;
} ManagedObjects;

static Manager *manager_of(const ManagedObjects *l) {
        return l->list.reply.replies->daemon;
}

static uint32_t unfinished_states(void) {
        uint32_t states = 0;

        for (JobState s = 0; s < _JOB_STATE_MAX; s++)
                if (!job_state_is_terminal(s))
                        states |= 1u << s;
        return states;
}

static int add_job(ManagedObjects *l, Job *j) {
        _cleanup_free_ char *path = job_bus_path(j->row->id);

        return path ? object_list_add(&l->list,
                                      &(BusObject){ path, HYPER_JOB_INTERFACE, manager_of(l)->job_vtable,
                                                      j })
                    : -ENOMEM;
}

/* 1: there are more, 0: that was all. */
static int add_jobs(ManagedObjects *l) {
        const JobFilter filter = {
                .states = unfinished_states(), .order = JOB_ORDER_NEWEST, .limit = STEP, .before = l->seq
        };
        _cleanup_(job_rows_done) JobRows rows = {};
        Manager *m = manager_of(l);
        int r = store_jobs_list(m->store, &filter, &rows);

        for (size_t i = 0; r >= 0 && i < rows.n; i++) {
                Job *j = manager_get_job(m, rows.rows[i]->id);

                l->seq = rows.rows[i]->seq;
                if (j && !job_is_finished(j))
                        r = add_job(l, j);
        }
        return r < 0 ? r : rows.n == STEP;
}

static int add_schedules(ManagedObjects *l) {
        _cleanup_(schedule_rows_done) ScheduleRows rows = {};
        Manager *m = manager_of(l);
        int r = store_schedules_list_after(m->store, l->seq, 0, STEP, &rows);

        for (size_t i = 0; r >= 0 && i < rows.n; i++) {
                _cleanup_free_ char *path = schedule_bus_path(rows.rows[i]->id);

                l->seq = rows.rows[i]->seq;
                /* Where the functions of the properties expect it; as schedule_find() does. */
                schedule_row_free(m->schedule);
                m->schedule = TAKE_PTR(rows.rows[i]);
                r = path ? object_list_add(&l->list,
                                           &(BusObject){ path, HYPER_SCHEDULE_INTERFACE, m->schedule_vtable,
                                                           m })
                         : -ENOMEM;
        }
        return r < 0 ? r : rows.n == STEP;
}

static int step(ObjectList *list) {
        ManagedObjects *l = CONTAINER_OF(list, ManagedObjects, list);
        int r = l->jobs_done ? add_schedules(l) : add_jobs(l);

        if (r != 0 || l->jobs_done)
                return r;
        l->jobs_done = true;
        l->seq = 0;
        return 1;
}

static const char *interface_of(const char *path) {
        return startswith(path, HYPER_JOB_PATH_PREFIX "/") ? HYPER_JOB_INTERFACE : HYPER_SCHEDULE_INTERFACE;
}

static void list_free(ObjectList *list) {
        free(CONTAINER_OF(list, ManagedObjects, list));
}

static const ObjectListType type = { .step = step, .interface = interface_of, .free = list_free };

static int on_call(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;
        ManagedObjects *l;

        if (!object_list_is_call(message))
                return 0;
        l = new0(ManagedObjects, 1);
        return l ? object_list_start(&l->list, &type, &m->replies, message) : -ENOMEM;
}

int managed_objects_register(Manager *m) {
        return sd_bus_add_object(m->bus, &m->object_slots[8], HYPER_BUS_PATH, on_call, m);
}

void managed_objects_changed(Manager *m, const char *path, bool removed) {
        object_list_changed(&m->replies, path, removed);
}
