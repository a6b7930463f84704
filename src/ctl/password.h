/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A password for another machine. It is never on the command line, where other users can see it. */

#include "ctl/ctl.h"

/* From --password-file= ("-": standard input), else asked for at the terminal, else from standard input; one
 * line break at its end is ignored. Says what is wrong. EXIT_OK with *ret, which the caller wipes and frees;
 * or another ExitStatus. */
int password_read(const Ctl *ctl, const char *prompt, char **ret);
/* The same of an API key: from @file, else as above. */
int password_read_key(const Ctl *ctl, const char *file, const char *prompt, char **ret);
/* Several lines, from the file @name ("-": standard input). 0 or negative errno; as above. */
int password_read_file(const char *name, char **ret);
char *password_free(char *password);
DEFINE_CLEANUP_FUNC(char *, password_free);
