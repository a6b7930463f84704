/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/help.h"
#include "ctl/similar.h"
#include "ctl/verb-boot.h"
#include "ctl/verb-cancel.h"
#include "ctl/verb-carbon.h"
#include "ctl/verb-config.h"
#include "ctl/verb-cutover.h"
#include "ctl/verb-guest.h"
#include "ctl/verb-host.h"
#include "ctl/verb-key.h"
#include "ctl/verb-list.h"
#include "ctl/verb-logs.h"
#include "ctl/verb-migrate.h"
#include "ctl/verb-provider.h"
#include "ctl/verb-readiness.h"
#include "ctl/verb-retry.h"
#include "ctl/verb-schedule.h"
#include "ctl/verb-session.h"
#include "ctl/verb-source.h"
#include "ctl/verb-status.h"
#include "ctl/verb-submit.h"
#include "ctl/verb-upload.h"
#include "ctl/verb-vm-console.h"
#include "ctl/verb-vm-top.h"
#include "ctl/verb-vm.h"
#include "ctl/verb-vsphere.h"
#include "ctl/verb-watch.h"
#include "ctl/verb-webhook.h"
#include "ctl/verb-worker.h"
#include "ctl/verbs.h"
#include "journal/schedule-event.h"
#include "spec/job-spec.h"

#define B OPTION_BIT
#define JSON_OPTIONS (B(OPTION_JSON) | B(OPTION_JSON_SHORT) | B(OPTION_OUTPUT))
#define SPEC_OPTIONS                                                                                     \
        (B(OPTION_SOURCE) | B(OPTION_SOURCE_FORMAT) | B(OPTION_CHECKSUM) | B(OPTION_DESTINATION) |       \
                        B(OPTION_FORMAT) | B(OPTION_COMPRESS) | B(OPTION_VERIFY) | B(OPTION_IN_USE) |    \
                        B(OPTION_CHAIN) | B(OPTION_ALLOW_LARGER) | B(OPTION_FIX) | B(OPTION_OPERATION) | \
                        B(OPTION_ID) | B(OPTION_PRIORITY) | B(OPTION_TIMEOUT) | B(OPTION_RETRIES) |      \
                        B(OPTION_CONVERSION_METHOD) | B(OPTION_SOURCE_POWER) | B(OPTION_WARM) |          \
                        B(OPTION_INTERVAL) | B(OPTION_SHUTDOWN_TIMEOUT) | B(OPTION_POWER_OFF) |          \
                        B(OPTION_POWER_ON_AFTER_FAILURE) | B(OPTION_HOLD) | B(OPTION_LABEL))
#define GUEST_OPTIONS (B(OPTION_ROOT) | B(OPTION_LUKS_KEYS))
#define VSPHERE_OPTIONS                                                                \
        (B(OPTION_USER) | B(OPTION_DATACENTER) | B(OPTION_CA) | B(OPTION_THUMBPRINT) | \
                        B(OPTION_PASSWORD_FILE))
#define SERVER_OPTIONS (B(OPTION_SERVER) | B(OPTION_CA) | B(OPTION_THUMBPRINT) | B(OPTION_KEY_FILE))
#define SCHEDULE_OPTIONS (B(OPTION_NAME) | B(OPTION_DESCRIPTION) | B(OPTION_OVERLAP) | B(OPTION_CATCH_UP))

static const Verb verbs[] = {
        { "submit", 0, 2,
                        JSON_OPTIONS | SPEC_OPTIONS | B(OPTION_ANY_WORKER) | B(OPTION_WAIT) |
                                        B(OPTION_FOLLOW) | VSPHERE_OPTIONS,
                        verb_submit, "[SOURCE [DESTINATION]|SPEC.json|-]",
                        "Submit a job; \"submit\" may be left out before a path" },
        { "migrate", 1, 1,
                        JSON_OPTIONS | (SPEC_OPTIONS & ~B(OPTION_OPERATION)) | B(OPTION_TO) |
                                        B(OPTION_LIBVIRT) | B(OPTION_POOL) | B(OPTION_NAME) |
                                        B(OPTION_NETWORK) | B(OPTION_FIRMWARE) | B(OPTION_START) |
                                        B(OPTION_BOOT_CHECK) | B(OPTION_YES) | GUEST_OPTIONS |
                                        B(OPTION_FORCE) | VSPHERE_OPTIONS,
                        verb_migrate, "SOURCE|SPEC.json|-",
                        "Migrate a virtual machine, after the plan was shown and confirmed" },
        { "inspect", 1, WORDS_ANY,
                        JSON_OPTIONS | GUEST_OPTIONS | B(OPTION_SOURCE_FORMAT) | B(OPTION_CHAIN) |
                                        B(OPTION_IN_USE) | B(OPTION_ID) | B(OPTION_PRIORITY) |
                                        B(OPTION_TIMEOUT) | B(OPTION_QUICK) | VSPHERE_OPTIONS,
                        verb_inspect, "FILE…|VM",
                        "Show what is on a disk, whether it starts on KVM, and what may prevent it" },
        { "fix", 1, WORDS_ANY,
                        JSON_OPTIONS | GUEST_OPTIONS | B(OPTION_SOURCE_FORMAT) | B(OPTION_DRY_RUN) |
                                        B(OPTION_FORCE) | B(OPTION_ID) | B(OPTION_PRIORITY) |
                                        B(OPTION_TIMEOUT),
                        verb_fix, "FILE…",
                        "Change the guest on a disk, in place, so that it starts on KVM" },
        { "upload", 1, 1, JSON_OPTIONS | B(OPTION_NAME) | SERVER_OPTIONS, verb_upload, "FILE",
                        "Upload an image, or resume that; to another machine with --server=" },
        { "list", 0, 0,
                        JSON_OPTIONS | B(OPTION_NO_LEGEND) | B(OPTION_STATE) | B(OPTION_LIMIT) |
                                        B(OPTION_OFFSET) | B(OPTION_ORDER),
                        verb_list, "", "List jobs" },
        { "status", 0, WORDS_ANY, JSON_OPTIONS, verb_status, "[ID…]",
                        "Show all that is known of jobs, or the sockets of the HTTP APIs" },
        { "watch", 1, WORDS_ANY, JSON_OPTIONS, verb_watch, "ID…",
                        "Show the progress of jobs until they have ended" },
        { "logs", 1, 1, JSON_OPTIONS | B(OPTION_FOLLOW) | B(OPTION_LINES), verb_logs, "ID",
                        "Show a job's log lines from the journal" },
        { "boot", 1, 2, JSON_OPTIONS, verb_boot, "ID [FILE.png|-]",
                        "Show what a proof of boot has seen, and save its screenshot" },
        { "cancel", 1, WORDS_ANY, B(OPTION_WAIT), verb_cancel, "ID…", "Cancel jobs" },
        { "cutover", 1, 1, B(OPTION_AT) | B(OPTION_CANCEL) | B(OPTION_WAIT), verb_cutover, "ID",
                        "Cut over a warm job, now or at a time, or take that back" },
        { "retry", 1, WORDS_ANY, B(OPTION_WAIT) | B(OPTION_SECRET), verb_retry, "ID…",
                        "Try failed jobs again, from where they stopped" },
        { "readiness", 0, 2,
                        JSON_OPTIONS | B(OPTION_NO_LEGEND) | B(OPTION_DESTINATION) | B(OPTION_FORMAT) |
                                        SERVER_OPTIONS,
                        verb_readiness, "[PROVIDER VM]",
                        "Check whether virtual machines can be migrated to this machine" },
        { "config", 0, 0, JSON_OPTIONS, verb_config, "",
                        "Show the configuration that is in force in each daemon" },
        { "reload", 0, 0, 0, verb_reload, "", "Have all daemons read the configuration again" },
        { "queue", 0, 0, JSON_OPTIONS | B(OPTION_NO_LEGEND), verb_queue, "",
                        "Show how many jobs wait, by priority" },
        { "schedule list", 0, 0, JSON_OPTIONS | B(OPTION_NO_LEGEND) | B(OPTION_LIMIT) | B(OPTION_OFFSET),
                        verb_schedule_list, "", "List schedules" },
        { "schedule show", 1, WORDS_ANY, JSON_OPTIONS, verb_schedule_show, "SCHEDULE…",
                        "Show all that is known of schedules" },
        { "schedule add", 1, 3, JSON_OPTIONS | SPEC_OPTIONS | SCHEDULE_OPTIONS | B(OPTION_DISABLED),
                        verb_schedule_add, "CRON [SOURCE [DESTINATION]|SPEC.json|-]",
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
        { "host connect", 1, WORDS_ANY, 0, verb_host_connect, "HOST…",
                        "Connect hosts now, and automatically from now on" },
        { "host disconnect", 1, WORDS_ANY, 0, verb_host_disconnect, "HOST…",
                        "Disconnect hosts until they are connected again" },
        { "host key", 0, 0, 0, verb_host_key, "", "Show the key that logs in to hosts over ssh" },
        { "vm list", 0, 1, JSON_OPTIONS | B(OPTION_NO_LEGEND), verb_vm_list, "[HOST]",
                        "List virtual machines, of a host or of all" },
        { "vm show", 1, 2, JSON_OPTIONS, verb_vm_show, "[HOST] VM", "Show a VM and its hardware" },
        { "vm start", 1, WORDS_ANY, 0, verb_vm_start, "[HOST] VM…", "Start VMs" },
        { "vm shutdown", 1, WORDS_ANY, 0, verb_vm_shutdown, "[HOST] VM…", "Ask VMs to shut down" },
        { "vm reboot", 1, WORDS_ANY, 0, verb_vm_reboot, "[HOST] VM…", "Ask VMs to reboot" },
        { "vm destroy", 1, WORDS_ANY, 0, verb_vm_destroy, "[HOST] VM…", "Force power off of VMs" },
        { "vm reset", 1, WORDS_ANY, 0, verb_vm_reset, "[HOST] VM…", "Force a reset of VMs" },
        { "vm console", 1, 2, JSON_OPTIONS, verb_vm_console, "[HOST] VM",
                        "Show how to reach the display of a VM" },
        { "vm screenshot", 2, 3, 0, verb_vm_screenshot, "[HOST] VM FILE.png|-",
                        "Take a screenshot of a VM" },
        { "vm top", 0, 1, JSON_OPTIONS | B(OPTION_NO_LEGEND), verb_vm_top, "[HOST]",
                        "Show what VMs use, live" },
        { "source list", 0, 0, JSON_OPTIONS | B(OPTION_NO_LEGEND), verb_source_list, "",
                        "List named sources: vCenters and ESXi hosts" },
        { "source add", 2, 2, VSPHERE_OPTIONS, verb_source_add, "SOURCE URL",
                        "Add a vCenter or an ESXi host under a name" },
        { "source rm", 1, WORDS_ANY, 0, verb_source_rm, "SOURCE…", "Remove sources and their passwords" },
        { "source test", 1, 1, JSON_OPTIONS, verb_source_test, "SOURCE",
                        "Log in to a source, and show what the server is" },
        { "provider list", 0, 0, JSON_OPTIONS | B(OPTION_NO_LEGEND), verb_provider_list, "",
                        "List providers: named sources, and hosts of libvirt" },
        { "provider add", 2, 2, VSPHERE_OPTIONS, verb_provider_add, "PROVIDER URL",
                        "Add a source, or a host of libvirt by its URI" },
        { "provider rm", 1, WORDS_ANY, 0, verb_provider_rm, "PROVIDER…", "Remove providers" },
        { "provider test", 1, WORDS_ANY, JSON_OPTIONS, verb_provider_test, "PROVIDER…",
                        "Log in to providers, and show what they are" },
        { "vsphere list", 1, 1, JSON_OPTIONS | B(OPTION_NO_LEGEND) | B(OPTION_NAME) | B(OPTION_DATACENTER),
                        verb_vsphere_list, "SOURCE", "List the virtual machines of a source" },
        { "vsphere show", 2, 2, JSON_OPTIONS, verb_vsphere_show, "SOURCE VM",
                        "Show a VM of a source and its hardware" },
        { "vsphere shutdown", 2, WORDS_ANY, 0, verb_vsphere_shutdown, "SOURCE VM…",
                        "Ask VMs of a source to shut down" },
        { "vsphere poweroff", 2, WORDS_ANY, 0, verb_vsphere_poweroff, "SOURCE VM…",
                        "Force power off of VMs of a source" },
        { "vsphere rm-cdrom", 2, WORDS_ANY, 0, verb_vsphere_rm_cdrom, "SOURCE VM…",
                        "Remove the CD-ROM drives of VMs of a source" },
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
        { "carbon intensity", 0, 0, JSON_OPTIONS, verb_carbon_intensity, "",
                        "Show the carbon intensity of the grid now" },
        { "carbon windows", 0, 1, JSON_OPTIONS | B(OPTION_NO_LEGEND) | B(OPTION_LIMIT), verb_carbon_windows,
                        "[DURATION]", "List the times of the next day with the lowest carbon intensity" },
        { "carbon zones", 0, 0, JSON_OPTIONS | B(OPTION_NO_LEGEND), verb_carbon_zones, "",
                        "Show the zone of the grid in the configuration" },
        { "carbon estimate", 2, 2, JSON_OPTIONS, verb_carbon_estimate, "GB HOURS",
                        "Estimate what waiting for the best time would save" },
        { "carbon report", 1, 1, JSON_OPTIONS, verb_carbon_report, "ID",
                        "Estimate what a job that has ended has emitted" },
        { "session list", 0, 0, JSON_OPTIONS | B(OPTION_NO_LEGEND), verb_session_list, "",
                        "List who has logged in to the HTTP API" },
        { "session end", 1, WORDS_ANY, 0, verb_session_end, "SESSION…", "End sessions of the HTTP API" },
        { "help", 0, 2, 0, verb_help, "[VERB]", "Show this help, or that of a verb" },
        {},
};

const Verb *verb_table(void) {
        return verbs;
}

/* Is @verb the verb of one word @first, or of the two words @first and @second? */
static bool verb_is(const Verb *v, const char *first, const char *second) {
        const char *blank = strchr(v->name, ' ');
        size_t n;

        if (!blank)
                return streq(v->name, first);
        n = (size_t) (blank - v->name);
        return strncmp(v->name, first, n) == 0 && !first[n] && streq_ptr(second, blank + 1);
}

const Verb *verb_find(char *const *words, size_t *ret_n) {
        for (const Verb *v = verbs; v->name && words[0]; v++) {
                if (!verb_is(v, words[0], words[1]))
                        continue;
                if (ret_n)
                        *ret_n = strchr(v->name, ' ') ? 2 : 1;
                return v;
        }
        return NULL;
}

/* --- words that are not a verb ----------------------------------------------------------------------------
 */

/* What such commands are called elsewhere. */
static const struct {
        const char *word, *verb;
} synonyms[] = {
        { "ls", "list" },
        { "jobs", "list" },
        { "show", "status" },
        { "info", "status" },
        { "log", "logs" },
        { "follow", "watch" },
        { "wait", "watch" },
        { "stop", "cancel" },
        { "kill", "cancel" },
        { "rm", "cancel" },
        { "remove", "cancel" },
        { "delete", "cancel" },
        { "resume", "retry" },
        { "restart", "retry" },
        { "convert", "submit" },
        { "import", "submit" },
        { "repair", "fix" },
        { "start", "vm start" },
        { "top", "vm top" },
        { "vm stop", "vm shutdown" },
        { "vm poweroff", "vm destroy" },
        { "vsphere destroy", "vsphere poweroff" },
        { "vsphere stop", "vsphere shutdown" },
        { "vm kill", "vm destroy" },
        { "schedule run", "schedule trigger" },
        { "schedule start", "schedule trigger" },
        { "schedule change", "schedule edit" },
        { "schedule status", "schedule show" },
        { "worker status", "worker show" },
        { "host status", "host show" },
        { "vm status", "vm show" },
};

/* What else a second word may be called, for all nouns. */
static const struct {
        const char *word, *verb;
} second_synonyms[] = { { "remove", "rm" }, { "delete", "rm" }, { "create", "add" }, { "new", "add" },
        { "ls", "list" } };

/* Is @word the first of the two words of a verb? */
static bool is_group(const char *word) {
        size_t n = strlen(word);

        for (const Verb *v = verbs; v->name; v++)
                if (strncmp(v->name, word, n) == 0 && v->name[n] == ' ')
                        return true;
        return false;
}

/* The verb of one word that was meant, or NULL. */
static const char *meant_verb(const char *word) {
        Similar s = { .word = word };

        for (size_t i = 0; i < ELEMENTSOF(synonyms); i++)
                if (streq(synonyms[i].word, word))
                        return synonyms[i].verb;
        for (const Verb *v = verbs; v->name; v++)
                if (!strchr(v->name, ' '))
                        similar_offer(&s, v->name);
        return s.best;
}

/* The same of the verbs of the group @first. */
static const char *meant_in_group(const char *first, const char *second) {
        size_t n = strlen(first);
        Similar s = { .word = second };

        for (size_t i = 0; i < ELEMENTSOF(synonyms); i++)
                if (strncmp(synonyms[i].word, first, n) == 0 && synonyms[i].word[n] == ' ' &&
                                streq(synonyms[i].word + n + 1, second))
                        return synonyms[i].verb + n + 1;
        for (size_t i = 0; i < ELEMENTSOF(second_synonyms); i++)
                if (streq(second_synonyms[i].word, second))
                        s.word = second_synonyms[i].verb;
        for (const Verb *v = verbs; v->name; v++)
                if (strncmp(v->name, first, n) == 0 && v->name[n] == ' ')
                        similar_offer(&s, v->name + n + 1);
        return s.best;
}

static int unknown_in_group(const char *first, const char *second) {
        const char *best = second ? meant_in_group(first, second) : NULL;

        if (best)
                log_error("\"%s %s\" is not a verb. Did you mean \"hyperctl %s %s\"?", first, second, first,
                                best);
        else
                log_error("\"%s%s%s\" is not a verb. \"hyperctl help %s\" lists those with \"%s\".", first,
                                second ? " " : "", strempty(second), first, first);
        return EXIT_USAGE;
}

int verb_unknown(char *const *words) {
        const char *best;

        if (is_group(words[0]))
                return unknown_in_group(words[0], words[1]);
        best = meant_verb(words[0]);
        if (best)
                log_error("\"%s\" is not a verb. Did you mean \"hyperctl %s\"?", words[0], best);
        else
                log_error("\"%s\" is not a verb. \"hyperctl help\" lists them.", words[0]);
        return EXIT_USAGE;
}

/* --- help
 * ----------------------------------------------------------------------------------------------------- */

int verb_help(Ctl *ctl, char **words) {
        if (words[0]) {
                const Verb *v = verb_find(words, NULL);

                if (v)
                        help_print_verb(&ctl->out, v);
                else if (words[1] || !help_print_group(&ctl->out, verbs, words[0]))
                        return verb_unknown(words);
        } else
                help_print(&ctl->out, verbs);
        return fflush(stdout) == 0 ? EXIT_OK : EXIT_OTHER;
}

/* --- running
 * ------------------------------------------------------------------------------------------------ */

/* How many words @v takes, for an error about @n. */
static const char *words_wanted(const Verb *v, size_t n) {
        if (v->max == 0)
                return "nothing behind it";
        if (n < v->min)
                return v->min - n == 1 ? "one more word at least" : "two more words at least";
        return v->max == 1 ? "one word only" : v->max == 2 ? "two words only" : "three words only";
}

/* Everything that can be wrong with a verb, its words and its options. */
static int check_verb(const Verb *v, const Arguments *a, char **words) {
        OptionSet unfit = a->given & ~(v->options | options_common());
        size_t n = strv_length(words);

        for (Option o = 0; o < _OPTION_MAX; o++) {
                const OptionInfo *i = option_info(o);

                if (!(unfit & OPTION_BIT(o)))
                        continue;
                if (*i->name)
                        log_error("\"%s\" does not take --%s. See \"hyperctl help %s\".", v->name, i->name,
                                        v->name);
                else
                        log_error("\"%s\" does not take -%c. See \"hyperctl help %s\".", v->name, i->letter,
                                        v->name);
                return -EINVAL;
        }
        if (n < v->min || n > v->max) {
                log_error("\"%s\" takes %s. See \"hyperctl help %s\".", v->name, words_wanted(v, n),
                                v->name);
                return -EINVAL;
        }
        return 0;
}

/* Ids are checked here, so that no verb meets one that the bus would have to refuse. */
static int check_ids(const Verb *v, char **words) {
        bool schedule = startswith(v->usage, "SCHEDULE");
        size_t n = strstr(v->usage, "…") ? WORDS_ANY : 1;

        if (!schedule && !startswith(v->usage, "ID") && !startswith(v->usage, "[ID"))
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

static int run(Ctl *ctl, const Verb *v, char **words) {
        if (check_verb(v, &ctl->args, words) < 0 || check_ids(v, words) < 0)
                return EXIT_USAGE;
        return v->run(ctl, words);
}

static const Verb *verb_by_name(const char *name) {
        return verb_find((char *const[]){ (char *) name, NULL }, NULL);
}

/* Without a verb: the jobs that have not ended, as machinectl(1) lists the machines that run. */
static int run_default(Ctl *ctl, char **words) {
        if (!ctl->args.states && arguments_add_states(&ctl->args.states, /* terminal= */ false) < 0)
                return log_oom(), EXIT_OTHER;
        return run(ctl, verb_by_name("list"), words);
}

/* No verb has a slash or a dot, and a path or URI without either can be written "./disk". */
static bool is_source(const char *word) {
        return strpbrk(word, "/.");
}

int verb_run(Ctl *ctl) {
        char **words = ctl->args.words;
        const Verb *v;
        size_t n;

        if (!words[0])
                return run_default(ctl, words);
        if (is_source(words[0]))
                return run(ctl, verb_by_name("submit"), words);
        v = verb_find(words, &n);
        return v ? run(ctl, v, words + n) : verb_unknown(words);
}
