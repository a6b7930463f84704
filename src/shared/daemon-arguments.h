/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The command line of a daemon. */

#include <stdbool.h>

/* An option of a program: with a value (--config=FILE), or (@flag) without. */
typedef struct DaemonOption {
        const char *name;
        const char *value_name; /* "PATH" */
        const char **value; /* the default, for the help, and what is given */
        bool *flag;
        const char *help;
} DaemonOption;

/* The row of a program that reads the configuration (hyper-config(5)). */
#define DAEMON_CONFIG_DIRECTORY(variable)                                               \
        {                                                                               \
                .name = "config-directory", .value_name = "PATH", .value = &(variable), \
                .help = "Where config.yaml and config.d/ are"                           \
        }

typedef struct DaemonProgram {
        const char *name; /* "hyper-managerd", which has a man page in section 8 */
        const char *about; /* for the help: one sentence or several, with line breaks */
        const DaemonOption *options; /* ends with a NULL name; may be NULL; 8 at most, besides --help and
                                        --version */
} DaemonProgram;

/* Parse the command line. Returns 1 to continue, 0 if the program is done (--help, --version), or -EINVAL
 * after an error message. */
int daemon_parse_arguments(const DaemonProgram *p, int argc, char *argv[]);
