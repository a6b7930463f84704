/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/ctl.h"

#include "ctl/client.h"

/* Submits @spec, and prints the ID of the job. EXIT_OK with *ret_id (the caller frees it), or another
 * ExitStatus. */
int submit_job(Ctl *ctl, sd_bus *bus, json_t *spec, char **ret_id);
/* The same without printing the ID. */
int submit_silently(Ctl *ctl, sd_bus *bus, json_t *spec, char **ret_id, char **ret_path, bool *ret_created);

/* Asks for the password of a server of vSphere that @spec names, if @given: on the command line. */
int submit_ask_password(Ctl *ctl, json_t *spec, bool given);

/* Verbs, as verbs.h describes them. */
int verb_submit(Ctl *ctl, char **words);
