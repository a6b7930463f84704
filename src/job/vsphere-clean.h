/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "job/attempt.h"

/* Ends the session of an attempt that was killed, and removes the snapshot that it has left. For "finish".
 * Does nothing for other sources, and if there is neither. A failure is noted in the log only. */
void vsphere_clean(Attempt *a);
