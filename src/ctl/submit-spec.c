/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/output-name.h"
#include "ctl/password.h"
#include "ctl/submit-spec.h"
#include "ctl/text.h"
#include "ctl/vsphere-address.h"
#include "spec/job-spec.h"
#include "spec/vsphere-server.h"

#define SPEC_SIZE_MAX (1024 * 1024)

static int read_all(FILE *f, char **ret) {
        _cleanup_free_ char *text = new0(char, SPEC_SIZE_MAX + 2);
        size_t n;

        if (!text)
                return -ENOMEM;
        n = fread(text, 1, SPEC_SIZE_MAX + 1, f);
        if (ferror(f))
                return -EIO;
        if (n > SPEC_SIZE_MAX)
                return -EFBIG;
        if (strlen(text) != n)
                return -EBADMSG;
        *ret = TAKE_PTR(text);
        return 0;
}

int submit_spec_load(Ctl *ctl, const char *name, json_t **ret) {
        _cleanup_free_ char *text = NULL, *shown = NULL;
        _cleanup_fclose_ FILE *f = NULL;
        json_error_t error;
        int r;

        if (!name) {
                *ret = json_object();
                return *ret ? EXIT_OK : (log_oom(), EXIT_OTHER);
        }
        if (streq(name, "-"))
                r = read_all(stdin, &text);
        else {
                f = fopen(name, "re");
                r = f ? read_all(f, &text) : -errno;
        }
        if (r < 0) {
                log_error_errno(r, "Failed to read the spec %s: %m", name);
                return EXIT_OTHER;
        }
        *ret = json_loads(text, JSON_REJECT_DUPLICATES, &error);
        if (json_is_object(*ret))
                return EXIT_OK;
        shown = text_escape(*ret ? "an object { … } is needed" : error.text, ctl->err.utf8);
        log_error("%s:%d:%d: %s", name, *ret ? 1 : error.line, *ret ? 1 : error.column, strempty(shown));
        json_decref(*ret);
        *ret = NULL;
        return EXIT_REFUSED;
}

/* --- the words behind the verb ----------------------------------------------------------------------------
 */

/* "-", "x.json", or a pipe such as the shell's <(…). All else is an image, or a server. */
static bool is_spec(const char *word) {
        struct stat st;

        if (streq(word, "-") || endswith(word, ".json"))
                return true;
        return stat(word, &st) >= 0 && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode));
}

int submit_spec_words(Arguments *a, char **words, const char **ret_spec) {
        *ret_spec = NULL;
        if (!words[0])
                return EXIT_OK;
        if (is_spec(words[0])) {
                if (words[1]) {
                        log_error("Nothing may stand behind the spec %s: give --destination=%s to replace "
                                  "its "
                                  "destination.",
                                        words[0], words[1]);
                        return EXIT_USAGE;
                }
                *ret_spec = words[0];
                return EXIT_OK;
        }
        if (a->source || (words[1] && a->destination)) {
                log_error("The %s is given twice: as %s and with --%s=.",
                                a->source ? "source" : "destination", a->source ? words[0] : words[1],
                                a->source ? "source" : "destination");
                return EXIT_USAGE;
        }
        a->source = words[0];
        if (words[1])
                a->destination = words[1];
        return EXIT_OK;
}

/* --- the spec
 * ----------------------------------------------------------------------------------------------- */

/* The object at @key, made if it is not there; NULL when it is something else, or out of memory. */
static json_t *descend(json_t *object, const char *key) {
        json_t *child = json_object_get(object, key);

        if (!child && json_object_set_new(object, key, json_object()) >= 0)
                child = json_object_get(object, key);
        return json_is_object(child) ? child : NULL;
}

static int set_new(json_t *spec, const char *section, const char *key, json_t *value) {
        json_t *object = section ? descend(spec, section) : spec;

        if (!object) {
                json_decref(value);
                log_error("The spec's \"%s\" is not an object.", section);
                return EXIT_REFUSED;
        }
        if (!value || json_object_set_new(object, key, value) < 0)
                return log_oom(), EXIT_OTHER;
        return EXIT_OK;
}

static int set_string(json_t *spec, const char *section, const char *key, const char *value) {
        return set_new(spec, section, key, json_string(value));
}

static bool is_nbd_uri(const char *s) {
        return startswith(s, "nbd:") || startswith(s, "nbds:") || startswith(s, "nbd+unix:") ||
                        startswith(s, "nbds+unix:");
}

static bool has_dotdot(const char *path) {
        return startswith(path, "../") || strstr(path, "/../");
}

/* "../a.vmdk": where that really is; hyper-managerd takes plain paths only. */
static char *resolve_dotdot(const char *path) {
        _cleanup_free_ char *for_dir = strdup(path), *for_name = strdup(path), *dir = NULL;

        if (!for_dir || !for_name)
                return NULL;
        dir = realpath(dirname(for_dir), NULL);
        return dir ? strprintf("%s/%s", streq(dir, "/") ? "" : dir, basename(for_name)) : NULL;
}

/* "a.vmdk" and "./a.vmdk" are in the current directory. */
static int make_absolute(const Arguments *a, const char *option, const char *path, char **ret) {
        _cleanup_free_ char *cwd = NULL;
        const char *rest;

        if (path[0] == '/') {
                *ret = strdup(path);
                return *ret ? EXIT_OK : (log_oom(), EXIT_OTHER);
        }
        if (a->transport != TRANSPORT_LOCAL) {
                log_error("--%s= must be an absolute path, as it is on %s.", option, a->host);
                return EXIT_USAGE;
        }
        if (has_dotdot(path)) {
                *ret = resolve_dotdot(path);
                if (*ret)
                        return EXIT_OK;
                log_error_errno(errno, "--%s=%s: the directory cannot be found: %m", option, path);
                return EXIT_OTHER;
        }
        cwd = getcwd(NULL, 0);
        if (!cwd) {
                log_error_errno(errno, "Failed to find the current directory: %m");
                return EXIT_OTHER;
        }
        while ((rest = startswith(path, "./")))
                path = rest + strspn(rest, "/");
        *ret = strprintf("%s/%s", streq(cwd, "/") ? "" : cwd, path);
        return *ret ? EXIT_OK : (log_oom(), EXIT_OTHER);
}

/* Replaces the whole endpoint: a "path" of the file together with a "uri" of ours would be neither. */
static int set_endpoint(const Arguments *a, json_t *spec, const char *section, const char *value) {
        _cleanup_free_ char *path = NULL;
        int status;

        if (!utf8_is_valid(value) || isempty(value)) {
                log_error("--%s= must be a path or an NBD URI, in UTF-8.", section);
                return EXIT_USAGE;
        }
        status = set_new(spec, NULL, section, json_object());
        if (status == EXIT_OK && is_nbd_uri(value)) {
                status = set_string(spec, section, "type", "nbd");
                return status == EXIT_OK ? set_string(spec, section, "uri", value) : status;
        }
        if (status == EXIT_OK)
                status = make_absolute(a, section, value, &path);
        if (status == EXIT_OK)
                status = set_string(spec, section, "type", "file");
        return status == EXIT_OK ? set_string(spec, section, "path", path) : status;
}

/* A virtual machine, with what options say of its server. */
static int set_machine(const Arguments *a, json_t *spec, json_t *machine) {
        _cleanup_free_ char *ca = NULL;
        int status = set_new(spec, NULL, "source", machine);

        if (a->ca) {
                int r = read_file_at(AT_FDCWD, a->ca, VSPHERE_CA_MAX, &ca, NULL);

                if (r < 0) {
                        log_error_errno(r, "Failed to read the certificates in %s: %m", a->ca);
                        return EXIT_OTHER;
                }
        }
        const struct {
                const char *key, *value;
        } fields[] = {
                { "username", a->user },
                { "ca", ca },
                { "thumbprint", a->thumbprint },
                { "datacenter", a->datacenter },
        };
        for (size_t i = 0; i < ELEMENTSOF(fields) && status == EXIT_OK; i++)
                if (fields[i].value)
                        status = set_string(spec, "source", fields[i].key, fields[i].value);
        return status;
}

static int set_source(const Arguments *a, json_t *spec, const char *value) {
        json_t *machine = NULL;
        int r = utf8_is_valid(value) ? vsphere_address_parse(value, &machine) : 0;

        if (r == 0)
                return set_endpoint(a, spec, "source", value);
        if (r == -EINVAL) {
                log_error("The source %s must be vsphere://[USER@]HOST[:PORT]/PATH.", value);
                return EXIT_USAGE;
        }
        return r < 0 ? (log_oom(), EXIT_OTHER) : set_machine(a, spec, machine);
}

/* --- a destination that is a directory ------------------------------------------------------------------
 */

/* A path that ends in "/", or an existing directory of this machine. */
static bool is_directory(const Arguments *a, const char *path) {
        struct stat st;

        if (endswith(path, "/"))
                return true;
        return a->transport == TRANSPORT_LOCAL && stat(path, &st) >= 0 && S_ISDIR(st.st_mode);
}

/* The file in @directory that the source is written to. */
static int name_in_directory(
                const Arguments *a, json_t *spec, const char *directory, const char *tail, char **ret) {
        json_t *source = json_object_get(spec, "source");
        const char *path = json_string_value(json_object_get(source, "path")),
                   *machine = json_string_value(json_object_get(source, "vm_path"));

        path = path ? path : machine;
        int r = path ? output_name(directory, path, tail, a->format ? a->format : "qcow2", ret) : -ENODATA;

        if (r == -ENOMEM)
                return log_oom(), EXIT_OTHER;
        if (r == -EINVAL) {
                log_error("--format=%s must be qcow2, raw, vmdk, ova or ovf for a destination that is a "
                          "directory.",
                                a->format);
                return EXIT_USAGE;
        }
        if (r < 0) {
                log_error("The destination %s is a directory, and the source has no name for the file: give "
                          "the path "
                          "of the file.",
                                directory);
                return EXIT_USAGE;
        }
        return EXIT_OK;
}

static int apply_destination(const Arguments *a, json_t *spec, const char *tail) {
        _cleanup_free_ char *named = NULL;
        const char *destination = a->destination, *format = a->format;
        int status;

        if (!destination)
                return format ? set_string(spec, "destination", "format", format) : EXIT_OK;
        if (!is_nbd_uri(destination) && is_directory(a, destination)) {
                status = name_in_directory(a, spec, destination, tail, &named);
                if (status != EXIT_OK)
                        return status;
                destination = named;
        }
        status = set_endpoint(a, spec, "destination", destination);
        if (status != EXIT_OK)
                return status;
        if (!format && !is_nbd_uri(destination)) {
                format = output_format_of_name(destination);
                if (!format) {
                        log_error("The name %s does not tell the format: give --format=qcow2, raw, vmdk, "
                                  "ova or ovf, "
                                  "or end the path in \"/\" if it is a directory.",
                                        destination);
                        return EXIT_USAGE;
                }
        }
        return format ? set_string(spec, "destination", "format", format) : EXIT_OK;
}

/* Where the disk really is: hyper-managerd takes no links here. What cannot be looked at is left to it. */
static int add_further_disk(const Arguments *a, const char *disk, json_t *list) {
        char *real = a->transport == TRANSPORT_LOCAL ? realpath(disk, NULL) : NULL;
        int status = real ? EXIT_OK : make_absolute(a, "source", disk, &real);

        if (status == EXIT_OK && json_array_append_new(list, json_string(real)) < 0) {
                log_error("The path %s is not UTF-8.", disk);
                status = EXIT_USAGE;
        }
        free(real);
        return status;
}

static int apply_further_disks(const Arguments *a, json_t *spec) {
        _cleanup_(json_decrefp) json_t *list = json_array();
        int status = EXIT_OK;

        if (strv_length(a->further_disks) == 0)
                return EXIT_OK;
        STRV_FOREACH(disk, a->further_disks)
                if (status == EXIT_OK)
                        status = add_further_disk(a, *disk, list);
        return status == EXIT_OK ? set_new(spec, "source", "further_disks", TAKE_PTR(list)) : status;
}

static int apply_source(const Arguments *a, json_t *spec) {
        int status = a->source ? set_source(a, spec, a->source) : EXIT_OK;

        if (status == EXIT_OK)
                status = apply_further_disks(a, spec);

        if (status == EXIT_OK && a->source_format)
                status = set_string(spec, "source", "format", a->source_format);
        if (status == EXIT_OK && a->checksum)
                status = set_string(spec, "source", "checksum", a->checksum);
        return status;
}

/* The passphrases are a secret of the job. */
static int apply_luks_keys(json_t *spec, const char *name) {
        _cleanup_(password_freep) char *keys = NULL;
        int r = password_read_file(name, &keys);

        if (r < 0) {
                log_error_errno(r, "Failed to read the passphrases in %s: %m", name);
                return EXIT_OTHER;
        }
        return set_string(spec, "parameters", "luks_keys", keys);
}

static int apply_guest(const Arguments *a, json_t *spec) {
        int status = a->root ? set_string(spec, "parameters", "root", a->root) : EXIT_OK;

        if (status == EXIT_OK && a->luks_keys)
                status = apply_luks_keys(spec, a->luks_keys);
        if (status == EXIT_OK && a->dry_run)
                status = set_new(spec, "parameters", "dry_run", json_true());
        if (status == EXIT_OK && a->force)
                status = set_new(spec, "parameters", "force", json_true());
        return status;
}

static int apply_policy(const Arguments *a, json_t *spec) {
        const struct {
                Option option;
                const char *key;
                unsigned value;
        } numbers[] = {
                { OPTION_PRIORITY, "priority", a->priority },
                { OPTION_TIMEOUT, "timeout_seconds", a->timeout },
                { OPTION_RETRIES, "retry_count", a->retries },
        };
        int status = EXIT_OK;

        for (size_t i = 0; i < ELEMENTSOF(numbers) && status == EXIT_OK; i++)
                if (a->given & OPTION_BIT(numbers[i].option))
                        status = set_new(spec, "execution_policy", numbers[i].key,
                                        json_integer((json_int_t) numbers[i].value));
        return status;
}

static int apply_warm(const Arguments *a, json_t *spec) {
        const struct {
                Option option;
                const char *key;
                json_t *value;
        } rows[] = {
                { OPTION_WARM, "warm", json_true() },
                { OPTION_INTERVAL, "interval_seconds", json_integer((json_int_t) a->interval) },
                { OPTION_SHUTDOWN_TIMEOUT, "shutdown_timeout_seconds",
                                json_integer((json_int_t) a->shutdown_timeout) },
                { OPTION_POWER_OFF, "power_off", json_true() },
                { OPTION_POWER_ON_AFTER_FAILURE, "power_on_after_failure",
                                json_boolean(a->power_on_after_failure) },
        };
        int status = EXIT_OK;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (status == EXIT_OK && (a->given & OPTION_BIT(rows[i].option)))
                        status = set_new(spec, "parameters", rows[i].key, rows[i].value);
                else
                        json_decref(rows[i].value);
        return status == EXIT_OK && a->cutover ? set_string(spec, "parameters", "cutover", a->cutover)
                                               : status;
}

static json_t *list_of(json_t *parent, const char *key) {
        json_t *list = json_object_get(parent, key);

        if (json_is_array(list))
                return list;
        return json_object_set_new(parent, key, json_array()) < 0 ? NULL : json_object_get(parent, key);
}

static int append(json_t *list, const char *text) {
        return !list || json_array_append_new(list, json_string(text)) < 0 ? (log_oom(), EXIT_OTHER)
                                                                           : EXIT_OK;
}

/* Which machines may have it, and what it holds there. */
static int apply_placement(const Arguments *a, json_t *spec) {
        json_t *placement = json_object_get(spec, "placement");
        int status = EXIT_OK;

        if (a->labels && !json_is_object(placement)) {
                if (json_object_set_new(spec, "placement", json_object()) < 0)
                        return log_oom(), EXIT_OTHER;
                placement = json_object_get(spec, "placement");
        }
        STRV_FOREACH(label, a->labels)
                if (status == EXIT_OK)
                        status = append(list_of(placement,
                                                        **label == '-'                   ? "none"
                                                                        : **label == '~' ? "preferred"
                                                                                         : "all"),
                                        *label + strspn(*label, "-~"));
        STRV_FOREACH(name, a->holds)
                if (status == EXIT_OK)
                        status = append(list_of(spec, "limits"), *name);
        return status;
}

int submit_spec_apply(const Arguments *a, json_t *spec, const char *tail) {
        int status;

        status = apply_source(a, spec);
        if (status == EXIT_OK)
                status = apply_destination(a, spec, tail);
        if (status == EXIT_OK)
                status = apply_policy(a, spec);
        if (status == EXIT_OK && a->compress)
                status = set_new(spec, "parameters", "compress", json_true());
        if (status == EXIT_OK && a->compression)
                status = set_string(spec, "parameters", "compression", a->compression);
        if (status == EXIT_OK && a->verify)
                status = set_new(spec, "parameters", "verify",
                                a->verify_full ? json_string("full") : json_true());
        if (status == EXIT_OK && a->in_use)
                status = set_string(spec, "parameters", "in_use", a->in_use);
        if (status == EXIT_OK && a->chain)
                status = set_string(spec, "parameters", "chain", a->chain);
        if (status == EXIT_OK && a->fix)
                status = set_string(spec, "parameters", "fix", a->fix);
        if (status == EXIT_OK)
                status = apply_guest(a, spec);
        if (status == EXIT_OK && a->conversion_method)
                status = set_string(spec, "parameters", "conversion_method", a->conversion_method);
        if (status == EXIT_OK && a->source_power)
                status = set_string(spec, "parameters", "source_power", a->source_power);
        if (status == EXIT_OK)
                status = apply_warm(a, spec);
        if (status == EXIT_OK)
                status = apply_placement(a, spec);
        if (status == EXIT_OK && a->allow_larger)
                status = set_new(spec, "parameters", "allow_larger", json_true());
        if (status == EXIT_OK && a->operation)
                status = set_string(spec, NULL, "operation", a->operation);
        else if (status == EXIT_OK && !json_object_get(spec, "operation"))
                status = set_string(spec, NULL, "operation", "convert");
        if (status == EXIT_OK && a->id)
                status = set_string(spec, NULL, "job_id", a->id);
        return status;
}
