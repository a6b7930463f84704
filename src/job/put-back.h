/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* "hyper-job put-back": after a warm migration that has ended without a result. Removes the snapshot, turns
 * tracking off if it was turned on for the migration, and powers the VM on if it was shut down for it. Does
 * nothing if the output is published. May be called again at any time; what it could not do is in the file
 * "remains" (spec/job-remains.h), so that the manager calls it again. */
int verb_put_back(const char *directory);
