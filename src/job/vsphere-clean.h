/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Removes the snapshot that an attempt has left because it was killed. For "finish": the answers of the
 * server are parsed in a child that has no rights, and that ends by itself. */

#include "job/attempt.h"

/* Does nothing for other sources, and if there is no snapshot. A failure is noted in the log only. */
void vsphere_clean(Attempt *a);

/* "hyper-job put-back": after a warm migration that has ended without a result. Removes the snapshot, turns
 * tracking off if it was turned on for the migration, and powers the VM on if it was shut down for it. Does
 * nothing if the output is published. May be called again at any time. */
int verb_put_back(const char *directory);
