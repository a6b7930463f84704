/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An answer that is a JSON object with a long list in it, made in steps: between two of them the event loop serves
 * others. The size is not known when it begins, so it goes out in chunks. */

#include <jansson.h>

#include "api/http/request.h"

/* The next elements, an array that the caller frees; an empty one: there are no more. Takes no more than a few
 * milliseconds. Negative errno: the connection is closed, since the answer has begun. */
typedef int (*list_step)(void *list, json_t **ret);

/* Answers 200 with @head (an object, taken over) and behind its members @key with the list. @list is the steps', taken over
 * and freed with @free_list. 0 or negative errno. */
int request_reply_list(Request *r, json_t *head, const char *key, list_step step, void *list,
                void (*free_list)(void *list));
