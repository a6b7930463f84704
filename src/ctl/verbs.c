/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <locale.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/text.h"
#include "ctl/verbs.h"
#include "journal/schedule-event.h"
#include "spec/job-spec.h"

#define LEFT_WIDTH 30 /* of the help */

#define B OPTION_BIT
#define JSON_OPTIONS (B(OPTION_JSON) | B(OPTION_JSON_SHORT))
#define SPEC_OPTIONS                                                                                    \
        (B(OPTION_SOURCE) | B(OPTION_SOURCE_FORMAT) | B(OPTION_CHECKSUM) | B(OPTION_DESTINATION) |      \
                        B(OPTION_FORMAT) | B(OPTION_COMPRESS) | B(OPTION_VERIFY) | B(OPTION_IN_USE) |   \
                        B(OPTION_CHAIN) | B(OPTION_ALLOW_LARGER) | B(OPTION_OPERATION) | B(OPTION_ID) | \
                        B(OPTION_PRIORITY) | B(OPTION_TIMEOUT) | B(OPTION_RETRIES))
#define SCHEDULE_OPTIONS (B(OPTION_NAME) | B(OPTION_DESCRIPTION) | B(OPTION_OVERLAP) | B(OPTION_CATCH_UP))

static const Verb verbs[] = {
        { "submit", 0, 1,
                        JSON_OPTIONS | SPEC_OPTIONS | B(OPTION_ANY_WORKER) | B(OPTION_WAIT) |
                                        B(OPTION_FOLLOW),
                        verb_submit, "[SPEC.json|-]", "Submit a job, from a file, stdin (-) or options" },
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
        { "queue", 0, 0, JSON_OPTIONS | B(OPTION_NO_LEGEND), verb_queue, "",
                        "Show how many jobs wait, by priority" },
        { "schedule list", 0, 0, JSON_OPTIONS | B(OPTION_NO_LEGEND) | B(OPTION_LIMIT) | B(OPTION_OFFSET),
                        verb_schedule_list, "", "List schedules" },
        { "schedule show", 1, WORDS_ANY, JSON_OPTIONS, verb_schedule_show, "SCHEDULE…",
                        "Show all that is known of schedules" },
        { "schedule add", 1, 2, JSON_OPTIONS | SPEC_OPTIONS | SCHEDULE_OPTIONS | B(OPTION_DISABLED),
                        verb_schedule_add, "CRON [SPEC]",
                        "Create a schedule of a job, given as for submit" },
        { "schedule edit", 1, 2, (SPEC_OPTIONS & ~B(OPTION_ID)) | SCHEDULE_OPTIONS | B(OPTION_CRON),
                        verb_schedule_edit, "SCHEDULE [SPEC]", "Change what is given of a schedule" },
        { "schedule rm", 1, WORDS_ANY, 0, verb_schedule_rm, "SCHEDULE…",
                        "Delete schedules; their jobs stay" },
        { "schedule enable", 1, WORDS_ANY, 0, verb_schedule_enable, "SCHEDULE…",
                        "Have schedules run at their times" },
        { "schedule disable", 1, WORDS_ANY, 0, verb_schedule_disable, "SCHEDULE…",
                        "Have schedules not run" },
        { "schedule trigger", 1, 1, B(OPTION_WAIT), verb_schedule_trigger, "SCHEDULE",
                        "Run a schedule now" },
        { "webhook list", 0, 0, JSON_OPTIONS | B(OPTION_NO_LEGEND), verb_webhook_list, "", "List webhooks" },
        { "webhook add", 1, 1, B(OPTION_EVENTS), verb_webhook_add, "URL|FILE|-",
                        "Add a webhook: a URL, or a definition from a file or stdin (-)" },
        { "webhook rm", 1, 1, 0, verb_webhook_rm, "INDEX", "Remove a webhook" },
        { "webhook test", 1, 2, JSON_OPTIONS, verb_webhook_test, "INDEX|URL [EVENT]",
                        "Send an event to a webhook now, and show what comes back" },
        { "webhook deliveries", 1, 1, JSON_OPTIONS | B(OPTION_NO_LEGEND) | B(OPTION_LIMIT),
                        verb_webhook_deliveries, "INDEX", "Show the last deliveries of a webhook" },
        { "host list", 0, 0, JSON_OPTIONS | B(OPTION_NO_LEGEND), verb_host_list, "", "List libvirt hosts" },
        { "host add", 1, 2, 0, verb_host_add, "URI [HOST]", "Add a libvirt host, such as qemu:///system" },
        { "host rm", 1, WORDS_ANY, 0, verb_host_rm, "HOST…", "Forget hosts; their VMs go on" },
        { "host show", 1, WORDS_ANY, JSON_OPTIONS, verb_host_show, "HOST…",
                        "Show all that is known of hosts" },
        { "host key", 0, 0, 0, verb_host_key, "", "Show the key that logs in to hosts over ssh" },
        { "vm list", 0, 1, JSON_OPTIONS | B(OPTION_NO_LEGEND), verb_vm_list, "[HOST]",
                        "List virtual machines, of a host or of all" },
        { "vm show", 2, 2, JSON_OPTIONS, verb_vm_show, "HOST VM", "Show a VM and its hardware" },
        { "vm start", 2, WORDS_ANY, 0, verb_vm_start, "HOST VM…", "Start VMs" },
        { "vm shutdown", 2, WORDS_ANY, 0, verb_vm_shutdown, "HOST VM…", "Ask VMs to shut down" },
        { "vm reboot", 2, WORDS_ANY, 0, verb_vm_reboot, "HOST VM…", "Ask VMs to reboot" },
        { "vm destroy", 2, WORDS_ANY, 0, verb_vm_destroy, "HOST VM…", "Take the power away from VMs" },
        { "vm reset", 2, WORDS_ANY, 0, verb_vm_reset, "HOST VM…", "Press the reset button of VMs" },
        { "vm top", 0, 1, JSON_OPTIONS | B(OPTION_NO_LEGEND), verb_vm_top, "[HOST]",
                        "Show what VMs use, live" },
        { "worker list", 0, 0, JSON_OPTIONS | B(OPTION_NO_LEGEND), verb_worker_list, "",
                        "List the workers on other machines" },
        { "worker show", 1, WORDS_ANY, JSON_OPTIONS, verb_worker_show, "WORKER…",
                        "Show all that is known of workers" },
        { "worker rm", 1, WORDS_ANY, 0, verb_worker_rm, "WORKER…",
                        "Remove workers; their jobs go back to the queue" },
        { "key list", 0, 0, JSON_OPTIONS | B(OPTION_NO_LEGEND), verb_key_list, "",
                        "List the keys for the HTTP API" },
        { "key add", 1, 1, JSON_OPTIONS | B(OPTION_SCOPE) | B(OPTION_RATE) | B(OPTION_DAYS), verb_key_add,
                        "NAME", "Make a key for the HTTP API, and show it, once" },
        { "key rm", 1, WORDS_ANY, 0, verb_key_rm, "NAME…", "Have keys no longer be valid" },
        { "help", 0, 2, 0, verb_help, "[VERB]", "Show this help, or that of a verb" },
        {},
};

const Verb *verb_table(void) {
        return verbs;
}

const Verb *verb_find(char *const *words, size_t *ret_n) {
        for (const Verb *v = verbs; v->name && words[0]; v++) {
                const char *blank = strchr(v->name, ' ');
                bool found = blank ? strncmp(v->name, words[0], (size_t) (blank - v->name)) == 0 &&
                                                !words[0][blank - v->name] && streq_ptr(words[1], blank + 1)
                                   : streq(v->name, words[0]);

                if (found) {
                        if (ret_n)
                                *ret_n = blank ? 2 : 1;
                        return v;
                }
        }
        return NULL;
}

/* What is wrong with words that are no verb: the second one may be missing or not exist. */
static int not_a_verb(char *const *words) {
        size_t n = strlen(words[0]);

        for (const Verb *v = verbs; v->name; v++)
                if (strncmp(v->name, words[0], n) == 0 && v->name[n] == ' ') {
                        log_error("\"%s%s%s\" is not a verb. \"hyperctl help\" lists those with \"%s\".",
                                        words[0], words[1] ? " " : "", strempty(words[1]), words[0]);
                        return EXIT_USAGE;
                }
        log_error("\"%s\" is not a verb. \"hyperctl help\" lists them.", words[0]);
        return EXIT_USAGE;
}

/* "…" as the terminal can show it; returns how many columns that takes. */
static size_t print_text(const Terminal *t, const char *text) {
        size_t width = text_width(text);

        for (const char *p = text, *next; *p; p = next) {
                next = strstr(p, "…");
                printf("%.*s", (int) (next ? next - p : (ssize_t) strlen(p)), p);
                if (next)
                        fputs(t->utf8 ? "…" : "...", stdout);
                if (next && !t->utf8)
                        width += 2;
                next = next ? next + strlen("…") : p + strlen(p);
        }
        return width;
}

/* Two columns. */
static void print_row(const Terminal *t, const char *left, const char *right) {
        size_t width;

        fputs("  ", stdout);
        width = print_text(t, left);
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
                                i->argument && i->argument[0] != '[' ? "=" : "", strempty(i->argument));
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
        printf("hyperctl %s [OPTION%s]%s", v->name, t->utf8 ? "…" : "...", *v->usage ? " " : "");
        (void) print_text(t, v->usage);
        printf("\n\n%s.\n", v->help);
        if (v->options) {
                printf("\nOptions:\n");
                print_options(t, v->options);
        }
        printf("\nOptions of every verb:\n");
        print_options(t, options_common());
        printf("\nSee hyperctl(1).\n");
}

/* "schedule": the verbs that begin so. False if there are none. */
static bool print_group(const Terminal *t, const char *group) {
        bool found = false;

        for (const Verb *v = verbs; v->name; v++) {
                const char *rest = startswith(v->name, group);
                _cleanup_free_ char *left = strprintf("%s %s", v->name, v->usage);

                if (!rest || *rest != ' ')
                        continue;
                found = true;
                print_row(t, strempty(left), v->help);
        }
        return found;
}

int verb_help(Ctl *ctl, char **words) {
        if (words[0]) {
                const Verb *v = verb_find(words, NULL);

                if (v)
                        print_verb_help(&ctl->out, v);
                else if (words[1] || !print_group(&ctl->out, words[0]))
                        return not_a_verb(words);
        } else
                print_help(&ctl->out);
        return fflush(stdout) == 0 ? EXIT_OK : EXIT_OTHER;
}

/* Everything that can be wrong with a verb, its words and its options. */
static int check_verb(const Verb *v, const Arguments *a, char **words) {
        uint64_t unfit = a->given & ~(v->options | options_common());
        size_t n = strv_length(words);

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
                                v->max == 0                   ? "nothing behind it"
                                                : n < v->min  ? v->min - n == 1 ? "one more word at least"
                                                                                : "two more words at least"
                                                : v->max == 1 ? "one word only"
                                                              : "two words only",
                                v->name);
                return -EINVAL;
        }
        return 0;
}

/* Ids are checked here, so that no verb meets one that the bus would have to refuse. */
static int check_ids(const Verb *v, char **words) {
        bool schedule = startswith(v->usage, "SCHEDULE");
        size_t n = endswith(v->usage, "…") ? WORDS_ANY : 1;

        if (!schedule && !startswith(v->usage, "ID"))
                return 0;
        for (size_t i = 0; words[i] && i < n; i++) {
                if (schedule ? schedule_id_is_valid(words[i]) : job_id_is_valid(words[i]))
                        continue;
                log_error("A %s id is 1 to %u letters, digits, or . _ : - and begins with a letter or "
                          "digit; "
                          "\"hyperctl %slist\" shows those there are.",
                                schedule ? "schedule's" : "job", schedule ? SCHEDULE_ID_MAX : JOB_ID_MAX,
                                schedule ? "schedule " : "");
                return -EINVAL;
        }
        return 0;
}

static int run_verb(Ctl *ctl) {
        char **words = ctl->args.words;
        const Verb *v;
        size_t n;

        if (!words[0]) {
                log_error("A verb is missing. \"hyperctl help\" lists them.");
                return EXIT_USAGE;
        }
        v = verb_find(words, &n);
        if (!v)
                return not_a_verb(words);
        if (check_verb(v, &ctl->args, words + n) < 0 || check_ids(v, words + n) < 0)
                return EXIT_USAGE;
        return v->run(ctl, words + n);
}

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
                r = run_verb(&ctl);
        arguments_done(&ctl.args);
        if (fflush(stdout) != 0 && r == EXIT_OK) {
                log_error_errno(errno, "Failed to write to standard output: %m");
                r = EXIT_OTHER;
        }
        return r;
}
