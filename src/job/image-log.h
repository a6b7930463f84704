/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The log of a VHDX: changes of the file that its last user wrote down and did not carry out, because its
 * host crashed. Without them the disk is an older one, or none. */

#include "image/image.h"
#include "job/attempt.h"

/* If the image has a log: makes an overlay in the job's directory in /tmp, and has qemu carry out the log in
 * it. The image stays as it is; image_options() then opens it with the overlay. Notes failures in the
 * job. */
int image_replay_log(Attempt *a, Image *i);
