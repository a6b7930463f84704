/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shared/daemon-arguments.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "basic/log.h"
#include "basic/string-util.h"

#define OPTIONS_MAX 8

static void print_option(const char *letter, const DaemonOption *o) {
        char name[64];

        snprintf(name, sizeof(name), "--%s%s%s", o->name, o->value ? "=" : "",
                        o->value ? o->value_name : "");
        printf("  %2s %-25s %s", letter, name, o->help);
        if (o->value && *o->value)
                printf(" (%s)", *o->value);
        puts("");
}

static void help(const DaemonProgram *p) {
        printf("%s [OPTIONS…]\n\n%s\n\n", p->name, p->about);
        print_option("-h", &(DaemonOption){ .name = "help", .help = "Show this help" });
        print_option("", &(DaemonOption){ .name = "version", .help = "Show the version" });
        for (const DaemonOption *o = p->options; o && o->name; o++)
                print_option("", o);
        printf("\nSee the %s(8) man page.\n", p->name);
}

int daemon_parse_arguments(const DaemonProgram *p, int argc, char *argv[]) {
        enum { ARG_VERSION = 0x100, ARG_FIRST };
        struct option options[OPTIONS_MAX + 3] = { { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, ARG_VERSION } };
        size_t n = 0;
        int c;

        for (const DaemonOption *o = p->options; o && o->name && n < OPTIONS_MAX; o++, n++)
                options[n + 2] = (struct option){ .name = o->name,
                        .has_arg = o->value ? required_argument : no_argument,
                        .val = ARG_FIRST + (int) n };
        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                if (c == 'h') {
                        help(p);
                        return 0;
                } else if (c == ARG_VERSION) {
                        printf("%s %s\n", p->name, PACKAGE_VERSION);
                        return 0;
                } else if (c < ARG_FIRST) /* getopt_long(3) has said what is wrong */
                        return -EINVAL;
                else if (p->options[c - ARG_FIRST].value)
                        *p->options[c - ARG_FIRST].value = optarg;
                else
                        *p->options[c - ARG_FIRST].flag = true;
        if (optind < argc) {
                log_error("%s takes no arguments, but was given %s.", p->name, argv[optind]);
                return -EINVAL;
        }
        return 1;
}
