/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a request does that may block, such as writing to a disk: in a thread, so that others are answered
 * meanwhile. */

#include <systemd/sd-event.h>

#include "basic/macro.h"

typedef struct Request Request;
typedef struct RequestWorks RequestWorks;

/* At most @threads run at the same time; what else there is to do waits for its turn. */
int request_works_new(sd_event *event, unsigned threads, RequestWorks **ret);
/* The requests are not told. */
RequestWorks *request_works_free(RequestWorks *w);
DEFINE_CLEANUP_FUNC(RequestWorks *, request_works_free);

typedef struct RequestWorkOps {
        int (*work)(void *userdata); /* in the thread; must not use the request */
        int (*done)(Request *r, int result, void *userdata); /* in the loop, as the function of a bus call */
        void (*destroy)(void *userdata); /* in any thread */
} RequestWorkOps;

/* 0, or a negative errno; then nothing of it is called, and @userdata remains the caller's. */
int request_work(RequestWorks *o, Request *r, const RequestWorkOps *ops, void *userdata);
