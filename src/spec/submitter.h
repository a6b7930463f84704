/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who has submitted a job, or a schedule. */

#include "basic/macro.h"

typedef struct Submitter {
        char *user; /* of this machine; of a root shell, who has logged in */
        char *uid;
        char *address; /* that a request came from; not of a connection on this machine */
        char *key; /* its name */
        char *session; /* of the v1 API, its ID; else of logind */
        char *schedule; /* that made the job */
} Submitter;

void submitter_done(Submitter *s);
#define _cleanup_submitter_ _cleanup_(submitter_done)

/* Sets the field @name. 0; -EINVAL: there is no such field, or @value is empty, too long, or not printable
 * UTF-8; -ENOMEM. */
int submitter_set(Submitter *s, const char *name, const char *value);

/* A copy; @ret is empty before. 0 or -ENOMEM. */
int submitter_copy(const Submitter *s, Submitter *ret);
bool submitter_equal(const Submitter *a, const Submitter *b) _pure_;

/* {"name", "user", "uid", …} as it is in the database: "name" is for people, and only what is known is in it.
 * The caller frees it; NULL when out of memory. */
char *submitter_to_text(const Submitter *s);

/* The same with the schedule @id, which makes the job; @text may be NULL. The caller frees it; NULL when out
 * of memory. */
char *submitter_text_add_schedule(const char *text, const char *id);

/* The name in such a text; "" if there is none, or @text is NULL. The caller frees it; NULL when out of
 * memory. */
char *submitter_name_of(const char *text);
