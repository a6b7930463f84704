/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/ctl.h"

#include "ctl/client.h"

/* Submits @spec, and prints the ID of the job. EXIT_OK with *ret_id (the caller frees it), or another
 * ExitStatus. */
int submit_job(Ctl *ctl, sd_bus *bus, json_t *spec, char **ret_id);

/* Verbs, as verbs.h describes them. */
int verb_submit(Ctl *ctl, char **words);
