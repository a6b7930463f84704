/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shared/object-list.h"

#include "basic/string-util.h"

struct ObjectChange {
        char *path;
        bool removed;
};

static ObjectList *list_of(StepReply *r) {
        return CONTAINER_OF(r, ObjectList, reply);
}

static void list_free(StepReply *r) {
        ObjectList *l = list_of(r);

        sd_bus_message_unref(l->message);
        for (size_t i = 0; i < l->n_changes; i++)
                free(l->changes[i].path);
        free(l->changes);
        l->type->free(l);
}

static bool changes_later(const ObjectList *l, size_t i) {
        for (size_t k = i + 1; k < l->n_changes; k++)
                if (streq(l->changes[k].path, l->changes[i].path))
                        return true;
        return false;
}

static int repeat_changes(ObjectList *l) {
        sd_bus *bus = sd_bus_message_get_bus(l->message);
        int r = 0;

        for (size_t i = 0; r >= 0 && i < l->n_changes; i++) {
                const char *path = l->changes[i].path;

                if (changes_later(l, i))
                        continue;
                r = l->changes[i].removed
                                ? sd_bus_emit_interfaces_removed(bus, path, l->type->interface(path), NULL)
                                : sd_bus_emit_object_added(bus, path);
        }
        return r;
}

static int finish(StepReply *reply) {
        ObjectList *l = list_of(reply);
        int r = l->lost_changes ? -ENOMEM : sd_bus_message_close_container(l->message);

        if (r >= 0)
                r = sd_bus_send(NULL, l->message, NULL);
        return r < 0 ? r : repeat_changes(l);
}

static int step(StepReply *reply) {
        ObjectList *l = list_of(reply);

        return l->type->step(l);
}

static const StepReplyType object_list = {
        .what = "all objects", .step = step, .finish = finish, .free = list_free
};

bool object_list_is_call(sd_bus_message *m) {
        return sd_bus_message_is_method_call(m, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects") >
                        0;
}

int object_list_start(
                ObjectList *l, const ObjectListType *type, StepReplies *replies, sd_bus_message *call) {
        int r;

        l->type = type;
        r = sd_bus_message_new_method_return(call, &l->message);
        if (r >= 0)
                r = sd_bus_message_open_container(l->message, 'a', "{oa{sa{sv}}}");
        if (r >= 0)
                return step_reply_start(&l->reply, &object_list, replies, call);
        list_free(&l->reply);
        return r;
}

int object_list_add(ObjectList *l, const BusObject *o) {
        return bus_object_append(l->message, o);
}

void object_list_changed(StepReplies *replies, const char *path, bool removed) {
        StepReply *reply;

        TAILQ_FOREACH(reply, &replies->replies, entries) {
                ObjectList *l = list_of(reply);
                char *copy;

                if (reply->type != &object_list)
                        continue;
                copy = strdup(path);
                if (!copy || !GREEDY_REALLOC(l->changes, l->allocated, l->n_changes + 1)) {
                        free(copy);
                        l->lost_changes = true;
                        continue;
                }
                l->changes[l->n_changes++] = (ObjectChange){ copy, removed };
        }
}
