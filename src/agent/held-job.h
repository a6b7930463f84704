/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The life of a held job on this machine. */

#include "agent/agent-state.h"

HeldJob *held_find(Agent *a, const char *job_id);
HeldJob *held_find_local(Agent *a, const char *local_id);
/* Takes @file. */
int held_new(Agent *a, HeldFile *file, HeldJob **ret);
HeldJob *held_free(HeldJob *h);
/* Submits it to our manager, which may have it already. */
void held_begin(HeldJob *h);
/* It has ended, or was never begun: takes @result. */
void held_ended(HeldJob *h, json_t *result);
/* It is not ours any more; @why is for the log. */
void held_drop(HeldJob *h, const char *why);
/* Nothing more is to be done about it: forgets it, file and all. */
void held_forget(HeldJob *h);
/* Asks our manager how it is. */
void held_look(HeldJob *h);
/* Cancels it on this machine, and goes on until the server knows how it ended. */
void held_cancel(HeldJob *h);
