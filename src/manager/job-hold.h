/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Jobs that wait for a low carbon intensity. Such a job is QUEUED with a time (due_at), and holds no slot.
 * When the time has come, the carbon intensity is read again: the job enters the queue, or gets another
 * time. */

#include <systemd/sd-bus.h>

#include "manager/manager.h"
#include "spec/job-spec.h"
#include "json/json-table.h"

/* Decides for a job that is submitted, with what the feed has, and puts the outcome into @row. 0, or negative
 * errno with @error, and in @fields what is wrong with which field. */
int job_hold_submit(Manager *m, const JobSpec *spec, JobRow *row, JsonErrors *fields, sd_bus_error *error);
/* It is in memory: its log is told, and its timer is made. */
void job_hold_submitted(Job *j);

/* Decides for those whose time has come, some at a time; the rest when the queue runs again. @fail is called
 * for a job that cannot run. 0, or negative errno if this is to be tried again later. */
typedef int (*job_hold_fail_func)(Job *j, const char *code, const char *why);
int job_holds_decide(Manager *m, job_hold_fail_func fail);

/* Ends the hold of a job, on request. */
int manager_release_job(Manager *m, const char *id, sd_bus_error *error);
