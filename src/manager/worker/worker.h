/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Workers: who they are, and the job that each gets. */

#include "manager/manager.h"
#include "store/jobs-list.h"

/* All of these: 0, or negative errno with @error set. */
int manager_register_worker(
                Manager *m, const char *text, bool *ret_created, JsonErrors *fields, sd_bus_error *error);
/* Its jobs go back to the queue, those that it has begun as their policy says. */
int manager_unregister_worker(Manager *m, const char *id, sd_bus_error *error);
/* What a worker that lives is told: the jobs it holds, and those that were cancelled while it held them. */
int manager_worker_heard(
                Manager *m, const char *id, JobRows *ret_jobs, JobRows *ret_cancelled, sd_bus_error *error);
/* From the loop, once, when it is durable: @spec is the job that the worker gets, NULL if there is none for
 * it; @r is negative if it could not be recorded. */
typedef void (*dequeue_done)(Manager *m, int r, const char *spec, void *userdata);
/* 0: @done is called; negative errno with @error set: it is not. */
int manager_dequeue(Manager *m, const char *text, dequeue_done done, void *userdata, JsonErrors *fields,
                sd_bus_error *error);
/* Whether a worker is heard from. */
bool worker_is_active(const Manager *m, const WorkerRow *row);
bool worker_id_is_valid(const char *id) _pure_;
int no_such_worker(sd_bus_error *error, const char *id);
