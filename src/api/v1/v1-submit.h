/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* POST /jobs of v1, and what schedules have in common with it. */

#include "api/bus-client.h"
#include "api/http/router.h"
#include "dialect/dialect-job.h"

#define V1_JOB_BODY_MAX ((size_t) 1024 * 1024)

int v1_submit_job(Request *r);
int v1_submit_conversion(Request *r); /* POST /convert/vm: "type" is convert by default */

/* Decodes a job, after what it refers to is looked up in the database. Fields that are wrong are added to
 * @errors, with -EBADMSG. 0 with *ret (dialect_job_done()) or another negative errno. */
int v1_job_read(Request *r, json_t *object, bool is_template, DialectJob *ret, JsonErrors *errors);

/* Answers with an error of SubmitJob and its like, whose text is @text: a path that is not permitted is
 * 403. */
int v1_reply_submit_error(Request *r, const sd_bus_error *error, const char *text);

/* Answers 400. */
int v1_reply_field_errors(Request *r, const JsonErrors *errors);

extern const Reply v1_submit_replies[];
