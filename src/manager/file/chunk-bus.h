/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The chunks of uploads that clients write. BeginChunk forgets what the chunk had and gives a descriptor;
 * EndChunk flushes what was written and records the chunk. A client that leaves the bus between them has
 * written nothing. */

#include <systemd/sd-bus.h>

#include "manager/manager.h"

int method_begin_chunk(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_end_chunk(sd_bus_message *message, void *userdata, sd_bus_error *error);

/* Whether a client is writing the chunk; any chunk of the upload with UINT64_MAX. */
bool chunk_is_being_written(const Manager *m, const char *upload_id, uint64_t chunk);
/* EndChunk of these is an error then. NULL: those of all uploads. */
void chunks_forget(Manager *m, const char *upload_id);
