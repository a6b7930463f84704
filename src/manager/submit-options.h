/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What comes with a job or a schedule on the bus, beside the spec. */

#include <systemd/sd-bus.h>

#include "manager/caller.h"
#include "spec/submitter.h"

/* What came with a spec; strings are borrowed from the message. */
typedef struct SubmitOptions {
        const char *dialect;
        const char *request;
        const char *wanted_role; /* the option "role", or NULL */
        Role role; /* in which the caller asks */
        Submitter submitter; /* the option "submitter" */
        bool has_submitter;
        char *submitted_by; /* who it is (spec/submitter.h), as JSON; NULL: not known */
        bool any_worker;
        char **warnings;
        char **secrets; /* name, value, name, value, … */
} SubmitOptions;

void submit_options_done(SubmitOptions *o);
/* Reads the a{sv} that @m stands before; the role is left out. 0 or negative errno with @error set. */
int submit_options_read(sd_bus_message *m, SubmitOptions *ret, sd_bus_error *error);
/* The same with the role of the caller. */
int submit_options_of_call(CallerCache *cache, sd_bus_message *m, SubmitOptions *ret, sd_bus_error *error);
