/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <getopt.h>
#include <inttypes.h>
#include <unistd.h>

#include "basic/log.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "ctl/arguments.h"
#include "spec/job-spec.h"
#include "spec/job-state.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX 1000 /* of org.hyper1.Manager.ListJobs */
#define RATE_MAX 1000000 /* of org.hyper1.Manager.AddKey */
#define DAYS_MAX 36500

static const OptionInfo options[_OPTION_MAX] = {
        [OPTION_HELP] = { "help", 'h', NULL, "Show this help" },
        [OPTION_VERSION] = { "version", 0, NULL, "Show the version" },
        [OPTION_HOST] = { "host", 'H', "[USER@]HOST", "Ask the hyper of another machine, over ssh" },
        [OPTION_MACHINE] = { "machine", 'M', "CONTAINER", "Ask the hyper of a local container" },
        [OPTION_JSON] = { "json", 0, "MODE", "Write JSON: pretty, short or off" },
        [OPTION_JSON_SHORT] = { "", 'j', NULL,
                        "The same as --json=pretty on a terminal, --json=short otherwise" },
        [OPTION_NO_PAGER] = { "no-pager", 0, NULL, "Accepted as by systemctl; no pager is ever started" },
        [OPTION_NO_LEGEND] = { "no-legend", 0, NULL, "No line of titles and no totals" },
        [OPTION_QUIET] = { "quiet", 'q', NULL, "No progress and no remarks" },
        [OPTION_NO_ASK_PASSWORD] = { "no-ask-password", 0, NULL, "Do not ask for a password" },
        [OPTION_SOURCE] = { "source", 's', "PATH|URI", "The image file, or the NBD server, to read" },
        [OPTION_SOURCE_FORMAT] = { "source-format", 0, "FORMAT",
                        "Its format, if it is not to be found out" },
        [OPTION_CHECKSUM] = { "checksum", 0, "sha256:HEX", "What the source file must hash to" },
        [OPTION_DESTINATION] = { "destination", 'd', "PATH|URI",
                        "The image file, or the NBD server, to write" },
        [OPTION_FORMAT] = { "format", 0, "FORMAT", "The destination's format: qcow2, raw, vmdk" },
        [OPTION_COMPRESS] = { "compress", 0, "[=zlib|zstd]",
                        "Compress the output (qcow2), with zlib if nothing is given" },
        [OPTION_VERIFY] = { "verify", 0, "[=full]",
                        "Read the output back and compare it with the source; full: every byte" },
        [OPTION_IN_USE] = { "in-use", 0, "MODE", "A source in use: refuse (if not given) or allow" },
        [OPTION_CHAIN] = { "chain", 0, "MODE",
                        "An image on top of others: refuse (if not given) or flatten" },
        [OPTION_ALLOW_LARGER] = { "allow-larger", 0, NULL,
                        "The NBD destination may be larger than the source" },
        [OPTION_OPERATION] = { "operation", 0, "NAME", "What to do, convert if not given" },
        [OPTION_ID] = { "id", 0, "ID", "Its id, a random one if not given" },
        [OPTION_PRIORITY] = { "priority", 0, "N", "0 to 100, higher is sooner, 50 if not given" },
        [OPTION_TIMEOUT] = { "timeout", 0, "SECONDS", "How long one attempt may take, 60 to 86400" },
        [OPTION_RETRIES] = { "retries", 0, "N", "How often to try again, 0 to 5" },
        [OPTION_ANY_WORKER] = { "any-worker", 0, NULL, "Any worker may take it, not only this machine" },
        [OPTION_WAIT] = { "wait", 'w', NULL, "Wait until the job has ended, and show its progress" },
        [OPTION_FOLLOW] = { "follow", 'f', NULL, "Show log lines as they come, until the job has ended" },
        [OPTION_STATE] = { "state", 0, "STATE[,…]",
                        "Only jobs in these states; also \"active\" and \"finished\"" },
        [OPTION_LIMIT] = { "limit", 0, "N", "At most so many, 1 to 1000, 100 if not given" },
        [OPTION_OFFSET] = { "offset", 0, "N", "Leave out the first N" },
        [OPTION_ORDER] = { "order", 0, "ORDER", "newest (if not given), oldest or queue" },
        [OPTION_LINES] = { "lines", 'n', "N", "Only the last N lines" },
        [OPTION_CRON] = { "cron", 0, "CRON", "When it runs, as in \"0 2 * * *\"" },
        [OPTION_NAME] = { "name", 0, "TEXT", "What it is called" },
        [OPTION_DESCRIPTION] = { "description", 0, "TEXT", "What it is for" },
        [OPTION_OVERLAP] = { "overlap", 0, "POLICY",
                        "If the run before goes on: skip (if not given), queue or allow" },
        [OPTION_CATCH_UP] = { "catch-up", 0, "BOOL",
                        "Whether a missed run is made up for, yes if not given" },
        [OPTION_DISABLED] = { "disabled", 0, NULL, "Do not run it before it is enabled" },
        [OPTION_EVENTS] = { "events", 0, "EVENT[,…]", "Only these events, such as job.failed" },
        [OPTION_SCOPE] = { "scope", 0, "SCOPE[,…]", "What the key allows: read, submit, work, admin" },
        [OPTION_RATE] = { "rate", 0, "N", "How many requests a minute, 1 to 1000000" },
        [OPTION_DAYS] = { "days", 0, "N", "How long the key is valid, for ever if not given" },
};

const OptionInfo *option_info(Option o) {
        return options + o;
}

uint64_t options_common(void) {
        return OPTION_BIT(OPTION_HELP) | OPTION_BIT(OPTION_VERSION) | OPTION_BIT(OPTION_HOST) |
                        OPTION_BIT(OPTION_MACHINE) | OPTION_BIT(OPTION_NO_PAGER) | OPTION_BIT(OPTION_QUIET) |
                        OPTION_BIT(OPTION_NO_ASK_PASSWORD);
}

void arguments_done(Arguments *a) {
        a->states = strv_free(a->states);
}

static int parse_number(Option o, const char *value, uint64_t min, uint64_t max, uint64_t *ret) {
        uint64_t n;

        if (parse_uint64(value, &n) < 0 || n < min || n > max) {
                if (max == UINT64_MAX)
                        log_error("--%s= must be a number from %" PRIu64 " on.", options[o].name, min);
                else
                        log_error("--%s= must be a number from %" PRIu64 " to %" PRIu64 ".", options[o].name,
                                        min, max);
                return -EINVAL;
        }
        *ret = n;
        return 0;
}

static int parse_small_number(Option o, const char *value, unsigned min, unsigned max, unsigned *ret) {
        uint64_t n;
        int r = parse_number(o, value, min, max, &n);

        if (r >= 0)
                *ret = (unsigned) n;
        return r;
}

static int parse_json_mode(const char *value, JsonMode *ret) {
        if (streq(value, "pretty"))
                *ret = JSON_MODE_PRETTY;
        else if (streq(value, "short"))
                *ret = JSON_MODE_SHORT;
        else if (streq(value, "off"))
                *ret = JSON_MODE_OFF;
        else {
                log_error("--json= must be pretty, short or off.");
                return -EINVAL;
        }
        return 0;
}

/* All states that are terminal, or all that are not. */
static int add_states(char ***states, bool terminal) {
        int r = 0;

        for (JobState s = 0; s < _JOB_STATE_MAX && r >= 0; s++)
                if (job_state_is_terminal(s) == terminal)
                        r = strv_extend(states, job_state_to_string(s));
        return r;
}

static int parse_states(const char *value, char ***states) {
        _cleanup_free_ char *copy = strdup(value);
        char *rest = copy;
        int r = copy ? 0 : log_oom();

        for (const char *word; r >= 0 && (word = strsep(&rest, ","));) {
                _cleanup_free_ char *upper = strdup(word);

                if (!upper)
                        return log_oom();
                for (char *p = upper; *p; p++)
                        *p = (char) toupper((unsigned char) *p);
                if (streq(upper, "ACTIVE") || streq(upper, "FINISHED"))
                        r = add_states(states, streq(upper, "FINISHED"));
                else if (job_state_from_string(upper) >= 0)
                        r = strv_extend(states, upper);
                else {
                        log_error("--state= knows created, validated, queued, assigned, running, retrying, "
                                  "completed, failed, cancelled, and active and finished for all of a "
                                  "kind.");
                        return -EINVAL;
                }
        }
        return r == -ENOMEM ? log_oom() : r;
}

static int parse_order(const char *value, const char **ret) {
        if (!streq(value, "newest") && !streq(value, "oldest") && !streq(value, "queue")) {
                log_error("--order= must be newest, oldest or queue.");
                return -EINVAL;
        }
        *ret = value;
        return 0;
}

static int parse_verify(const char *value, Arguments *a) {
        if (value && !streq(value, "full")) {
                log_error("--verify takes no value but full.");
                return -EINVAL;
        }
        a->verify = true;
        a->verify_full = value;
        return 0;
}

static int parse_in_use(const char *value, const char **ret) {
        if (job_in_use_from_string(value) < 0) {
                log_error("--in-use= must be refuse or allow.");
                return -EINVAL;
        }
        *ret = value;
        return 0;
}

static int parse_compress(const char *value, Arguments *a) {
        if (value && job_compression_from_string(value) < 0) {
                log_error("--compress= must be zlib or zstd.");
                return -EINVAL;
        }
        a->compress = true;
        a->compression = value;
        return 0;
}

static int parse_chain(const char *value, const char **ret) {
        if (job_chain_from_string(value) < 0) {
                log_error("--chain= must be refuse or flatten.");
                return -EINVAL;
        }
        *ret = value;
        return 0;
}

static int parse_id(const char *value, const char **ret) {
        if (!job_id_is_valid(value)) {
                log_error("--id= must be 1 to %u letters, digits, or . _ : - and begin with a letter or "
                          "digit.",
                                JOB_ID_MAX);
                return -EINVAL;
        }
        *ret = value;
        return 0;
}

static int parse_yes_no(Option o, const char *value, bool *ret) {
        static const char *const words[][2] = { { "yes", "no" }, { "true", "false" }, { "on", "off" },
                { "1", "0" } };

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (streq(value, words[i][0]) || streq(value, words[i][1])) {
                        *ret = streq(value, words[i][0]);
                        return 0;
                }
        log_error("--%s= must be yes or no.", options[o].name);
        return -EINVAL;
}

static int set_host(Arguments *a, Transport transport, const char *value) {
        if (isempty(value) || value[0] == '-') {
                log_error("%s needs the name of a machine.",
                                transport == TRANSPORT_REMOTE ? "--host=" : "--machine=");
                return -EINVAL;
        }
        if (a->host && a->transport != transport) {
                log_error("--host= and --machine= do not go together.");
                return -EINVAL;
        }
        a->transport = transport;
        a->host = value;
        return 0;
}

static int parse_one(Arguments *a, Option o, const char *value) {
        switch (o) {
        case OPTION_HELP:
                a->help = true;
                return 0;
        case OPTION_VERSION:
                a->version = true;
                return 0;
        case OPTION_HOST:
                return set_host(a, TRANSPORT_REMOTE, value);
        case OPTION_MACHINE:
                return set_host(a, TRANSPORT_MACHINE, value);
        case OPTION_JSON:
                return parse_json_mode(value, &a->json);
        case OPTION_JSON_SHORT:
                a->json = isatty(STDOUT_FILENO) ? JSON_MODE_PRETTY : JSON_MODE_SHORT;
                return 0;
        case OPTION_NO_PAGER:
                return 0;
        case OPTION_NO_LEGEND:
                a->no_legend = true;
                return 0;
        case OPTION_QUIET:
                a->quiet = true;
                return 0;
        case OPTION_NO_ASK_PASSWORD:
                a->no_ask_password = true;
                return 0;
        case OPTION_SOURCE:
                a->source = value;
                return 0;
        case OPTION_SOURCE_FORMAT:
                a->source_format = value;
                return 0;
        case OPTION_CHECKSUM:
                a->checksum = value;
                return 0;
        case OPTION_DESTINATION:
                a->destination = value;
                return 0;
        case OPTION_FORMAT:
                a->format = value;
                return 0;
        case OPTION_COMPRESS:
                return parse_compress(value, a);
        case OPTION_VERIFY:
                return parse_verify(value, a);
        case OPTION_IN_USE:
                return parse_in_use(value, &a->in_use);
        case OPTION_CHAIN:
                return parse_chain(value, &a->chain);
        case OPTION_ALLOW_LARGER:
                a->allow_larger = true;
                return 0;
        case OPTION_OPERATION:
                a->operation = value;
                return 0;
        case OPTION_ID:
                return parse_id(value, &a->id);
        case OPTION_PRIORITY:
                return parse_small_number(o, value, 0, JOB_PRIORITY_MAX, &a->priority);
        case OPTION_TIMEOUT:
                return parse_small_number(o, value, JOB_TIMEOUT_MIN, JOB_TIMEOUT_MAX, &a->timeout);
        case OPTION_RETRIES:
                return parse_small_number(o, value, 0, JOB_RETRY_MAX, &a->retries);
        case OPTION_ANY_WORKER:
                a->any_worker = true;
                return 0;
        case OPTION_WAIT:
                a->wait = true;
                return 0;
        case OPTION_FOLLOW:
                a->follow = true;
                return 0;
        case OPTION_STATE:
                return parse_states(value, &a->states);
        case OPTION_LIMIT:
                return parse_number(o, value, 1, LIMIT_MAX, &a->limit);
        case OPTION_OFFSET:
                return parse_number(o, value, 0, UINT64_MAX, &a->offset);
        case OPTION_ORDER:
                return parse_order(value, &a->order);
        case OPTION_LINES:
                return parse_number(o, value, 0, UINT64_MAX, &a->lines);
        case OPTION_CRON:
                a->cron = value;
                return 0;
        case OPTION_NAME:
                a->name = value;
                return 0;
        case OPTION_DESCRIPTION:
                a->description = value;
                return 0;
        case OPTION_OVERLAP:
                a->overlap = value;
                return 0;
        case OPTION_CATCH_UP:
                return parse_yes_no(o, value, &a->catch_up);
        case OPTION_DISABLED:
                a->disabled = true;
                return 0;
        case OPTION_EVENTS:
                a->events = value;
                return 0;
        case OPTION_SCOPE:
                a->scope = value;
                return 0;
        case OPTION_RATE:
                return parse_small_number(o, value, 1, RATE_MAX, &a->rate);
        case OPTION_DAYS:
                return parse_small_number(o, value, 1, DAYS_MAX, &a->days);
        default:
                assert(false);
                return -EINVAL;
        }
}

/* The table in the form getopt_long(3) wants; a value is the option's number plus 256, a letter is
 * itself. */
static void make_getopt(struct option *longs, char *letters) {
        size_t n = 0;

        /* ':' first: getopt tells a missing value from an unknown option and leaves the message to us. */
        *letters++ = ':';
        for (Option o = 0; o < _OPTION_MAX; o++) {
                if (*options[o].name)
                        longs[n++] = (struct option){ .name = options[o].name,
                                .has_arg = !options[o].argument                 ? no_argument
                                                : options[o].argument[0] == '[' ? optional_argument
                                                                                : required_argument,
                                .val = 256 + (int) o };
                if (options[o].letter) {
                        *letters++ = options[o].letter;
                        if (options[o].argument)
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
                if (options[o].letter == c)
                        return o;
        return _OPTION_MAX;
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
                const char *word = argv[optind - 1];

                if (c == ':' || c == '?') {
                        /* A letter in a cluster is in optopt; a long option is the word just passed. */
                        if (optopt > 0 && optopt < 256 && !startswith(word, "--"))
                                log_error("-%c %s. \"hyperctl help\" lists the options.", optopt,
                                                c == ':' ? "needs a value" : "is not an option");
                        else
                                log_error("%s %s. \"hyperctl help\" lists the options.", word,
                                                c == ':' ? "needs a value"
                                                                : strchr(word, '=')
                                                                ? "does not take a value, or is not an "
                                                                  "option"
                                                                : "is not an option");
                        r = -EINVAL;
                        break;
                }
                a.given |= OPTION_BIT(option_from_getopt(c));
                r = parse_one(&a, option_from_getopt(c), optarg);
        }
        if (r < 0) {
                arguments_done(&a);
                return r;
        }
        a.words = argv + optind;
        *ret = a;
        return 0;
}
