/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reads of the manager's database that may take long (a filter without an index, a page far behind, an order
 * of many jobs that have not ended), in a thread, with a connection of its own: the event loop serves others
 * meanwhile. */

#include "api/http/request.h"
#include "store/store.h"

typedef struct ReadingOps {
        /* In a thread. */
        int (*read)(Store *s, void *userdata);
        /* In the loop: answers the request, as a handler does. @result is that of read(), or, if it was not
         * called, a negative errno as of api_store(). */
        int (*reply)(Request *r, int result, void *userdata);
        /* In any thread, when neither uses it any more. */
        void (*destroy)(void *userdata);
} ReadingOps;

/* For handlers: reads, and answers @r then. @userdata is taken, also on failure. 0 or negative errno; a
 * database that does not exist, or cannot be opened, is an error of api_store(), with which reply() is called
 * at once. */
int request_read(Request *r, const ReadingOps *ops, void *userdata);
