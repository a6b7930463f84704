/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A call of the bus: first its login is determined (for a named source, hyper-managerd is asked for it), then
 * it is a task for the thread of the server, and then there is a reply. A call whose client is gone is given
 * up, and so is one that takes too long. */

#include "vsphered/state.h"
#include "vsphered/vm-list.h"

/* What a method does. */
typedef struct CallKind {
        /* In the thread. 0, or negative errno with the text in session_error() or Task.error. */
        int (*run)(Call *c, Session *s);
        /* In the loop: appends the results. */
        int (*append)(const Call *c, sd_bus_message *reply);
} CallKind;

struct Call {
        Task task;
        Vsphered *daemon;
        const CallKind *kind;
        sd_bus_message *message;
        sd_bus_track *client;
        sd_event_source *timeout;
        sd_bus_slot *login_call;
        Login login;
        bool in_thread;
        bool cancelled; /* by the caller */
        Call *previous, *next;

        /* Arguments */
        char *vm, *filter_text;
        char **vms; /* GetVMs */
        VmCursor cursor;
        VmFilter filter;
        unsigned limit;
        bool off; /* PowerVM */

        /* Results */
        char *text, *next_cursor;
        uint64_t number;
        usec_t read_at; /* realtime: when what is listed was read */
};

/* A call with the source as its login; *ret is for the caller to add arguments to, and to start or free. */
int call_new(Vsphered *v, const CallKind *kind, sd_bus_message *message, const char *source,
                JsonErrors *fields, sd_bus_error *error, Call **ret);
Call *call_free(Call *c);
DEFINE_CLEANUP_FUNC(Call *, call_free);

/* Gives up the call that @sender has sent as its message @cookie. Nothing happens if there is none. */
void calls_cancel(Vsphered *v, const char *sender, uint64_t cookie);

/* Starts it; it is then its own. 1, or negative errno with @error set: what a handler of the bus returns. */
int call_start(Call *c, sd_bus_error *error);
