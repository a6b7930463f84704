/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A connection that is of no more use, and when the next one is tried. */

#include "hosts/host.h"

/* Tries again after a pause. @error: for people. A host that was being added is freed. */
void host_lost(Host *h, HostState state, const char *error);
/* The call of AddHost failed: answers it and frees the host. */
void host_refuse(Host *h, const char *error);
/* Records it, and emits the signals. */
void host_set_state(Host *h, HostState state, const char *error);

/* Lets go of the thread and of all that it was asked. */
void host_drop_connection(Host *h);
/* A place to remember the next thread that does not come back, or -EBUSY. */
int host_find_ghost(Host *h);
/* Answers those who called Connect: @error is NULL when it is connected. */
void host_answer_connect_calls(Host *h, const char *error);
