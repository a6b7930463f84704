/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What InspectSource says of a file: its format, its disks, the hardware that its OVF describes, and
 * concerns (spec/concern.h). It runs without a job, in the sandbox of hyper-inspect@.service, which has
 * nothing but an open file. */

#include <jansson.h>

/* {"format", "disks": [{"file", "format", "size"}], "vm", "concerns"}: sizes in bytes, null if they are not
 * known; "vm" is a document of spec/vm-json.h or null. @name: that of the file. What is wrong with the file
 * is a concern. @cancel_fd: readable when it takes too long; then sizes are not known. 0, or a negative
 * errno if it cannot be read. */
int look_at(int fd, const char *name, int cancel_fd, json_t **ret);
