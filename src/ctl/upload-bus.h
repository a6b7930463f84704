/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Uploads over the bus: hyper-managerd passes a file descriptor for each chunk. */

#include "ctl/upload-target.h"

/* Says what is wrong: EXIT_OK with *ret, or another ExitStatus. */
int upload_bus_new(Ctl *ctl, UploadTarget **ret);
