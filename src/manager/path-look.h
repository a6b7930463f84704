/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Looks at one path that a field of a spec names, by the rules of its caller. What is wrong is added to
 * @errors, about @field. */

#include <sys/stat.h>

#include "manager/path-rules.h"
#include "json/json-table.h"

/* Adds "PATH: TEXT" and returns @r. */
int path_refuse(JsonErrors *errors, int r, const char *field, const char *path, const char *text);
/* "a source may not be here: WHY", and -EPERM; an operator is shown the path as it was given, whatever it
 * leads to. */
int path_refuse_place(
                const char *field, const char *path, bool destination, const char *why, JsonErrors *errors);

/* Opens the path and gives it without symlinks; *ret_path is freed by the caller. -EPERM, -EBADMSG, -ENOENT,
 * -ENOMEM. */
int path_resolve(const PathRules *rules, bool destination, const char *field, const char *path, bool follow,
                char **ret_path, struct stat *ret_stat, JsonErrors *errors);
/* The same of a directory; -EBADMSG if it does not exist. */
int path_resolve_directory(const PathRules *rules, bool destination, const char *field, const char *path,
                bool follow, char **ret_path, struct stat *ret_stat, JsonErrors *errors);

/* Only whether @path, of which @shown is reported, may be used. */
int path_check_place(const PathRules *rules, bool destination, const char *field, const char *path,
                const char *shown, JsonErrors *errors);

/* A handle only: nothing is read. -ELOOP: there is a symbolic link in the path. */
int path_open_handle(const char *path);
