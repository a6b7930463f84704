/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A job whose source is a stored one, by its name. */

#include "manager/manager.h"
#include "spec/job-spec.h"

/* True if the job gets the password of a stored source. */
bool job_source_is_stored(const JobSpec *spec) _pure_;

/* Replaces the server, the user and what verifies the certificate by those of the stored source; the name is
 * kept. Nothing that the client has given for them is used. 0, or negative errno with @error. */
int job_source_resolve(Manager *m, JobSpec *spec, sd_bus_error *error);

/* Gives the job the password, encrypted as it is stored. 0, or negative errno with @error. */
int job_source_give_password(Manager *m, const JobSpec *spec, sd_bus_error *error);
