/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the daemons' main functions share: their options. (Signals, the bus and refusals are tested on real
 * systemd.) */

#include <getopt.h>

#include "shared/daemon-arguments.h"
#include "shared/daemon.h"
#include "unit/lib/test.h"

static const char *path;
static bool flag;

/* As main() is called with these words. */
static int parse(const char *words) {
        static const DaemonOption options[] = {
                { .name = "state-directory",
                                .value_name = "PATH",
                                .value = &path,
                                .help = "Where the state is" },
                { .name = "check", .flag = &flag, .help = "Only look" },
                {},
        };
        static const DaemonProgram program = { "hyper-testd", "Is tested.", options };
        _cleanup_free_ char *copy = strdup(words);
        char *argv[8] = { (char *) "hyper-testd" };
        int argc = 1;

        for (char *save = NULL, *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
                argv[argc++] = word;
        path = "/var/lib/test";
        flag = false;
        optind = 0; /* anew, getopt(3) */
        int r = daemon_parse_arguments(&program, argc, argv);
        /* What points into the copy is looked at here. */
        if (r > 0 && startswith(words, "--state-directory"))
                ck_assert_str_eq(path, "/srv/state");
        return r;
}

START_TEST(options_are_taken) {
        ck_assert_int_eq(parse(""), 1);
        ck_assert_str_eq(path, "/var/lib/test");
        ck_assert(!flag);
        ck_assert_int_eq(parse("--state-directory=/srv/state"), 1);
        ck_assert_int_eq(parse("--state-directory /srv/state --check"), 1);
        ck_assert(flag);
}
END_TEST

START_TEST(help_and_version_are_all_that_is_done) {
        ck_assert_int_eq(parse("--help --check"), 0);
        ck_assert_int_eq(parse("-h"), 0);
        ck_assert_int_eq(parse("--version"), 0);
}
END_TEST

START_TEST(what_there_is_not_is_refused) {
        static const char *const bad[] = { "--colour", "-x", "--state-directory", "--check=yes", "start",
                "--check start" };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_msg(parse(bad[i]) == -EINVAL, "%s", bad[i]);
}
END_TEST

TEST_MAIN("daemon", options_are_taken, help_and_version_are_all_that_is_done, what_there_is_not_is_refused)
