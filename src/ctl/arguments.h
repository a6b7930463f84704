/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The command line of hyperctl, read by one table of options. */

#include "basic/macro.h"

/* Bits, so that a verb can say which options it takes. */
typedef enum Option {
        OPTION_HELP,
        OPTION_VERSION,
        OPTION_HOST,
        OPTION_MACHINE,
        OPTION_JSON,
        OPTION_JSON_SHORT,
        OPTION_OUTPUT,
        OPTION_NO_PAGER,
        OPTION_NO_LEGEND,
        OPTION_QUIET,
        OPTION_NO_ASK_PASSWORD,
        OPTION_SOURCE,
        OPTION_SOURCE_FORMAT,
        OPTION_CHECKSUM,
        OPTION_DESTINATION,
        OPTION_FORMAT,
        OPTION_COMPRESS,
        OPTION_VERIFY,
        OPTION_IN_USE,
        OPTION_CHAIN,
        OPTION_ALLOW_LARGER,
        OPTION_FIX,
        OPTION_CONVERSION_METHOD,
        OPTION_SOURCE_POWER,
        OPTION_OPERATION,
        OPTION_ID,
        OPTION_PRIORITY,
        OPTION_TIMEOUT,
        OPTION_RETRIES,
        OPTION_ANY_WORKER,
        OPTION_WARM,
        OPTION_INTERVAL,
        OPTION_SHUTDOWN_TIMEOUT,
        OPTION_POWER_OFF,
        OPTION_POWER_ON_AFTER_FAILURE,
        OPTION_AT,
        OPTION_CANCEL,
        OPTION_WAIT,
        OPTION_FOLLOW,
        OPTION_STATE,
        OPTION_LIMIT,
        OPTION_OFFSET,
        OPTION_ORDER,
        OPTION_LINES,
        OPTION_CRON,
        OPTION_NAME,
        OPTION_DESCRIPTION,
        OPTION_OVERLAP,
        OPTION_CATCH_UP,
        OPTION_DISABLED,
        OPTION_EVENTS,
        OPTION_SCOPE,
        OPTION_RATE,
        OPTION_DAYS,
        OPTION_SECRET,
        OPTION_USER,
        OPTION_DATACENTER,
        OPTION_CA,
        OPTION_THUMBPRINT,
        OPTION_PASSWORD_FILE,
        OPTION_SERVER,
        OPTION_KEY_FILE,
        OPTION_TO,
        OPTION_LIBVIRT,
        OPTION_POOL,
        OPTION_NETWORK,
        OPTION_FIRMWARE,
        OPTION_START,
        OPTION_BOOT_CHECK,
        OPTION_YES,
        OPTION_DRY_RUN,
        OPTION_QUICK,
        OPTION_FORCE,
        OPTION_ROOT,
        OPTION_LUKS_KEYS,
        OPTION_HOLD,
        OPTION_LABEL,
        _OPTION_MAX,
} Option;

/* One bit for each. */
__extension__ typedef unsigned __int128 OptionSet;
#define OPTION_BIT(o) ((OptionSet) 1 << (o))
_Static_assert(_OPTION_MAX <= 8 * sizeof(OptionSet), "a set has no room for all options");

typedef struct OptionInfo {
        const char *name; /* long name, without dashes */
        char letter; /* or 0 */
        const char *argument; /* what stands for its value in the help, or NULL; "[=…]" for one that may be
                                 left out */
        const char *help;
} OptionInfo;

const OptionInfo *option_info(Option o) _pure_;

/* Those that every verb takes. */
OptionSet options_common(void) _pure_;

typedef enum JsonMode {
        JSON_MODE_OFF,
        JSON_MODE_SHORT, /* one line */
        JSON_MODE_PRETTY,
} JsonMode;

typedef enum Transport {
        TRANSPORT_LOCAL,
        TRANSPORT_REMOTE, /* -H: over ssh */
        TRANSPORT_MACHINE, /* -M: a local container */
} Transport;

typedef struct Arguments {
        OptionSet given; /* what was on the command line */
        Transport transport;
        const char *host; /* of -H or -M */
        JsonMode json;
        bool help, version, no_legend, quiet, no_ask_password;
        char *const *further_disks; /* of the same virtual machine as source, or NULL */
        const char *source, *source_format, *checksum, *destination, *format, *operation, *id;
        const char *in_use, *chain, *compression, *fix, *conversion_method, *source_power;
        const char *cutover; /* of a warm job, or NULL */
        const char *at; /* likewise, of the verb cutover */
        bool warm, cancel, power_off, power_on_after_failure;
        unsigned interval, shutdown_timeout;
        bool compress, verify, verify_full, allow_larger, any_worker, wait, follow;
        unsigned priority, timeout, retries;
        char **states;
        uint64_t limit, offset;
        const char *order;
        uint64_t lines;
        const char *cron, *name, *description, *overlap; /* of a schedule */
        bool catch_up, disabled;
        const char *events; /* of a webhook */
        const char *scope; /* of a key */
        const char *to, *libvirt, *pool, *firmware; /* of a domain */
        char **networks; /* likewise: "SOURCE=NETWORK" */
        char **holds; /* likewise: names of limits */
        char **labels; /* likewise: "LABEL", "-LABEL" or "~LABEL" */
        bool start, boot_check, yes;
        bool dry_run, force; /* of a guest that is fixed */
        bool quick; /* an inspection without a job */
        const char *root, *luks_keys; /* likewise: a file system; a file */
        char **secrets; /* of a job: "NAME:FILE" */
        unsigned rate, days; /* likewise; 0: not given */
        const char *user, *datacenter, *ca, *thumbprint, *password_file; /* of a source */
        const char *server, *key_file; /* another machine: its v1 API */
        char **words; /* the verb and what follows it; part of argv */
} Arguments;

void arguments_done(Arguments *a);

/* Reads argv (which must outlive *ret and is put in another order). Says what is wrong on stderr: -EINVAL,
 * or -ENOMEM. */
int arguments_parse(int argc, char **argv, Arguments *ret);

/* Adds all states that are terminal, or all that are not, to a strv. 0 or -ENOMEM. */
int arguments_add_states(char ***states, bool terminal);
