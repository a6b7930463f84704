/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Comparing the SHA-256 of an upload that has all chunks, in a thread, and giving it its name then. */

#include <systemd/sd-bus.h>

#include "manager/manager.h"
#include "store/uploads.h"

/* Begins, and records that. @message, a call of CompleteUpload or NULL, is answered when it is over, or after
 * some seconds with the state until then. 1, or negative errno with @error set. */
int upload_verify_start(Manager *m, UploadRow *row, sd_bus_message *message, sd_bus_error *error);

bool upload_verify_is_running(const Manager *m, const char *id);
