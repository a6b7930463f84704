/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The rule of warm migrations: the source is never on while its copy is published. "finish" may run long
 * after the cutover has seen that the source is off (a power cut came in between), so that it looks again:
 * before the images get their names, and when they have them, so that a VM that was started meanwhile takes
 * the names back. */

#include "job/attempt.h"

typedef struct SourceGuard SourceGuard;

/* Logs in to the server. *ret is NULL if the job is no warm migration: all that follows then does nothing.
 * To be called before any file is opened that a parser must not use. Failures are noted in the attempt. */
int source_guard_start(Attempt *a, SourceGuard **ret);
SourceGuard *source_guard_end(SourceGuard *g);
DEFINE_CLEANUP_FUNC(SourceGuard *, source_guard_end);

/* 0 if the source is off; -ESTALE if it is on; others if that cannot be found out. All are noted in the
 * attempt. A publish_check. */
int source_guard_check(void *guard);

/* The output is published: turns off tracking that was turned on for the job. */
void source_guard_published(SourceGuard *g);
