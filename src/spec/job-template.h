/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Destinations of a schedule's job are templates: "{job_id}" in them stands for the id of each run's job. */

#include "basic/macro.h"

/* Replaces every placeholder. 0 or -ENOMEM; the caller frees *ret. */
int job_template_fill(const char *text, const char *job_id, char **ret);

/* 0 if all placeholders ("{" and a word of letters, digits and "_", "}") are known; else -EBADMSG with the
 * first one that is not in *ret_placeholder (caller frees); -ENOMEM. */
int job_template_check(const char *text, char **ret_placeholder);
