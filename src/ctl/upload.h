/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Uploads a file, in chunks, or resumes that. */

#include "ctl/upload-target.h"

/* @name: what it is called there; NULL: as here. Says what is wrong: EXIT_OK with *ret, the upload, or
 * another ExitStatus. */
int upload_file(UploadTarget *t, const char *path, const char *name, json_t **ret);
