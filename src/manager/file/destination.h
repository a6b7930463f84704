/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* InspectDestination: what is at the path of a destination, and how much space there is. */

#include <systemd/sd-bus.h>

#include "manager/path-rules.h"
#include "json/json-table.h"

/* {"path", "directory", "exists", "free", "total", "concerns"}: the nearest directory that exists, the space
 * of its file system in bytes, and what is wrong with the destination of a disk of @size bytes (0: not
 * known), a list of spec/concern.h. 0; -EPERM, -EBADMSG with @errors; -ENOMEM. Blocks. */
int destination_look(
                const PathRules *rules, const char *path, uint64_t size, json_t **ret, JsonErrors *errors);

int method_inspect_destination(sd_bus_message *message, void *userdata, sd_bus_error *error);
