/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Image files and block devices as a source. */

#include "image/content.h"
#include "job/connection.h"
#include "job/source.h"

/* Opens all files, and says what the source is and which version of it. */
int source_open_file(Source *s);

/* Compares the digest that was given with the file's. */
int source_verify_file_checksum(Source *s);

/* Digest @expected of @content, which is called @label. */
int source_compare_digest(Source *s, const char *label, const Content *content, const char *algorithm,
                const char *expected);

/* Finds the disks, refuses what is not safe or not whole. */
int source_inspect_images(Source *s);

/* Checks that no file has changed since source_open_file(). */
int source_check_files(Source *s);

/* After a failure: if a file has changed since, that is the cause. */
void source_explain_files(Source *s);

int source_connect_image(Source *s, size_t disk, Connection *ret);
