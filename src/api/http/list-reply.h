/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A response that is a long list, or a JSON object with one, made in steps: the event loop serves others
 * between them. The size of one that takes several steps is not known at the beginning, so it is sent in
 * chunks. */

#include <jansson.h>

#include "api/http/request.h"

/* The next elements, an array that the caller frees, and that may be empty. 1: there may be more, 0: these
 * were the last. A step takes a few milliseconds at most. Negative errno: if the response has begun, the
 * connection is closed. */
typedef int (*list_step)(void *list, json_t **ret);

/* Reply with status 200 and @head, an object that is consumed, to which the list is added as @key; or, if
 * @key is NULL, with the list. @list is passed to @step and freed with @free_list, also on failure. The first
 * step is made at once. 0 or negative errno. */
int request_reply_list(Request *r, json_t *head, const char *key, list_step step, void *list,
                void (*free_list)(void *list));

/* The same with a list that is there already, as one or several JSON arrays in @texts, which exist until
 * @owner is freed with @free_owner, also on failure. They are sent as they are: neither parsed nor copied.
 * -EBADMSG if one has no brackets. */
int request_reply_list_texts(Request *r, json_t *head, const char *key, const char *const *texts, size_t n,
                void *owner, void (*free_owner)(void *owner));
