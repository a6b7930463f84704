/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <locale.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/log.h"
#include "ctl/run.h"
#include "ctl/verbs.h"

int ctl_run(int argc, char **argv) {
        Ctl ctl = { .daemon = "hyper-managerd", .action = "org.hyper1.manage-jobs" };
        int r;

        setlocale(LC_CTYPE, "");
        log_open("hyperctl");
        terminal_query(STDOUT_FILENO, &ctl.out);
        terminal_query(STDERR_FILENO, &ctl.err);
        if (arguments_parse(argc, argv, &ctl.args) < 0)
                return EXIT_USAGE;
        if (ctl.args.version)
                r = printf("hyperctl %s\n", PACKAGE_VERSION) < 0 ? EXIT_OTHER : EXIT_OK;
        else if (ctl.args.help && verb_find(ctl.args.words, NULL))
                r = verb_help(&ctl, ctl.args.words);
        else if (ctl.args.help)
                r = verb_help(&ctl, (char *[]){ NULL });
        else
                r = verb_run(&ctl);
        arguments_done(&ctl.args);
        if (fflush(stdout) != 0 && r == EXIT_OK) {
                log_error_errno(errno, "Failed to write to standard output: %m");
                r = EXIT_OTHER;
        }
        return r;
}
