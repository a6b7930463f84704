/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What "migrate" is going to do, for the person who is asked. */

#include "ctl/view.h"
#include "spec/job-spec.h"

/* Reads the VM of a named source of vSphere. EXIT_OK, with *ret NULL for another source; or another
 * ExitStatus after an error message. */
int migrate_plan_read_vm(Ctl *ctl, const JobSpec *spec, json_t **ret);

/* @vm: from migrate_plan_read_vm(). 0 or -ENOMEM. */
int migrate_plan_show(Ctl *ctl, const JobSpec *spec, json_t *vm);
