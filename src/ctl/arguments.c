/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <getopt.h>
#include <inttypes.h>
#include <unistd.h>

#include "basic/log.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "ctl/arguments.h"
#include "ctl/similar.h"
#include "spec/job-spec.h"
#include "spec/job-state.h"
#include "spec/label.h"
#include "spec/limit-rules.h"
#include "spec/vsphere-spec.h"
#include "spec/warm-spec.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX 1000 /* of org.hyper1.Manager.ListJobs */
#define RATE_MAX 1000000 /* of org.hyper1.Manager.AddKey */
#define DAYS_MAX 36500
#define CHOICES_MAX 5

/* An option: what the help says, and how its value is read into Arguments. */
typedef struct OptionRow {
        OptionInfo info;
        int (*parse)(const struct OptionRow *row, const char *value, Arguments *a);
        size_t offset; /* of the field in Arguments */
        uint64_t min, max; /* of a number */
        const char *choices[CHOICES_MAX]; /* words that the value may be; NULL ends */
} OptionRow;

#define FIELD(row, a, type) ((type *) (void *) ((char *) (a) + (row)->offset))

/* --- kinds of values ------------------------------------------------------------------------------- */

/* "--in-use= must be refuse or allow." */
static int refuse_choice(const OptionRow *row) {
        _cleanup_free_ char *list = strdup("");

        for (size_t i = 0; list && i < CHOICES_MAX && row->choices[i]; i++) {
                _cleanup_free_ char *before = list;
                bool last = i + 1 == CHOICES_MAX || !row->choices[i + 1];

                list = strprintf("%s%s%s", before, i == 0 ? "" : last ? " or " : ", ", row->choices[i]);
        }
        if (!list)
                return log_oom();
        log_error("--%s= must be %s.", row->info.name, list);
        return -EINVAL;
}

/* Which of the choices @value is, or an error that has been printed. */
static int find_choice(const OptionRow *row, const char *value) {
        for (size_t i = 0; i < CHOICES_MAX && row->choices[i]; i++)
                if (streq(row->choices[i], value))
                        return (int) i;
        return refuse_choice(row);
}

static int parse_flag(const OptionRow *row, const char *value, Arguments *a) {
        *FIELD(row, a, bool) = true;
        return 0;
}

static int parse_nothing(const OptionRow *row, const char *value, Arguments *a) {
        return 0;
}

static int parse_text(const OptionRow *row, const char *value, Arguments *a) {
        *FIELD(row, a, const char *) = value;
        return 0;
}

static int parse_word(const OptionRow *row, const char *value, Arguments *a) {
        int i = find_choice(row, value);

        if (i < 0)
                return i;
        *FIELD(row, a, const char *) = row->choices[i];
        return 0;
}

static int read_number(const OptionRow *row, const char *value, uint64_t *ret) {
        uint64_t n;

        if (parse_uint64(value, &n) >= 0 && n >= row->min && n <= row->max) {
                *ret = n;
                return 0;
        }
        if (row->max == UINT64_MAX)
                log_error("--%s= must be a number from %" PRIu64 " on.", row->info.name, row->min);
        else
                log_error("--%s= must be a number from %" PRIu64 " to %" PRIu64 ".", row->info.name,
                                row->min, row->max);
        return -EINVAL;
}

static int parse_number(const OptionRow *row, const char *value, Arguments *a) {
        return read_number(row, value, FIELD(row, a, uint64_t));
}

static int parse_small_number(const OptionRow *row, const char *value, Arguments *a) {
        uint64_t n = 0;
        int r = read_number(row, value, &n);

        if (r < 0)
                return r;
        *FIELD(row, a, unsigned) = (unsigned) n;
        return 0;
}

static int parse_yes_no(const OptionRow *row, const char *value, Arguments *a) {
        static const char *const words[][2] = { { "yes", "no" }, { "true", "false" }, { "on", "off" },
                { "1", "0" } };

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (streq(value, words[i][0]) || streq(value, words[i][1])) {
                        *FIELD(row, a, bool) = streq(value, words[i][0]);
                        return 0;
                }
        log_error("--%s= must be yes or no.", row->info.name);
        return -EINVAL;
}

/* --- options with a reader of their own
 * ----------------------------------------------------------------- */

/* For a person if it is shown to one. */
static JsonMode json_mode_of_output(void) {
        return isatty(STDOUT_FILENO) ? JSON_MODE_PRETTY : JSON_MODE_SHORT;
}

static int parse_json(const OptionRow *row, const char *value, Arguments *a) {
        static const JsonMode modes[] = { JSON_MODE_PRETTY, JSON_MODE_SHORT, JSON_MODE_OFF };
        int i;

        if (!value) {
                a->json = json_mode_of_output();
                return 0;
        }
        i = find_choice(row, value);
        if (i < 0)
                return i;
        a->json = modes[i];
        return 0;
}

static int parse_output(const OptionRow *row, const char *value, Arguments *a) {
        const JsonMode modes[] = { json_mode_of_output(), JSON_MODE_PRETTY, JSON_MODE_SHORT, JSON_MODE_OFF };
        int i = find_choice(row, value);

        if (i < 0)
                return i;
        a->json = modes[i];
        return 0;
}

static int set_host(const OptionRow *row, const char *value, Arguments *a, Transport transport) {
        if (isempty(value) || value[0] == '-') {
                log_error("--%s= needs the name of a machine.", row->info.name);
                return -EINVAL;
        }
        if (a->host && a->transport != transport) {
                log_error("--host= and --machine= cannot be combined.");
                return -EINVAL;
        }
        a->transport = transport;
        a->host = value;
        return 0;
}

static int parse_host(const OptionRow *row, const char *value, Arguments *a) {
        return set_host(row, value, a, TRANSPORT_REMOTE);
}

static int parse_machine(const OptionRow *row, const char *value, Arguments *a) {
        return set_host(row, value, a, TRANSPORT_MACHINE);
}

static int parse_verify(const OptionRow *row, const char *value, Arguments *a) {
        if (value && !streq(value, "full")) {
                log_error("--verify takes no value but full.");
                return -EINVAL;
        }
        a->verify = true;
        a->verify_full = value;
        return 0;
}

static int parse_compress(const OptionRow *row, const char *value, Arguments *a) {
        a->compress = true;
        return value ? parse_word(row, value, a) : 0;
}

static int parse_warm(const OptionRow *row, const char *value, Arguments *a) {
        a->warm = true;
        return value ? parse_text(row, value, a) : 0;
}

static int parse_id(const OptionRow *row, const char *value, Arguments *a) {
        if (!job_id_is_valid(value)) {
                log_error("--id= must be 1 to %u letters, digits, or . _ : - and begin with a letter or "
                          "digit.",
                                JOB_ID_MAX);
                return -EINVAL;
        }
        a->id = value;
        return 0;
}

int arguments_add_states(char ***states, bool terminal) {
        for (JobState s = 0; s < _JOB_STATE_MAX; s++) {
                int r;

                if (job_state_is_terminal(s) != terminal)
                        continue;
                r = strv_extend(states, job_state_to_string(s));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_state(char ***states, const char *word) {
        _cleanup_free_ char *upper = strdup(word);

        if (!upper)
                return -ENOMEM;
        for (char *p = upper; *p; p++)
                *p = (char) toupper((unsigned char) *p);
        if (streq(upper, "ACTIVE") || streq(upper, "FINISHED"))
                return arguments_add_states(states, streq(upper, "FINISHED"));
        return job_state_from_string(upper) >= 0 ? strv_extend(states, upper) : -EINVAL;
}

static int parse_states(const OptionRow *row, const char *value, Arguments *a) {
        _cleanup_free_ char *copy = strdup(value);
        char *rest = copy;
        int r = copy ? 0 : -ENOMEM;

        for (const char *word; r >= 0 && (word = strsep(&rest, ","));)
                r = add_state(&a->states, word);
        if (r == -ENOMEM)
                return log_oom();
        if (r < 0)
                log_error("--state= must be a list of created, validated, queued, assigned, running, "
                          "retrying, "
                          "completed, failed, cancelled, or active or finished for all of a kind.");
        return r;
}

static int parse_secret(const OptionRow *row, const char *value, Arguments *a) {
        const char *colon = strchr(value, ':');

        if (!colon || colon == value || !colon[1]) {
                log_error("--secret= must be NAME:FILE, as in --secret=source.tls_psk:/root/psk.");
                return -EINVAL;
        }
        return strv_extend(&a->secrets, value) < 0 ? log_oom() : 0;
}

static int parse_network(const OptionRow *row, const char *value, Arguments *a) {
        const char *equals = strrchr(value, '=');

        if (!equals || equals == value || !equals[1]) {
                log_error("--network= must be SOURCE=NETWORK, as in \"--network=VM Network=default\".");
                return -EINVAL;
        }
        return strv_extend(&a->networks, value) < 0 ? log_oom() : 0;
}

static int parse_hold(const OptionRow *row, const char *value, Arguments *a) {
        if (!limit_name_is_valid(value)) {
                log_error("--hold= must be a kind and a name, as in --hold=esx:esx7.example.com.");
                return -EINVAL;
        }
        return strv_extend(&a->holds, value) < 0 ? log_oom() : 0;
}

static int parse_label(const OptionRow *row, const char *value, Arguments *a) {
        if (!label_is_valid(value + strspn(value, "-~")) || strspn(value, "-~") > 1) {
                log_error("--label= must be LABEL, -LABEL or ~LABEL, of lower-case letters, digits, \".\", "
                          "\"_\" and \"-\".");
                return -EINVAL;
        }
        return strv_extend(&a->labels, value) < 0 ? log_oom() : 0;
}

/* --- the table
 * ------------------------------------------------------------------------------------------ */

#define AT(field) .offset = offsetof(Arguments, field)

static const OptionRow options[_OPTION_MAX] = {
        [OPTION_HELP] = { { "help", 'h', NULL, "Show this help" }, parse_flag, AT(help) },
        [OPTION_VERSION] = { { "version", 0, NULL, "Show the version" }, parse_flag, AT(version) },
        [OPTION_HOST] = { { "host", 'H', "[USER@]HOST", "Operate on another machine, over ssh" },
                        parse_host },
        [OPTION_MACHINE] = { { "machine", 'M', "CONTAINER", "Operate on a local container" },
                        parse_machine },
        [OPTION_JSON] = { { "json", 0, "[=MODE]", "Write JSON: pretty, short or off; as -j without a mode" },
                        parse_json, .choices = { "pretty", "short", "off" } },
        [OPTION_JSON_SHORT] = { { "", 'j', NULL,
                                                "Write JSON: --json=pretty on a terminal, --json=short "
                                                "otherwise" },
                        parse_json },
        [OPTION_OUTPUT] = { { "output", 'o', "MODE", "json (as -j), json-pretty, json-short or table" },
                        parse_output, .choices = { "json", "json-pretty", "json-short", "table" } },
        [OPTION_NO_PAGER] = { { "no-pager", 0, NULL, "Accepted as by systemctl; no pager is ever started" },
                        parse_nothing },
        [OPTION_NO_LEGEND] = { { "no-legend", 0, NULL, "No line of titles and no totals" }, parse_flag,
                        AT(no_legend) },
        [OPTION_QUIET] = { { "quiet", 'q', NULL, "No progress and no remarks" }, parse_flag, AT(quiet) },
        [OPTION_NO_ASK_PASSWORD] = { { "no-ask-password", 0, NULL, "Do not ask for a password" }, parse_flag,
                        AT(no_ask_password) },
        [OPTION_SOURCE] = { { "source", 's', "PATH|URI",
                                            "The image, the NBD server, or the VM of vSphere to read" },
                        parse_text, AT(source) },
        [OPTION_SOURCE_FORMAT] = { { "source-format", 0, "FORMAT",
                                                   "The source's format, detected if not given" },
                        parse_text, AT(source_format) },
        [OPTION_CHECKSUM] = { { "checksum", 0, "sha256:HEX", "What the source file must hash to" },
                        parse_text, AT(checksum) },
        [OPTION_DESTINATION] = { { "destination", 'd', "PATH|URI",
                                                 "The image file, the directory, or the NBD server, to "
                                                 "write" },
                        parse_text, AT(destination) },
        [OPTION_FORMAT] = { { "format", 0, "FORMAT",
                                            "The destination's format: qcow2, raw, vmdk, ova, ovf" },
                        parse_text, AT(format) },
        [OPTION_COMPRESS] = { { "compress", 0, "[=zlib|zstd]",
                                              "Compress the output (qcow2), with zlib if nothing is given" },
                        parse_compress, AT(compression), .choices = { "zlib", "zstd" } },
        [OPTION_VERIFY] = { { "verify", 0, "[=full]",
                                            "Read the output back and compare it with the source; full: "
                                            "every byte" },
                        parse_verify },
        [OPTION_IN_USE] = { { "in-use", 0, "MODE", "A source in use: refuse (the default) or allow" },
                        parse_word, AT(in_use), .choices = { "refuse", "allow" } },
        [OPTION_CHAIN] = { { "chain", 0, "MODE",
                                           "An image on top of others: refuse (the default) or flatten" },
                        parse_word, AT(chain), .choices = { "refuse", "flatten" } },
        [OPTION_ALLOW_LARGER] = { { "allow-larger", 0, NULL,
                                                  "The NBD destination may be larger than the source" },
                        parse_flag, AT(allow_larger) },
        [OPTION_FIX] = { { "fix", 0, "MODE",
                                         "Make the guest start on KVM: auto (default of migrate) or none" },
                        parse_word, AT(fix), .choices = { "none", "auto" } },
        [OPTION_CONVERSION_METHOD] = { { "conversion-method", 0, "METHOD",
                                                       "How the disks of a vSphere VM are read: auto (the "
                                                       "default), vddk, nfc, https" },
                        parse_word, AT(conversion_method), .choices = { "auto", "vddk", "nfc", "https" } },
        [OPTION_SOURCE_POWER] = { { "source-power", 0, "MODE",
                                                  "A vSphere VM that is running: keep (the default), "
                                                  "shutdown, poweroff" },
                        parse_word, AT(source_power), .choices = { "keep", "shutdown", "poweroff" } },
        [OPTION_WARM] = { { "warm", 0, "[=TIME]",
                                          "Copy a VM of vSphere in passes while it runs; the time of the "
                                          "cutover" },
                        parse_warm, AT(cutover) },
        [OPTION_INTERVAL] = { { "interval", 0, "SECONDS",
                                              "Between two passes of a warm job, 3600 if not given" },
                        parse_small_number, AT(interval), .min = WARM_INTERVAL_MIN,
                        .max = WARM_INTERVAL_MAX },
        [OPTION_SHUTDOWN_TIMEOUT] = { { "shutdown-timeout", 0, "SECONDS",
                                                      "How long the guest of a vSphere VM may take to shut "
                                                      "down, 300 if not given" },
                        parse_small_number, AT(shutdown_timeout), .min = 1,
                        .max = VSPHERE_SHUTDOWN_TIMEOUT_MAX },
        [OPTION_POWER_OFF] = { { "power-off", 0, NULL,
                                               "Power a vSphere VM off if its guest does not shut down" },
                        parse_flag, AT(power_off) },
        [OPTION_POWER_ON_AFTER_FAILURE] = { { "power-on-after-failure", 0, "yes|no",
                                                            "Whether a warm job that fails starts the VM "
                                                            "again that it has shut down, yes if not given" },
                        parse_yes_no, AT(power_on_after_failure) },
        [OPTION_AT] = { { "at", 0, "TIME", "When the cutover begins, now if not given" }, parse_text,
                        AT(at) },
        [OPTION_CANCEL] = { { "cancel", 0, NULL, "No cutover is planned any more" }, parse_flag,
                        AT(cancel) },
        [OPTION_OPERATION] = { { "operation", 0, "NAME", "What to do, convert if not given" }, parse_text,
                        AT(operation) },
        [OPTION_ID] = { { "id", 0, "ID", "Its id, a random one if not given" }, parse_id },
        [OPTION_PRIORITY] = { { "priority", 0, "N", "0 to 100, higher is sooner, 50 if not given" },
                        parse_small_number, AT(priority), .max = JOB_PRIORITY_MAX },
        [OPTION_TIMEOUT] = { { "timeout", 0, "SECONDS", "How long one attempt may take" },
                        parse_small_number, AT(timeout), .min = JOB_TIMEOUT_MIN, .max = JOB_TIMEOUT_MAX },
        [OPTION_RETRIES] = { { "retries", 0, "N", "How often to try again, 0 to 5" }, parse_small_number,
                        AT(retries), .max = JOB_RETRY_MAX },
        [OPTION_ANY_WORKER] = { { "any-worker", 0, NULL, "Any worker may take it, not only this machine" },
                        parse_flag, AT(any_worker) },
        [OPTION_WAIT] = { { "wait", 'w', NULL, "Wait until the job has ended, and show its progress" },
                        parse_flag, AT(wait) },
        [OPTION_FOLLOW] = { { "follow", 'f', NULL, "Show log lines as they come, until the job has ended" },
                        parse_flag, AT(follow) },
        [OPTION_STATE] = { { "state", 0, "STATE[,…]",
                                           "Only jobs in these states; also \"active\" and \"finished\"" },
                        parse_states },
        [OPTION_LIMIT] = { { "limit", 0, "N", "At most so many, 1 to 1000, 100 if not given" }, parse_number,
                        AT(limit), .min = 1, .max = LIMIT_MAX },
        [OPTION_OFFSET] = { { "offset", 0, "N", "Leave out the first N" }, parse_number, AT(offset),
                        .max = UINT64_MAX },
        [OPTION_ORDER] = { { "order", 0, "ORDER", "newest (the default), oldest or queue" }, parse_word,
                        AT(order), .choices = { "newest", "oldest", "queue" } },
        [OPTION_LINES] = { { "lines", 'n', "N", "Only the last N lines" }, parse_number, AT(lines),
                        .max = UINT64_MAX },
        [OPTION_CRON] = { { "cron", 0, "CRON", "When it runs, as in \"0 2 * * *\"" }, parse_text, AT(cron) },
        [OPTION_NAME] = { { "name", 0, "TEXT", "What it is called" }, parse_text, AT(name) },
        [OPTION_DESCRIPTION] = { { "description", 0, "TEXT", "What it is for" }, parse_text,
                        AT(description) },
        [OPTION_OVERLAP] = { { "overlap", 0, "POLICY",
                                             "If the previous run is not over: skip (the default), queue or "
                                             "allow" },
                        parse_text, AT(overlap) },
        [OPTION_CATCH_UP] = { { "catch-up", 0, "BOOL",
                                              "Whether a missed run is made up for, yes if not given" },
                        parse_yes_no, AT(catch_up) },
        [OPTION_DISABLED] = { { "disabled", 0, NULL, "Do not run it before it is enabled" }, parse_flag,
                        AT(disabled) },
        [OPTION_EVENTS] = { { "events", 0, "EVENT[,…]", "Only these events, such as job.failed" },
                        parse_text, AT(events) },
        [OPTION_SCOPE] = { { "scope", 0, "SCOPE[,…]", "What the key allows: read, submit, work, admin" },
                        parse_text, AT(scope) },
        [OPTION_RATE] = { { "rate", 0, "N", "How many requests a minute, 1 to 1000000" }, parse_small_number,
                        AT(rate), .min = 1, .max = RATE_MAX },
        [OPTION_DAYS] = { { "days", 0, "N", "How long the key is valid, for ever if not given" },
                        parse_small_number, AT(days), .min = 1, .max = DAYS_MAX },
        [OPTION_SECRET] = { { "secret", 0, "NAME:FILE",
                                            "A secret of the job, such as source.tls_psk, from a file or "
                                            "stdin (-)" },
                        parse_secret },
        [OPTION_HOLD] = { { "hold", 0, "LIMIT",
                                          "A limit that the job holds while it runs, such as esx:HOST" },
                        parse_hold },
        [OPTION_LABEL] = { { "label", 0, "[-|~]LABEL",
                                           "A label that its machine must have; with - must not, with ~ "
                                           "should" },
                        parse_label },
        [OPTION_USER] = { { "user", 0, "USER", "The user that logs in to the vCenter or ESXi host" },
                        parse_text, AT(user) },
        [OPTION_DATACENTER] = { { "datacenter", 0, "NAME", "The datacenter of the VMs" }, parse_text,
                        AT(datacenter) },
        [OPTION_CA] = { { "ca", 0, "FILE", "Certificates in PEM that the server's is verified with" },
                        parse_text, AT(ca) },
        [OPTION_THUMBPRINT] = { { "thumbprint", 0, "SHA256", "The thumbprint of the server's certificate" },
                        parse_text, AT(thumbprint) },
        [OPTION_PASSWORD_FILE] = { { "password-file", 0, "FILE",
                                                   "Read the password from a file or stdin (-), instead of "
                                                   "asking" },
                        parse_text, AT(password_file) },
        [OPTION_SERVER] = { { "server", 0, "HOST[:PORT]", "Use the v1 API of another machine, over HTTPS" },
                        parse_text, AT(server) },
        [OPTION_KEY_FILE] = { { "key-file", 0, "FILE",
                                              "Read the API key for --server= from a file or stdin (-)" },
                        parse_text, AT(key_file) },
        [OPTION_TO] = { { "to", 0, "TYPE", "What the machine becomes: kvm, a domain of libvirt" },
                        parse_word, AT(to), .choices = { "kvm" } },
        [OPTION_LIBVIRT] = { { "libvirt", 0, "URI",
                                             "The libvirt of the domain, if it is that of another host" },
                        parse_text, AT(libvirt) },
        [OPTION_POOL] = { { "pool", 0, "NAME", "The storage pool of the disks" }, parse_text, AT(pool) },
        [OPTION_NETWORK] = { { "network", 0, "SOURCE=NETWORK",
                                             "The network or bridge of this host for one of the source" },
                        parse_network },
        [OPTION_FIRMWARE] = { { "firmware", 0, "TYPE",
                                              "The firmware, if the source does not say: bios, efi" },
                        parse_word, AT(firmware), .choices = { "bios", "efi" } },
        [OPTION_START] = { { "start", 0, NULL, "Start the domain afterwards" }, parse_flag, AT(start) },
        [OPTION_BOOT_CHECK] = { { "boot-check", 0, NULL, "See whether it boots, without a network" },
                        parse_flag, AT(boot_check) },
        [OPTION_YES] = { { "yes", 'y', NULL, "Do not ask before it begins" }, parse_flag, AT(yes) },
        [OPTION_DRY_RUN] = { { "dry-run", 0, NULL, "Only show what would be changed" }, parse_flag,
                        AT(dry_run) },
        [OPTION_QUICK] = { { "quick", 0, NULL, "Run no job: show only the format, the disks and concerns" },
                        parse_flag, AT(quick) },
        [OPTION_FORCE] = { { "force", 0, NULL, "Repair file systems even if data may be lost" }, parse_flag,
                        AT(force) },
        [OPTION_ROOT] = { { "root", 0, "DEVICE", "The root file system, if there are several systems" },
                        parse_text, AT(root) },
        [OPTION_LUKS_KEYS] = { { "luks-keys", 0, "FILE",
                                               "Passphrases of encrypted devices, a line each, from a file "
                                               "or stdin (-)" },
                        parse_text, AT(luks_keys) },
};

const OptionInfo *option_info(Option o) {
        return &options[o].info;
}

OptionSet options_common(void) {
        return OPTION_BIT(OPTION_HELP) | OPTION_BIT(OPTION_VERSION) | OPTION_BIT(OPTION_HOST) |
                        OPTION_BIT(OPTION_MACHINE) | OPTION_BIT(OPTION_NO_PAGER) | OPTION_BIT(OPTION_QUIET) |
                        OPTION_BIT(OPTION_NO_ASK_PASSWORD);
}

/* --- reading
 * --------------------------------------------------------------------------------------------- */

void arguments_done(Arguments *a) {
        a->secrets = strv_free(a->secrets);
        a->networks = strv_free(a->networks);
        a->holds = strv_free(a->holds);
        a->labels = strv_free(a->labels);
        a->states = strv_free(a->states);
}

/* The table in the form getopt_long(3) wants; a value is the option's number plus 256, a letter is
 * itself. */
static void make_getopt(struct option *longs, char *letters) {
        size_t n = 0;

        /* ':' first: getopt tells a missing value from an unknown option and leaves the message to us. */
        *letters++ = ':';
        for (Option o = 0; o < _OPTION_MAX; o++) {
                const OptionInfo *i = option_info(o);

                if (*i->name)
                        longs[n++] = (struct option){ .name = i->name,
                                .has_arg = !i->argument                 ? no_argument
                                                : i->argument[0] == '[' ? optional_argument
                                                                        : required_argument,
                                .val = 256 + (int) o };
                if (i->letter) {
                        *letters++ = i->letter;
                        if (i->argument)
                                *letters++ = ':';
                }
        }
        longs[n] = (struct option){ 0 };
        *letters = 0;
}

static Option option_from_getopt(int c) {
        if (c >= 256)
                return (Option) (c - 256);
        for (Option o = 0; o < _OPTION_MAX; o++)
                if (options[o].info.letter == c)
                        return o;
        return _OPTION_MAX;
}

/* The long option that is most like @name, or NULL; *ret_same: it is that one. */
static const char *similar_option(const char *name, bool *ret_same) {
        Similar s = { .word = name };

        *ret_same = false;
        for (Option o = 0; o < _OPTION_MAX; o++) {
                if (!*options[o].info.name)
                        continue;
                *ret_same |= streq(options[o].info.name, name);
                similar_offer(&s, options[o].info.name);
        }
        return s.best;
}

/* Explains why getopt_long(3) did not take @word, as ':' or '?'. */
static int refuse_option(int c, const char *word) {
        _cleanup_free_ char *name = NULL;
        const char *best;
        bool same;

        /* A letter in a cluster is in optopt; a long option is the word just passed. */
        if (optopt > 0 && optopt < 256 && !startswith(word, "--")) {
                log_error("-%c %s. \"hyperctl help\" lists the options.", optopt,
                                c == ':' ? "needs a value" : "is not an option");
                return -EINVAL;
        }
        name = strndup(word + strspn(word, "-"), strcspn(word + strspn(word, "-"), "="));
        if (!name)
                return log_oom();
        best = similar_option(name, &same);
        if (c == ':')
                log_error("--%s needs a value. \"hyperctl help\" lists the options.", name);
        else if (same)
                log_error("--%s does not take a value. \"hyperctl help\" lists the options.", name);
        else if (best)
                log_error("--%s is not an option. Did you mean --%s?", name, best);
        else
                log_error("--%s is not an option. \"hyperctl help\" lists the options.", name);
        return -EINVAL;
}

int arguments_parse(int argc, char **argv, Arguments *ret) {
        struct option longs[_OPTION_MAX + 1];
        char letters[2 * _OPTION_MAX + 2];
        Arguments a = { .limit = LIMIT_DEFAULT, .lines = UINT64_MAX };
        int c, r = 0;

        make_getopt(longs, letters);
        optind = 0;
        opterr = 0;
        while (r >= 0 && (c = getopt_long(argc, argv, letters, longs, NULL)) >= 0) {
                const OptionRow *row;

                if (c == ':' || c == '?') {
                        r = refuse_option(c, argv[optind - 1]);
                        break;
                }
                row = options + option_from_getopt(c);
                a.given |= OPTION_BIT(option_from_getopt(c));
                r = row->parse(row, optarg, &a);
        }
        if (r < 0) {
                arguments_done(&a);
                return r;
        }
        a.words = argv + optind;
        *ret = a;
        return 0;
}
