/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What hyperctl keeps about a file that it uploads, to resume it: a file in $XDG_STATE_HOME, or
 * ~/.local/state. It is locked, so that nobody else uploads the same file to the same place. */

#include <sys/stat.h>

#include "basic/macro.h"

typedef struct UploadState {
        int fd;
        char *path; /* NULL: there is no directory for it, and nothing is kept */
        char *upload_id; /* of the same content and name; NULL: none */
        char *stale_id; /* of content that the file had before; NULL: none */
} UploadState;

void upload_state_done(UploadState *s);
#define _cleanup_upload_state_ _cleanup_(upload_state_done)

/* @file: an absolute path; @name: what it is called there. -EBUSY if another process has it, or another
 * negative errno. */
int upload_state_open(UploadState *s, const char *place, const char *file, const char *name,
                const struct stat *st);
/* From now on, it is @upload_id. */
int upload_state_write(UploadState *s, const char *upload_id, const char *name, const struct stat *st);
/* There is nothing to resume. */
void upload_state_remove(UploadState *s);
