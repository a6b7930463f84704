/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Checks of a submission that need neither its files nor other submissions. Those with @error return 0, or
 * negative errno with @error, and in @fields what is wrong with which field of the spec. */

#include "manager/manager.h"
#include "manager/submit-options.h"
#include "spec/job-demand.h"

/* From text to a spec whose named source is resolved. */
int submit_parse(Manager *m, const char *text, JobSpec **ret, JsonErrors *fields, sd_bus_error *error);
/* The job @row is there and has failed: the same spec does not start it again. Sets @error, and returns its
 * errno. */
int submit_refuse_failed(const JobRow *row, sd_bus_error *error);
/* What the job requires of the machine that runs it. */
int submit_check_demand(const JobSpec *spec, JobDemand *ret, JsonErrors *fields, sd_bus_error *error);
/* Refuses an operation that this machine does not carry out, and that workers cannot be given. */
int submit_check_operation(Manager *m, const JobSpec *spec, const SubmitOptions *o, JsonErrors *fields,
                sd_bus_error *error);
/* Whether a worker may take the job. One with a secret stays on this machine, and so does one that defines a
 * domain on the libvirt of this machine, or waits for a low carbon intensity. */
bool submit_may_go_elsewhere(const JobSpec *spec, const SubmitOptions *o);
/* Whether the job is accepted with files that are not right here, because a worker may take it. If this
 * machine takes it, the files are looked at again then. 0 or negative errno. */
int submit_may_ignore_files(Manager *m, const JobSpec *spec, const SubmitOptions *o, bool *ret);
