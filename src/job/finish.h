/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* "hyper-job finish DIRECTORY", and the same for an attempt that was complete when the machine went down.
 * The exit status. */
int verb_finish(const char *directory);
int verb_finish_later(const char *directory);
