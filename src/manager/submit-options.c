/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What comes with a job or a schedule on the bus, beside the spec. */

#include "manager/submit-options.h"

#include "basic/string-util.h"
#include "manager/caller.h"
#include "manager/credentials.h"
#include "manager/manager.h"
#include "shared/bus-options.h"
#include "shared/error-table.h"

#define WARNINGS_MAX 64u
#define DIALECT_MAX 32u

void submit_options_done(SubmitOptions *o) {
        strv_free(o->warnings);
        submitter_done(&o->submitter);
        free(o->submitted_by);
        /* Copies of secrets do not linger in freed memory. */
        STRV_FOREACH(s, o->secrets)
                explicit_bzero(*s, strlen(*s));
        strv_free(o->secrets);
        *o = (SubmitOptions){};
}

static int wrong_option(sd_bus_error *error, const char *key, const char *text) {
        return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "options.%.64s: %s", key, text);
}

static bool dialect_is_valid(const char *s) {
        size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-_.");

        return n > 0 && n <= DIALECT_MAX && s[n] == '\0';
}

static int read_secrets(sd_bus_message *m, SubmitOptions *o, sd_bus_error *error) {
        const char *name, *value;
        int r = sd_bus_message_enter_container(m, 'a', "{ss}");

        while (r >= 0 && (r = sd_bus_message_read(m, "{ss}", &name, &value)) > 0) {
                if (!credential_name_is_valid(name))
                        return wrong_option(error, "secrets",
                                        "names must be of a-z, 0-9, \"_\", \".\" and \"-\", at most 64 "
                                        "long");
                if (strlen(value) > CREDENTIAL_SIZE_MAX)
                        return wrong_option(error, "secrets", "values must be at most 64 KiB long");
                if (strv_length(o->secrets) >= 2 * CREDENTIALS_MAX)
                        return wrong_option(error, "secrets", "must be at most 16");
                if ((r = strv_extend(&o->secrets, name)) >= 0)
                        r = strv_extend(&o->secrets, value);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_submitter(sd_bus_message *m, SubmitOptions *o, sd_bus_error *error) {
        const char *name, *value;
        int r = sd_bus_message_enter_container(m, 'a', "{ss}");

        while (r >= 0 && (r = sd_bus_message_read(m, "{ss}", &name, &value)) > 0) {
                r = submitter_set(&o->submitter, name, value);
                if (r == -EINVAL)
                        return wrong_option(error, "submitter",
                                        "must have nothing but user, uid, address, key, session and "
                                        "schedule, each a short text");
        }
        o->has_submitter = true;
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_option(sd_bus_message *m, const char *key, void *userdata, sd_bus_error *error) {
        SubmitOptions *o = userdata;
        int r, any_worker;

        if (streq(key, "dialect")) {
                r = sd_bus_message_read(m, "s", &o->dialect);
                if (r >= 0 && !dialect_is_valid(o->dialect))
                        return wrong_option(error, key, "must be a short word of lower-case letters");
                return r;
        }
        if (streq(key, "request")) {
                r = sd_bus_message_read(m, "s", &o->request);
                if (r >= 0 && strlen(o->request) > JOB_SPEC_MAX)
                        return bus_error_setf(error, HYPER_BUS_ERROR_TOO_LARGE,
                                        "options.request: must be at most %zu bytes long", JOB_SPEC_MAX);
                return r;
        }
        if (streq(key, "role"))
                return sd_bus_message_read(m, "s", &o->wanted_role);
        if (streq(key, "submitter"))
                return read_submitter(m, o, error);
        if (streq(key, "any-worker")) {
                r = sd_bus_message_read(m, "b", &any_worker);
                if (r >= 0)
                        o->any_worker = any_worker;
                return r;
        }
        if (streq(key, "warnings")) {
                o->warnings = strv_free(o->warnings);
                r = sd_bus_message_read_strv(m, &o->warnings);
                if (r >= 0 && strv_length(o->warnings) > WARNINGS_MAX)
                        return wrong_option(error, key, "must be at most 64");
                return r;
        }
        return read_secrets(m, o, error);
}

static const BusOptions submit_options = {
        .options = (const BusOption[]){ { "dialect", "s" }, { "request", "s" }, { "any-worker", "b" },
                        { "role", "s" }, { "submitter", "a{ss}" }, { "warnings", "as" },
                        { "secrets", "a{ss}" }, {} },
        .prefix = "options.",
        .what = "option",
        .read = read_option,
};

int submit_options_read(sd_bus_message *m, SubmitOptions *ret, sd_bus_error *error) {
        _cleanup_(submit_options_done) SubmitOptions o = { .dialect = "bus" };
        int r = bus_read_options(m, &submit_options, &o, error);

        if (r < 0)
                return r;
        *ret = o;
        o = (SubmitOptions){};
        return 0;
}

int submit_options_of_call(CallerCache *cache, sd_bus_message *m, SubmitOptions *ret, sd_bus_error *error) {
        _cleanup_(submit_options_done) SubmitOptions o = {};
        int r = submit_options_read(m, &o, error);

        if (r >= 0)
                r = caller_role(cache, m, o.wanted_role, &o.role, error);
        if (r < 0)
                return r;
        *ret = o;
        o = (SubmitOptions){};
        return 0;
}
