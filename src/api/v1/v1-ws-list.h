/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The first message to a client of the WebSocket: the jobs that have not ended. It is read and made in a
 * thread, since that takes many milliseconds, and once for all clients that come until something changes. */

#include "api/api.h"
#include "api/stream/ws-message.h"

typedef struct V1JobList V1JobList;

/* A message of the WebSocket. Takes @data over; NULL gives NULL. */
WsMessage *v1_ws_message(const char *type, json_t *data);

/* All who have been told a turn up to @turn are to get the message of v1_job_list_message(), or, with a
 * negative errno @r, none. */
typedef void (*v1_job_list_func)(int r, uint64_t turn, void *userdata);

int v1_job_list_new(Api *a, v1_job_list_func func, void *userdata, V1JobList **ret);
V1JobList *v1_job_list_free(V1JobList *l);
DEFINE_CLEANUP_FUNC(V1JobList *, v1_job_list_free);

/* For somebody who hears of all changes from now on. 0 with *ret_turn == 0: the message is there; else it
 * comes with this turn. Or negative errno. */
int v1_job_list_ask(V1JobList *l, uint64_t *ret_turn);
WsMessage *v1_job_list_message(V1JobList *l);
