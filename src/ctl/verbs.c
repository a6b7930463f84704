/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <locale.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/text.h"
#include "ctl/verbs.h"
#include "shared/job-spec.h"

#define LEFT_WIDTH 28 /* of the help */

#define B OPTION_BIT
#define JSON_OPTIONS (B(OPTION_JSON) | B(OPTION_JSON_SHORT))
#define SPEC_OPTIONS                                                                                     \
        (B(OPTION_SOURCE) | B(OPTION_SOURCE_FORMAT) | B(OPTION_CHECKSUM) | B(OPTION_DESTINATION) |       \
                        B(OPTION_FORMAT) | B(OPTION_COMPRESS) | B(OPTION_VERIFY) | B(OPTION_OPERATION) | \
                        B(OPTION_ID) | B(OPTION_PRIORITY) | B(OPTION_TIMEOUT) | B(OPTION_RETRIES))

static const Verb verbs[] = {
        { "submit", 0, 1, JSON_OPTIONS | SPEC_OPTIONS | B(OPTION_WAIT) | B(OPTION_FOLLOW), verb_submit,
                        "[SPEC.json|-]", "Submit a job, from a file, stdin (-) or options" },
        { "list", 0, 0,
                        JSON_OPTIONS | B(OPTION_NO_LEGEND) | B(OPTION_STATE) | B(OPTION_LIMIT) |
                                        B(OPTION_OFFSET) | B(OPTION_ORDER),
                        verb_list, "", "List jobs" },
        { "status", 1, WORDS_ANY, JSON_OPTIONS, verb_status, "ID…", "Show all that is known of jobs" },
        { "watch", 1, WORDS_ANY, JSON_OPTIONS, verb_watch, "ID…",
                        "Show the progress of jobs until they have ended" },
        { "logs", 1, 1, JSON_OPTIONS | B(OPTION_FOLLOW) | B(OPTION_LINES), verb_logs, "ID",
                        "Show a job's log lines from the journal" },
        { "cancel", 1, WORDS_ANY, B(OPTION_WAIT), verb_cancel, "ID…", "Cancel jobs" },
        { "config", 0, 0, JSON_OPTIONS, verb_config, "", "Show the configuration that is in force" },
        { "reload", 0, 0, 0, verb_reload, "", "Have the configuration read again" },
        { "help", 0, 1, 0, verb_help, "[VERB]", "Show this help, or that of a verb" },
        {},
};

const Verb *verb_table(void) {
        return verbs;
}

const Verb *verb_find(const char *name) {
        for (const Verb *v = verbs; v->name; v++)
                if (streq(v->name, name))
                        return v;
        return NULL;
}

/* Two columns, in the terminal's own characters. */
static void print_row(const Terminal *t, const char *left, const char *right) {
        size_t width = text_width(left);

        for (const char *p = left, *next; *p; p = next) {
                next = strstr(p, "…");
                printf("%s%.*s%s", p == left ? "  " : "", (int) (next ? next - p : (ssize_t) strlen(p)), p,
                                !next                     ? ""
                                                : t->utf8 ? "…"
                                                          : "...");
                if (next && !t->utf8)
                        width += 2;
                next = next ? next + strlen("…") : p + strlen(p);
        }
        printf("%*s %s\n", width < LEFT_WIDTH ? (int) (LEFT_WIDTH - width) : 0, "", right);
}

static void print_options(const Terminal *t, uint64_t mask) {
        for (Option o = 0; o < _OPTION_MAX; o++) {
                const OptionInfo *i = option_info(o);
                _cleanup_free_ char *left = NULL;

                if (!(mask & OPTION_BIT(o)))
                        continue;
                left = strprintf("%c%c%s%s%s%s%s", i->letter ? '-' : ' ', i->letter ? i->letter : ' ',
                                i->letter && *i->name ? ", " : "  ", *i->name ? "--" : "", i->name,
                                i->argument ? "=" : "", strempty(i->argument));
                print_row(t, strempty(left), i->help);
        }
}

static void print_help(const Terminal *t) {
        const char *etc = t->utf8 ? "…" : "...";

        printf("hyperctl [OPTION%s] VERB [ARGUMENT%s]\n\n"
               "Migrates virtual machine disks onto KVM, as jobs of hyper-managerd.\n\n"
               "Verbs:\n",
                        etc, etc);
        for (const Verb *v = verbs; v->name; v++) {
                _cleanup_free_ char *left = strprintf("%s %s", v->name, v->usage);

                print_row(t, strempty(left), v->help);
        }
        printf("\nOptions of every verb:\n");
        print_options(t, options_common());
        printf("\n\"hyperctl help VERB\" shows the options of a verb, hyperctl(1) explains them.\n");
}

static void print_verb_help(const Terminal *t, const Verb *v) {
        printf("hyperctl %s [OPTION%s]%s%s\n\n%s.\n", v->name, t->utf8 ? "…" : "...", *v->usage ? " " : "",
                        v->max == WORDS_ANY && !t->utf8 ? "ID..." : v->usage, v->help);
        if (v->options) {
                printf("\nOptions:\n");
                print_options(t, v->options);
        }
        printf("\nOptions of every verb:\n");
        print_options(t, options_common());
        printf("\nSee hyperctl(1).\n");
}

int verb_help(Ctl *ctl, char **words) {
        if (words[0]) {
                const Verb *v = verb_find(words[0]);

                if (!v) {
                        log_error("\"%s\" is not a verb. \"hyperctl help\" lists them.", words[0]);
                        return EXIT_USAGE;
                }
                print_verb_help(&ctl->out, v);
        } else
                print_help(&ctl->out);
        return fflush(stdout) == 0 ? EXIT_OK : EXIT_OTHER;
}

/* Everything that can be wrong with a verb, its words and its options. */
static int check_verb(const Verb *v, const Arguments *a) {
        uint64_t unfit = a->given & ~(v->options | options_common());
        size_t n = strv_length(a->words + 1);

        for (Option o = 0; o < _OPTION_MAX; o++)
                if (unfit & OPTION_BIT(o)) {
                        const OptionInfo *i = option_info(o);

                        if (*i->name)
                                log_error("\"%s\" does not take --%s. See \"hyperctl help %s\".", v->name,
                                                i->name, v->name);
                        else
                                log_error("\"%s\" does not take -%c. See \"hyperctl help %s\".", v->name,
                                                i->letter, v->name);
                        return -EINVAL;
                }
        if (n < v->min || n > v->max) {
                log_error("\"%s\" takes %s. See \"hyperctl help %s\".", v->name,
                                v->max == 0              ? "nothing behind it"
                                                : n == 0 ? "one more word at least"
                                                         : "one word only",
                                v->name);
                return -EINVAL;
        }
        return 0;
}

/* Job ids are checked here, so that no verb meets one that the bus would have to refuse. */
static int check_ids(const Verb *v, char **words) {
        if (!startswith(v->usage, "ID"))
                return 0;
        STRV_FOREACH(id, words)
        if (!job_id_is_valid(*id)) {
                log_error("A job id is 1 to %u letters, digits, or . _ : - and begins with a letter or digit; "
                          "\"hyperctl list\" shows those there are.",
                                JOB_ID_MAX);
                return -EINVAL;
        }
        return 0;
}

static int run_verb(Ctl *ctl) {
        char **words = ctl->args.words;
        const Verb *v;

        if (!words[0]) {
                log_error("A verb is missing. \"hyperctl help\" lists them.");
                return EXIT_USAGE;
        }
        v = verb_find(words[0]);
        if (!v) {
                log_error("\"%s\" is not a verb. \"hyperctl help\" lists them.", words[0]);
                return EXIT_USAGE;
        }
        if (check_verb(v, &ctl->args) < 0 || check_ids(v, words + 1) < 0)
                return EXIT_USAGE;
        return v->run(ctl, words + 1);
}

int ctl_run(int argc, char **argv) {
        Ctl ctl = {};
        int r;

        setlocale(LC_CTYPE, "");
        log_open("hyperctl");
        terminal_query(STDOUT_FILENO, &ctl.out);
        terminal_query(STDERR_FILENO, &ctl.err);
        if (arguments_parse(argc, argv, &ctl.args) < 0)
                return EXIT_USAGE;
        if (ctl.args.version)
                r = printf("hyperctl %s\n", PACKAGE_VERSION) < 0 ? EXIT_OTHER : EXIT_OK;
        else if (ctl.args.help && ctl.args.words[0] && verb_find(ctl.args.words[0]))
                r = verb_help(&ctl, ctl.args.words);
        else if (ctl.args.help)
                r = verb_help(&ctl, (char *[]){ NULL });
        else
                r = run_verb(&ctl);
        arguments_done(&ctl.args);
        if (fflush(stdout) != 0 && r == EXIT_OK) {
                log_error_errno(errno, "Failed to write to standard output: %m");
                r = EXIT_OTHER;
        }
        return r;
}
