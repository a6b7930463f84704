/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* GetManagedObjects() in steps, between which the event loop serves others. libsystemd would answer in one
 * go, and with thousands of objects that takes a fifth of a second and more.
 *
 * An object may change while the answer is made. The caller gets the signals of that before the answer, and
 * may ignore them, so they are sent again after it. */

#include <stdbool.h>

#include "shared/bus-object.h"
#include "shared/step-reply.h"

typedef struct ObjectChange ObjectChange;
typedef struct ObjectList ObjectList;

typedef struct ObjectListType {
        /* Adds some with object_list_add(). 1: there are more, 0: that was all. */
        int (*step)(ObjectList *l);
        /* The interface of an object at @path that is gone. */
        const char *(*interface)(const char *path);
        void (*free)(ObjectList *l); /* the object that contains @l */
} ObjectListType;

/* To be contained in the object of a list. */
struct ObjectList {
        StepReply reply;
        const ObjectListType *type;
        sd_bus_message *message; /* the answer */
        ObjectChange *changes; /* since the answer was begun */
        size_t n_changes, allocated;
        bool lost_changes;
};

/* Whether @m is the call that a list answers. */
bool object_list_is_call(sd_bus_message *m);
/* Begins the answer to @call, as step_reply_start(). */
int object_list_start(ObjectList *l, const ObjectListType *type, StepReplies *replies, sd_bus_message *call);
int object_list_add(ObjectList *l, const BusObject *o);

/* An object was added or changed, or was removed: noted for the lists among @replies. */
void object_list_changed(StepReplies *replies, const char *path, bool removed);
