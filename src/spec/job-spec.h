/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The canonical job spec: what every dialect is translated to at the edge. JSON in, struct out, nothing
 * else. */

#include "basic/time-util.h"
#include "spec/job-settings.h"

JobSpec *job_spec_free(JobSpec *s);
DEFINE_CLEANUP_FUNC(JobSpec *, job_spec_free);

/* Decodes and checks a canonical spec as far as that is possible without touching the machine: types,
 * ranges, ids, combinations (compress needs qcow2, …), paths made of plain components. @errors gets every
 * wrong field; *ret is set only when there is none. 0 with *ret, -EBADMSG with @errors, -ENOMEM. */
int job_spec_from_json(json_t *object, JobSpec **ret, JsonErrors *errors);

/* The same from text; text that is no JSON is one error. */
int job_spec_parse(const char *text, size_t size, JobSpec **ret, JsonErrors *errors);

/* The document as text: @text, of which @s was made, if it is that and without spaces. Allocated; NULL when
 * out of memory. */
char *job_spec_text(const JobSpec *s, const char *text);

/* True if both ask for the same work: the documents are equal, whatever the order of their keys. */
bool job_spec_equal(const JobSpec *a, const JobSpec *b);

/* The vCenter or ESXi host that the job reads from; NULL: none. Borrowed from @s. */
const char *job_spec_server(const JobSpec *s) _pure_;

/* Replaces *id with a new value in the spec's document too. */
int job_spec_set_id(JobSpec *s, const char *id);
