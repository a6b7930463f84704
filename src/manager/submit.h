/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SubmitJob: from text on the bus to a job that is durably queued. */

#include "manager/manager.h"
#include "manager/submit-options.h"

/* In the loop, once: the job @id is durably queued, or was there already (@created is false), or is refused:
 * @r is negative then, with @error, and in @fields what is wrong with which field of the spec. */
typedef void (*submit_done)(Manager *m, int r, const char *id, bool created, const JsonErrors *fields,
                sd_bus_error *error, void *userdata);

/* Takes a job. 0: @done is called, soon, or before this returns. Negative errno with @error set, and
 * @fields: it is not.
 * What @options has borrowed stays where it is until @done is called or the manager ends; the rest of it is
 * taken, or left to the caller to be freed. */
int manager_submit(Manager *m, const char *text, SubmitOptions *options, submit_done done, void *userdata,
                JsonErrors *fields, sd_bus_error *error);
/* Refuses those that are under way: the manager ends. */
void submissions_free(Manager *m);
