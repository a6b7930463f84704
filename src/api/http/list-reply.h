/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A response that is a JSON object with a long list, made in steps: the event loop serves others between
 * them. The size is not known at the beginning, so it is sent in chunks. */

#include <jansson.h>

#include "api/http/request.h"

/* The next elements, an array that the caller frees; an empty array at the end. A step takes a few
 * milliseconds at most. Negative errno: the connection is closed, because the response has begun. */
typedef int (*list_step)(void *list, json_t **ret);

/* Reply with status 200 and @head, an object that is consumed, to which the list is added as @key. @list is
 * passed to
 * @step and freed with @free_list, also on failure. 0 or negative errno. */
int request_reply_list(Request *r, json_t *head, const char *key, list_step step, void *list,
                void (*free_list)(void *list));
