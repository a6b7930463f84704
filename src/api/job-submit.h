/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Handing a decoded job to the manager. */

#include "api/bus-client.h"
#include "dialect/dialect-job.h"
#include "store/jobs.h"

/* The call org.hyper1.Manager.SubmitJob for @job, ready for manager_call(). As with manager_call_new(), a
 * bus that cannot be reached has been answered. The caller unrefs. */
int job_submit_call_new(Request *request, const DialectJob *job, const char *dialect, bool any_worker,
                sd_bus_message **ret);

/* Appends its options, an a{sv} with the role of the client in it, for other calls that take the same ones;
 * @job NULL: none that come with a job. 0 or negative errno. */
int job_submit_append_options(Request *request, sd_bus_message *m, const DialectJob *job,
                const char *dialect, bool any_worker);

/* The word of the role by which the manager checks paths. */
const char *job_submit_role(Request *request);

/* Over TLS: makes the user or the name of the key "requested_by" of the job's audit_info, whatever the client
 * has sent. 0 or -ENOMEM. */
int job_submit_sign(Request *request, const DialectJob *job);

/* Appends {"secrets": @secrets}, an entry of an a{sv}; nothing if there are none. Their memory will be
 * wiped. */
int job_submit_append_secrets(sd_bus_message *m, json_t *secrets);

/* Reads its reply; *ret_id is borrowed from @reply. */
int job_submit_reply_read(sd_bus_message *reply, const char **ret_id, bool *ret_created);

/* The text of an error of SubmitJob and its like, with the names that the client used for the fields. The
 * caller frees it; NULL when out of memory. */
char *job_submit_error_text(const sd_bus_error *error, const FieldMap *map, json_t *origins);

/* The row of a job that the client named. A job that there is not, and a database that there is not yet,
 * have been answered 404. */
int job_find(Request *request, const char *id, JobRow **ret);
