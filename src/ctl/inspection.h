/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What InspectSource and InspectDestination of the manager say, and how it is shown. */

#include <jansson.h>

#include "ctl/client.h"
#include "ctl/table.h"
#include "ctl/view.h"

/* @source: as in the spec of a job. EXIT_OK with a new reference; NULL if files cannot be inspected now; or
 * another ExitStatus after an error message. */
int inspection_of_source(Ctl *ctl, sd_bus *bus, json_t *source, json_t **ret);
/* The same of the file system of @path, for @size bytes. */
int inspection_of_destination(Ctl *ctl, sd_bus *bus, const char *path, uint64_t size, json_t **ret);

/* Lines with the format, the disks and the concerns. 0 or -ENOMEM. */
int inspection_view(Ctl *ctl, json_t *inspection);
/* Those with a list of concerns. */
int concerns_view(Ctl *ctl, json_t *concerns);
/* A cell with the most severe one. */
int concerns_add_worst(Table *t, json_t *concerns);
