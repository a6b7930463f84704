/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/submit-caller.h"

#include <pwd.h>
#include <stdio.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "manager/caller-login.h"
#include "shared/error-table.h"

static int set_login(Submitter *s, const CallerLogin *login) {
        int r = login->user ? submitter_set(s, "user", login->user) : 0;

        return r >= 0 && login->session ? submitter_set(s, "session", login->session) : r;
}

static int set_uid(Submitter *s, uid_t uid) {
        char number[3 * sizeof(uid_t) + 1];

        (void) snprintf(number, sizeof(number), "%u", (unsigned) uid);
        return submitter_set(s, "uid", number);
}

/* The name of a user of this machine, which is not known yet. */
static int set_user_name(Submitter *s) {
        uint64_t uid;

        if (s->user || !s->uid || parse_uint64(s->uid, &uid) < 0)
                return 0;
        const struct passwd *pw = getpwuid((uid_t) uid);
        int r = pw ? submitter_set(s, "user", pw->pw_name) : 0;
        return r == -EINVAL ? 0 : r; /* not printable */
}

/* 1; 0: it is asked; or negative errno. */
static int set_caller(Manager *m, sd_bus_message *message, uid_t uid, Submitter *s) {
        CallerLogin login = {};
        int r = uid == 0 ? caller_login_find(m, message, &login) : 1;

        if (r <= 0)
                return r;
        r = set_uid(s, uid);
        if (r >= 0)
                r = set_login(s, &login);
        return r < 0 && r != -EINVAL ? r : 1;
}

/* o->submitted_by, which is remembered for as long as a caller is. */
static int set_submitted_by(Manager *m, SubmitOptions *o) {
        SubmitterCache *c = &m->submitters;
        usec_t now = now_monotonic();

        if (!c->text || now >= c->until || !submitter_equal(&c->given, &o->submitter)) {
                submitter_cache_done(c);
                c->given = o->submitter;
                o->submitter = (Submitter){};
                _cleanup_submitter_ Submitter named = {};
                int r = submitter_copy(&c->given, &named);

                if (r >= 0)
                        r = set_user_name(&named);
                if (r < 0)
                        return r;
                c->text = submitter_to_text(&named);
                c->until = now + CALLER_CACHE_TIME;
        }
        o->submitted_by = c->text ? strdup(c->text) : NULL;
        return o->submitted_by ? 1 : -ENOMEM;
}

int submit_caller_find(Manager *m, sd_bus_message *message, SubmitOptions *o, sd_bus_error *error) {
        const Caller *caller;
        int r = caller_find(&m->callers, message, &caller, error);

        if (r < 0)
                return r;
        if (o->has_submitter && !caller->is_api)
                return bus_error_setf(error, HYPER_BUS_ERROR_ACCESS_DENIED,
                                "options.submitter: only hyper-apid may give it; leave it out");
        if (!caller->is_api) {
                r = set_caller(m, message, caller->uid, &o->submitter);
                if (r <= 0)
                        return r;
        }
        const Submitter *s = &o->submitter;
        if (!s->user && !s->uid && !s->key && !s->address)
                return 1; /* hyper-apid does not know its client */
        return set_submitted_by(m, o);
}
