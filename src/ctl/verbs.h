/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The verbs of hyperctl, as a table. */

#include "ctl/arguments.h"
#include "ctl/terminal.h"

/* How hyperctl exits; also in hyperctl(1). Of several jobs the first that did not end well decides. */
typedef enum ExitStatus {
        EXIT_OK = 0,
        EXIT_OTHER = 1, /* anything without a number of its own */
        EXIT_USAGE = 2, /* the command line makes no sense */
        EXIT_JOB_FAILED = 3,
        EXIT_JOB_CANCELLED = 4,
        EXIT_NO_SUCH_JOB = 5, /* nor schedule, nor webhook, nor host, nor VM, nor worker, nor key */
        EXIT_REFUSED = 6, /* hyper understood, and says no: a wrong spec, a path it may not touch, an id in
                             use */
        EXIT_DENIED = 7, /* polkit or the bus says no */
        EXIT_UNAVAILABLE = 8, /* no bus, no hyper-managerd, no such host */
} ExitStatus;

/* What every verb is given. */
typedef struct Ctl {
        Arguments args;
        Terminal out, err; /* what stdout and stderr can show */
        const char *daemon, *action; /* whom the verb talks to, and what polkit calls it; for errors */
} Ctl;

#define WORDS_ANY SIZE_MAX

typedef struct Verb {
        const char *name; /* one word, or two: "host list" */
        size_t min, max; /* words behind the verb */
        uint64_t options; /* OPTION_BIT()s, besides options_common() */
        int (*run)(Ctl *ctl, char **words); /* returns an ExitStatus; has said what is wrong */
        const char *usage; /* what follows the verb: "ID…" */
        const char *help; /* one line */
} Verb;

/* Ends with a NULL name. */
const Verb *verb_table(void) _pure_;
/* The verb that @words begin with, and of how many words it is (ret_n may be NULL). NULL: there is none. */
const Verb *verb_find(char *const *words, size_t *ret_n);

int verb_submit(Ctl *ctl, char **words);
int verb_list(Ctl *ctl, char **words);
int verb_status(Ctl *ctl, char **words);
int verb_watch(Ctl *ctl, char **words);
int verb_logs(Ctl *ctl, char **words);
int verb_cancel(Ctl *ctl, char **words);
int verb_config(Ctl *ctl, char **words);
int verb_reload(Ctl *ctl, char **words);
int verb_schedule_list(Ctl *ctl, char **words);
int verb_schedule_show(Ctl *ctl, char **words);
int verb_schedule_add(Ctl *ctl, char **words);
int verb_schedule_edit(Ctl *ctl, char **words);
int verb_schedule_rm(Ctl *ctl, char **words);
int verb_schedule_enable(Ctl *ctl, char **words);
int verb_schedule_disable(Ctl *ctl, char **words);
int verb_schedule_trigger(Ctl *ctl, char **words);
int verb_webhook_list(Ctl *ctl, char **words);
int verb_webhook_add(Ctl *ctl, char **words);
int verb_webhook_rm(Ctl *ctl, char **words);
int verb_webhook_test(Ctl *ctl, char **words);
int verb_webhook_deliveries(Ctl *ctl, char **words);
int verb_host_list(Ctl *ctl, char **words);
int verb_host_add(Ctl *ctl, char **words);
int verb_host_rm(Ctl *ctl, char **words);
int verb_host_show(Ctl *ctl, char **words);
int verb_host_key(Ctl *ctl, char **words);
int verb_vm_list(Ctl *ctl, char **words);
int verb_vm_show(Ctl *ctl, char **words);
int verb_vm_start(Ctl *ctl, char **words);
int verb_vm_shutdown(Ctl *ctl, char **words);
int verb_vm_reboot(Ctl *ctl, char **words);
int verb_vm_destroy(Ctl *ctl, char **words);
int verb_vm_reset(Ctl *ctl, char **words);
int verb_vm_top(Ctl *ctl, char **words);
int verb_queue(Ctl *ctl, char **words);
int verb_worker_list(Ctl *ctl, char **words);
int verb_worker_show(Ctl *ctl, char **words);
int verb_worker_rm(Ctl *ctl, char **words);
int verb_key_list(Ctl *ctl, char **words);
int verb_key_add(Ctl *ctl, char **words);
int verb_key_rm(Ctl *ctl, char **words);
int verb_help(Ctl *ctl, char **words);

/* All of hyperctl: reads the command line, runs the verb, returns the exit status. */
int ctl_run(int argc, char **argv);
