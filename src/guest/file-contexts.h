/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Labels of SELinux, file_contexts(5): the policy of a guest, as text. */

#include "basic/macro.h"

/* The context of the file @path, or of the directory if @directory. As with libselinux, the last line that
 * matches counts, and a line without wildcards counts more than one with them. 1 with *ret (the caller
 * frees), 0 if there is none, or -ENOMEM. */
int file_contexts_find(const char *text, const char *path, bool directory, char **ret);

/* The value of KEY= in /etc/selinux/config, a word. The caller frees; NULL: there is none, or out of
 * memory. */
char *selinux_config_value(const char *text, const char *key);
