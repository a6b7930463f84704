/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/managed-objects.h"

#include "basic/string-util.h"
#include "manager/manager.h"
#include "manager/step-reply.h"
#include "store/jobs-list.h"

/* So many are read in one step. */
#define STEP 50u
#define DBUS_INTERFACE "org.freedesktop.DBus."

typedef struct Change {
        char *path;
        bool removed;
} Change;

typedef struct ManagedObjects {
        StepReply reply;
        sd_bus_message *message; /* the answer */
        int64_t seq; /* of the last row in the answer */
        bool jobs_done;
        Change *changes; /* since the answer was begun */
        size_t n_changes, allocated;
        bool lost_changes;
} ManagedObjects;

static ManagedObjects *list_of(StepReply *r) {
        return CONTAINER_OF(r, ManagedObjects, reply);
}

static void list_free(StepReply *r) {
        ManagedObjects *l = list_of(r);

        sd_bus_message_unref(l->message);
        for (size_t i = 0; i < l->n_changes; i++)
                free(l->changes[i].path);
        free(l->changes);
        free(l);
}

/* --- one object ------------------------------------------------------------------------------------ */

static int append_property(ManagedObjects *l, const char *path, const char *interface,
                const sd_bus_vtable *property, void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *m = l->message;
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", property->x.property.member);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', property->x.property.signature);
        if (r >= 0)
                r = property->x.property.get(l->reply.manager->bus, path, interface,
                                property->x.property.member, m, userdata, &error);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* The same interfaces as in InterfacesAdded. All properties of @vtable have a function. */
static int append_object(ManagedObjects *l, const char *path, const char *interface,
                const sd_bus_vtable *vtable, void *userdata) {
        sd_bus_message *m = l->message;
        int r;

        r = sd_bus_message_open_container(m, 'e', "oa{sa{sv}}");
        if (r >= 0)
                r = sd_bus_message_append(m, "o", path);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sa{sv}}");
        if (r >= 0)
                r = sd_bus_message_append(m, "{sa{sv}}{sa{sv}}{sa{sv}}", DBUS_INTERFACE "Peer", 0,
                                DBUS_INTERFACE "Introspectable", 0, DBUS_INTERFACE "Properties", 0);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'e', "sa{sv}");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", interface);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sv}");
        for (; r >= 0 && vtable->type != _SD_BUS_VTABLE_END; vtable++)
                if (vtable->type == _SD_BUS_VTABLE_PROPERTY)
                        r = append_property(l, path, interface, vtable, userdata);
        for (unsigned i = 0; r >= 0 && i < 4; i++)
                r = sd_bus_message_close_container(m);
        return r;
}

/* --- steps ----------------------------------------------------------------------------------------- */

static uint32_t unfinished_states(void) {
        uint32_t states = 0;

        for (JobState s = 0; s < _JOB_STATE_MAX; s++)
                if (!job_state_is_terminal(s))
                        states |= 1u << s;
        return states;
}

/* 1: there are more, 0: that was all. */
static int add_jobs(ManagedObjects *l) {
        const JobFilter filter = {
                .states = unfinished_states(), .order = JOB_ORDER_NEWEST, .limit = STEP, .before = l->seq
        };
        _cleanup_(job_rows_done) JobRows rows = {};
        int r = store_jobs_list(l->reply.manager->store, &filter, &rows);

        for (size_t i = 0; r >= 0 && i < rows.n; i++) {
                Job *j = manager_get_job(l->reply.manager, rows.rows[i]->id);
                _cleanup_free_ char *path = j ? job_bus_path(j->row->id) : NULL;

                l->seq = rows.rows[i]->seq;
                if (j && !job_is_finished(j))
                        r = path ? append_object(l, path, HYPER_JOB_INTERFACE, l->reply.manager->job_vtable,
                                                   j)
                                 : -ENOMEM;
        }
        return r < 0 ? r : rows.n == STEP;
}

static int add_schedules(ManagedObjects *l) {
        _cleanup_(schedule_rows_done) ScheduleRows rows = {};
        Manager *m = l->reply.manager;
        int r = store_schedules_list_after(m->store, l->seq, 0, STEP, &rows);

        for (size_t i = 0; r >= 0 && i < rows.n; i++) {
                _cleanup_free_ char *path = schedule_bus_path(rows.rows[i]->id);

                l->seq = rows.rows[i]->seq;
                /* Where the functions of the properties expect it; as schedule_find() does. */
                schedule_row_free(m->schedule);
                m->schedule = TAKE_PTR(rows.rows[i]);
                r = path ? append_object(l, path, HYPER_SCHEDULE_INTERFACE, m->schedule_vtable, m) : -ENOMEM;
        }
        return r < 0 ? r : rows.n == STEP;
}

static bool changes_later(const ManagedObjects *l, size_t i) {
        for (size_t k = i + 1; k < l->n_changes; k++)
                if (streq(l->changes[k].path, l->changes[i].path))
                        return true;
        return false;
}

static int repeat_changes(ManagedObjects *l) {
        sd_bus *bus = l->reply.manager->bus;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < l->n_changes; i++) {
                const char *path = l->changes[i].path;

                if (changes_later(l, i))
                        continue;
                r = !l->changes[i].removed ? sd_bus_emit_object_added(bus, path)
                                           : sd_bus_emit_interfaces_removed(bus, path,
                                                             startswith(path, HYPER_JOB_PATH_PREFIX "/")
                                                                             ? HYPER_JOB_INTERFACE
                                                                             : HYPER_SCHEDULE_INTERFACE,
                                                             NULL);
        }
        return r;
}

static int finish(StepReply *reply) {
        ManagedObjects *l = list_of(reply);
        int r = l->lost_changes ? -ENOMEM : sd_bus_message_close_container(l->message);

        if (r >= 0)
                r = sd_bus_send(NULL, l->message, NULL);
        return r < 0 ? r : repeat_changes(l);
}

static int step(StepReply *reply) {
        ManagedObjects *l = list_of(reply);
        int r = l->jobs_done ? add_schedules(l) : add_jobs(l);

        if (r != 0 || l->jobs_done)
                return r;
        l->jobs_done = true;
        l->seq = 0;
        return 1;
}

static const StepReplyType managed_objects = {
        .what = "all objects", .step = step, .finish = finish, .free = list_free
};

/* --- the call -------------------------------------------------------------------------------------- */

static int on_call(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        ManagedObjects *l;
        int r;

        if (!sd_bus_message_is_method_call(message, DBUS_INTERFACE "ObjectManager", "GetManagedObjects"))
                return 0;
        l = new0(ManagedObjects, 1);
        if (!l)
                return -ENOMEM;
        r = sd_bus_message_new_method_return(message, &l->message);
        if (r >= 0)
                r = sd_bus_message_open_container(l->message, 'a', "{oa{sa{sv}}}");
        if (r >= 0)
                return step_reply_start(&l->reply, &managed_objects, userdata, message);
        list_free(&l->reply);
        return r;
}

int managed_objects_register(Manager *m) {
        return sd_bus_add_object(m->bus, &m->object_slots[8], HYPER_BUS_PATH, on_call, m);
}

void managed_objects_changed(Manager *m, const char *path, bool removed) {
        StepReply *reply;

        TAILQ_FOREACH(reply, &m->step_replies, entries) {
                ManagedObjects *l = list_of(reply);
                char *copy;

                if (reply->type != &managed_objects)
                        continue;
                copy = strdup(path);
                if (!copy || !GREEDY_REALLOC(l->changes, l->allocated, l->n_changes + 1)) {
                        free(copy);
                        l->lost_changes = true;
                        continue;
                }
                l->changes[l->n_changes++] = (Change){ copy, removed };
        }
}
