/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Removes the snapshot that an attempt has left because it was killed. For "finish": the answers of the
 * server are parsed in a child that has no rights, and that ends by itself. */

#include "job/attempt.h"

/* Does nothing for other sources, and if there is no snapshot. A failure is noted in the log only. */
void vsphere_clean(Attempt *a);
