/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shared/settings.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include "basic/fd-util.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "shared/address-range.h"
#include "shared/settings-carbon.h"
#include "shared/settings-kind.h"
#include "shared/settings-placement.h"
#include "shared/settings-slurm.h"
#include "shared/settings-yaml.h"
#include "shared/webhook.h"
#include "spec/job-file.h"
#include "spec/job-spec.h"

#define LIFETIME_MIN (300 * USEC_PER_SEC)
#define ORIGIN_HOST_LIMIT 261u /* a name and a port */

Settings *settings_free(Settings *s) {
        if (!s)
                return NULL;
        free(s->database.path);
        strv_free(s->jobs.source_paths);
        strv_free(s->jobs.destination_paths);
        strv_free(s->files.roots);
        free(s->daemon.log_level);
        free(s->guest.virtio_win);
        free(s->carbon.source);
        free(s->carbon.url);
        free(s->carbon.zone);
        free(s->slurm.url);
        free(s->slurm.api);
        free(s->slurm.user);
        free(s->slurm.partition);
        free(s->slurm.account);
        free(s->slurm.constraint);
        strv_free(s->slurm.licenses);
        free(s->vsphere.vddk_libdir);
        free(s->vsphere.vddk_plugin);
        strv_free(s->api.cors_origins);
        strv_free(s->delivery.allow_private);
        strv_free(s->worker.labels);
        limit_rules_done(&s->limits);
        storage_rules_done(&s->storage);
        json_decref(s->webhooks);
        strv_free(s->restart_needed);
        free(s->version);
        return mfree(s);
}

int settings_keep_database(Settings *s, const char *path) {
        int r;

        if (streq_ptr(s->database.path, path))
                return 0;
        r = strv_extend(&s->restart_needed, "database.path");
        return r < 0 ? r : free_and_strdup(&s->database.path, path);
}

static unsigned default_max_running(void) {
        cpu_set_t cpus;
        int n = sched_getaffinity(0, sizeof(cpus), &cpus) < 0 ? 1 : CPU_COUNT(&cpus);

        return (unsigned) CLAMP(n, 1, 8);
}

/* Where operators keep images, until the configuration says something else. */
static const char *const default_paths[] = { "/var/lib/libvirt/images", "/var/lib/hypersdk",
        "/var/lib/hyper/uploads", "/srv", "/mnt", "/media", "/data", "/vms" };

/* The first ones of these are in files.roots. */
#define DEFAULT_ROOTS 3u

static char **make_default_paths(size_t n) {
        _cleanup_strv_free_ char **l = NULL;

        for (size_t i = 0; i < n; i++)
                if (strv_extend(&l, default_paths[i]) < 0)
                        return NULL;
        return TAKE_PTR(l);
}

/* An ESXi host has 48 MB for all transfers of disks, and a job has up to jobs.disks_parallel. */
static const struct {
        const char *pattern;
        unsigned max;
} default_limits[] = { { "esx:*", 4 }, { "datastore:*", 8 }, { "host:*", 8 } };

/* Its default is a setting of its own. */
static const char limit_of_servers[] = "vcenter:*";

Settings *settings_new(void) {
        _cleanup_(settings_freep) Settings *s = new0(Settings, 1);

        if (!s)
                return NULL;
        s->jobs.max_running = default_max_running();
        s->jobs.max_per_source = 4;
        s->guest.memory = JOB_APPLIANCE_MEMORY_DEFAULT;
        s->jobs.disks_parallel = JOB_DISKS_PARALLEL_DEFAULT;
        s->metrics.enabled = true;
        s->worker.local = true;
        s->daemon.idle_timeout = 30 * USEC_PER_SEC;
        s->hosts.call_timeout = 30 * USEC_PER_SEC;
        s->hosts.boot_timeout = 300 * USEC_PER_SEC;
        s->auth.token_lifetime = 8 * USEC_PER_HOUR;
        s->auth.session_lifetime = 7 * USEC_PER_DAY;
        s->carbon.refresh = 15 * USEC_PER_MINUTE;
        s->carbon.stale_after = 6 * USEC_PER_HOUR;
        s->slurm.memory = 1024;
        s->slurm.max_jobs = 1000;
        s->slurm.api = strdup("v0.0.38");
        s->slurm.user = strdup("hyper-slurm");
        s->v1.rate_limit = 100;
        s->v1.user_rate_limit = 6000;
        s->database.path = strdup(STATEDIR "/hyper.db");
        s->daemon.log_level = strdup("info");
        s->jobs.source_paths = make_default_paths(ELEMENTSOF(default_paths));
        s->jobs.destination_paths = make_default_paths(ELEMENTSOF(default_paths));
        s->uploads.max_size = (uint64_t) 16 << 40;
        s->files.roots = make_default_paths(DEFAULT_ROOTS);
        for (size_t i = 0; i < ELEMENTSOF(default_limits); i++)
                if (limit_rules_set(&s->limits, default_limits[i].pattern, default_limits[i].max) < 0)
                        return NULL;
        return s->slurm.api && s->slurm.user && s->database.path && s->daemon.log_level &&
                                        s->jobs.source_paths && s->jobs.destination_paths && s->files.roots
                        ? TAKE_PTR(s)
                        : NULL;
}

/* --- kinds of settings ----------------------------------------------------------------------------- */

/* Directories, a slash at the end or not; "/" is everything. */
static int set_directories(const SettingsEntry *e, const SettingsValue *v, void *field) {
        _cleanup_strv_free_ char **directories = NULL;
        const char *reason;
        char ***p = field;
        int r;

        if (!v->is_list)
                return -EINVAL;
        STRV_FOREACH(item, v->items) {
                size_t n = strlen(*item);

                while (n > 1 && (*item)[n - 1] == '/')
                        n--;
                char *directory = strndup(*item, n);
                r = strv_consume(&directories, directory);
                if (r < 0)
                        return r;
                if (!streq(directory, "/") && !job_path_is_valid(directory, false, &reason))
                        return -EINVAL;
        }
        strv_free(*p);
        *p = TAKE_PTR(directories);
        return 0;
}

/* "https://console.example.com" or with ":8443", as browsers write it (RFC 6454, 6.2): what is compared is
 * the text. */
static bool origin_is_valid(const char *s) {
        const char *host = startswith(s, "https://");
        size_t n;

        if (!host)
                host = startswith(s, "http://");
        if (!host)
                return false;
        n = strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-[:]");
        return n > 0 && n <= ORIGIN_HOST_LIMIT && !host[n];
}

static int set_origins(const SettingsEntry *e, const SettingsValue *v, void *field) {
        _cleanup_strv_free_ char **origins = NULL;
        char ***p = field;

        if (!v->is_list)
                return -EINVAL;
        STRV_FOREACH(item, v->items) {
                if (!origin_is_valid(*item))
                        return -EINVAL;
                int r = strv_extend(&origins, *item);
                if (r < 0)
                        return r;
        }
        strv_free(*p);
        *p = TAKE_PTR(origins);
        return 0;
}

static int set_ranges(const SettingsEntry *e, const SettingsValue *v, void *field) {
        _cleanup_strv_free_ char **ranges = NULL;
        char ***p = field;

        if (!v->is_list)
                return -EINVAL;
        STRV_FOREACH(item, v->items) {
                AddressRange range;

                int r = address_range_parse(*item, &range);
                if (r >= 0)
                        r = strv_extend(&ranges, *item);
                if (r < 0)
                        return r;
        }
        strv_free(*p);
        *p = TAKE_PTR(ranges);
        return 0;
}

static bool list_is_given(const void *field) {
        return *(char **const *) field;
}

static const char *const local_words[] = { [LOCAL_GROUPS] = "groups", [LOCAL_ANYBODY] = "anybody" };

static int set_local(const SettingsEntry *e, const SettingsValue *v, void *field) {
        for (size_t i = 0; !v->is_list && i < ELEMENTSOF(local_words); i++)
                if (streq(v->items[0], local_words[i])) {
                        *(LocalAccess *) field = (LocalAccess) i;
                        return 0;
                }
        return -EINVAL;
}

static json_t *show_local(const void *field) {
        return json_string(local_words[*(const LocalAccess *) field]);
}

static const char *const submit_status_words[] = {
        [SUBMIT_STATUS_AUTO] = "auto",
        [SUBMIT_STATUS_200] = "200",
        [SUBMIT_STATUS_201] = "201",
};

static int set_submit_status(const SettingsEntry *e, const SettingsValue *v, void *field) {
        for (size_t i = 0; !v->is_list && i < ELEMENTSOF(submit_status_words); i++)
                if (streq(v->items[0], submit_status_words[i])) {
                        *(SubmitStatus *) field = (SubmitStatus) i;
                        return 0;
                }
        return -EINVAL;
}

static json_t *show_submit_status(const void *field) {
        return json_string(submit_status_words[*(const SubmitStatus *) field]);
}

static int set_lifetime(const SettingsEntry *e, const SettingsValue *v, void *field) {
        int r = settings_seconds.set(e, v, field);

        return r >= 0 && *(usec_t *) field < LIFETIME_MIN ? -EINVAL : r;
}

static json_t *show_lifetime(const void *field) {
        return settings_seconds.show(field);
}

static int set_mebibytes(const SettingsEntry *e, const SettingsValue *v, void *field) {
        int r = settings_number.set(e, v, field);

        return r >= 0 && *(unsigned *) field < JOB_APPLIANCE_MEMORY_MIN ? -EINVAL : r;
}

static json_t *show_mebibytes(const void *field) {
        return settings_number.show(field);
}

static int set_limit(const SettingsEntry *e, const SettingsValue *v, void *field) {
        unsigned max = LIMIT_UNLIMITED;

        if (v->is_list || !limit_pattern_is_valid(v->key))
                return -EINVAL;
        if (!streq(v->items[0], "unlimited") &&
                        (v->is_quoted || parse_unsigned(v->items[0], &max) < 0 || max < 1 || max > e->max))
                return -EINVAL;
        int r = limit_rules_set(field, v->key, max);
        return r == -E2BIG ? -EINVAL : r;
}

static json_t *show_limits(const void *field) {
        _cleanup_(json_decrefp) json_t *object = json_object();
        const LimitRules *rules = field;

        for (size_t i = 0; i < rules->n; i++) {
                const LimitRule *rule = &rules->rules[i];
                json_t *max = rule->max == LIMIT_UNLIMITED ? json_string("unlimited")
                                                           : json_integer((json_int_t) rule->max);

                if (json_object_set_new(object, rule->pattern, max) < 0)
                        return NULL;
        }
        return TAKE_PTR(object);
}

static const SettingsKind limits = { set_limit, show_limits };
static const SettingsKind mebibytes = { set_mebibytes, show_mebibytes };
static const SettingsKind directories = { set_directories, settings_show_list };
static const SettingsKind origins = { set_origins, settings_show_list };
static const SettingsKind ranges = { set_ranges, settings_show_list, list_is_given };
static const SettingsKind lifetime = { set_lifetime, show_lifetime };
static const SettingsKind local = { set_local, show_local };
static const SettingsKind submit_status = { set_submit_status, show_submit_status };

/* --- what can be set ------------------------------------------------------------------------------- */

#define SETTING(section, key, kind) #section, #key, &(kind), offsetof(Settings, section.key)

static const SettingsEntry settings_entries[] = {
        { SETTING(database, path, settings_path), "must be an absolute path" },
        { SETTING(jobs, max_running, settings_number), "must be a whole number, 1 to 256", 256 },
        { SETTING(jobs, max_per_source, settings_number), "must be a whole number, 1 to 256", 256 },
        { SETTING(jobs, disks_parallel, settings_number), "must be a whole number, 1 to 4",
                        JOB_DISKS_PARALLEL_MAX },
        { SETTING(jobs, source_paths, directories), "must be a list of absolute paths" },
        { SETTING(jobs, destination_paths, directories), "must be a list of absolute paths" },
        { SETTING(metrics, enabled, settings_boolean), "must be true or false" },
        { SETTING(metrics, port, settings_optional_number), "must be a port, 1 to 65535", UINT16_MAX },
        { SETTING(daemon, idle_timeout, settings_seconds), "must be a whole number of seconds, 1 to 86400",
                        86400 },
        { SETTING(daemon, log_level, settings_level), "must be one of debug, info, notice, warning, err" },
        { SETTING(hosts, call_timeout, settings_seconds), "must be a whole number of seconds, 1 to 600",
                        600 },
        { SETTING(hosts, boot_timeout, settings_seconds), "must be a whole number of seconds, 1 to 21600",
                        21600 },
        { SETTING(hosts, allow_test, settings_boolean), "must be true or false" },
        { SETTING(files, roots, directories), "must be a list of absolute paths" },
        { SETTING(uploads, max_size, settings_size),
                        "must be a number of bytes, 1 to 16T; K, M, G or T may follow it" },
        { SETTING(uploads, quota, settings_optional_size),
                        "must be a number of bytes, 1 to 16T; K, M, G or T may follow it" },
        { SETTING(guest, max_running, settings_optional_number), "must be a whole number, 1 to 64",
                        JOB_APPLIANCES_MAX },
        { SETTING(guest, memory, mebibytes), "must be a whole number of MiB, 512 to 65536",
                        JOB_APPLIANCE_MEMORY_MAX },
        { SETTING(guest, virtio_win, settings_optional_path), "must be an absolute path" },
        { SETTING(worker, local, settings_boolean), "must be true or false" },
        { SETTING(worker, labels, settings_labels), LABELS_EXPECTED },
        { SETTING(api, cors_origins, origins),
                        "must be a list of origins as browsers send them, like "
                        "https://console.example.com" },
        { SETTING(api, local, local), "must be groups or anybody" },
        { SETTING(api, require_key, settings_boolean), "must be true or false" },
        { SETTING(api, rate_limit, settings_optional_number), "must be a whole number, 1 to 1000000",
                        1000000 },
        { SETTING(api, rate_burst, settings_optional_number), "must be a whole number, 1 to 1000000",
                        1000000 },
        { SETTING(auth, token_lifetime, lifetime), "must be a whole number of seconds, 300 to 86400",
                        86400 },
        { SETTING(auth, session_lifetime, lifetime), "must be a whole number of seconds, 300 to 2592000",
                        2592000 },
        { SETTING(v1, rate_limit, settings_number), "must be a whole number, 1 to 1000000", 1000000 },
        { SETTING(v1, user_rate_limit, settings_number), "must be a whole number, 1 to 1000000", 1000000 },
        { SETTING(carbon, source, settings_carbon_source),
                        "must be one of carbonintensity-gb, electricitymaps, watttime, file" },
        { SETTING(carbon, url, settings_carbon_url),
                        "must be https://HOST, or file:///PATH, without a query; http:// is for loopback "
                        "addresses only" },
        { SETTING(carbon, zone, settings_carbon_zone),
                        "must consist of letters, digits, \"-\" and \"_\", at most 64 of them" },
        { SETTING(carbon, refresh, lifetime), "must be a whole number of seconds, 300 to 3600", 3600 },
        { SETTING(carbon, stale_after, lifetime), "must be a whole number of seconds, 300 to 604800",
                        604800 },
        { SETTING(slurm, url, settings_slurm_url),
                        "must be unix:/PATH or https://HOST, without a query; http:// is for loopback "
                        "addresses only" },
        { SETTING(slurm, api, settings_slurm_api), "must be a version like v0.0.38, up to v0.0.42" },
        { SETTING(slurm, user, settings_slurm_name),
                        "must consist of letters, digits, \".\", \"-\" and \"_\", at most 64 of them" },
        { SETTING(slurm, partition, settings_slurm_names),
                        "must be a partition, or several, separated by commas" },
        { SETTING(slurm, account, settings_slurm_name),
                        "must consist of letters, digits, \".\", \"-\" and \"_\", at most 64 of them" },
        { SETTING(slurm, constraint, settings_slurm_constraint),
                        "must be features of nodes, like ssd&vlan10, without blanks" },
        { SETTING(slurm, memory, settings_number), "must be a whole number of MiB, 1 to 1048576", 1048576 },
        { SETTING(slurm, max_jobs, settings_number), "must be a whole number, 1 to 5000", 5000 },
        { SETTING(slurm, licenses, settings_slurm_licenses),
                        "must be a list of limits, with \"*\" at the end for all that begin so, like "
                        "\"vcenter:*\"" },
        { SETTING(hypersdk, submit_status, submit_status), "must be auto, 200 or 201" },
        { SETTING(vsphere, vddk_libdir, settings_optional_path), "must be an absolute path" },
        { SETTING(vsphere, vddk_plugin, settings_optional_path), "must be an absolute path" },
        { "limits", "*", &limits, offsetof(Settings, limits),
                        "must be a kind and a name, like \"esx:esx7.example.com\", with \"*\" at the end for "
                        "all that begin so, and a whole number, 1 to 100000, or unlimited; there are at "
                        "most 1024",
                        LIMIT_COUNT_MAX },
        { "storage", "*", &settings_storage, offsetof(Settings, storage),
                        "must be an absolute path and the label of the machines that have the files below "
                        "it; there are at most 256" },
        { "webhooks", "allow_private", &ranges, offsetof(Settings, delivery.allow_private),
                        "must be a list of address ranges, like 10.0.0.0/8 or fd00::/8, without bits behind "
                        "the prefix" },
        {},
};

/* --- files ----------------------------------------------------------------------------------------- */

/* Which file it is, and when it was changed. */
static int add_version(const char *file, Settings *s) {
        _cleanup_free_ char *longer = NULL;
        struct stat st;

        if (stat(file, &st) < 0)
                return 0; /* reading it says why */
        longer = strprintf("%s%s:%ju:%ju:%jd.%09ld ", strempty(s->version), file, (uintmax_t) st.st_ino,
                        (uintmax_t) st.st_size, (intmax_t) st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
        if (!longer)
                return -ENOMEM;
        free(s->version);
        s->version = TAKE_PTR(longer);
        return 0;
}

int settings_parse(const char *file, const char *text, size_t size, Settings *s, char **ret_error) {
        return settings_read(file, text, size, settings_entries, s, &s->webhooks, ret_error);
}

static int load_file(const char *file, Settings *s, char **ret_error) {
        int r = add_version(file, s);

        if (r >= 0)
                r = settings_read_file(file, settings_entries, s, &s->webhooks, ret_error);
        if (r != -ENOENT)
                return r;
        *ret_error = mfree(*ret_error);
        return 0;
}

static int is_drop_in(const struct dirent *de) {
        return de->d_name[0] != '.' && endswith(de->d_name, ".yaml");
}

/* By bytes, so that the order does not depend on who starts the daemon. */
static int by_name(const struct dirent **a, const struct dirent **b) {
        return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_drop_ins(const char *directory, Settings *s, char **ret_error) {
        struct dirent **found;
        int n, r = 0;

        n = scandir(directory, &found, is_drop_in, by_name);
        if (n < 0) {
                r = -errno;
                if (r == -ENOENT)
                        return 0;
                *ret_error = strprintf("%s: %s", directory, strerror(-r));
                return *ret_error ? r : -ENOMEM;
        }
        for (int i = 0; i < n; i++) {
                _cleanup_free_ char *file = strprintf("%s/%s", directory, found[i]->d_name);

                free(found[i]);
                if (r >= 0)
                        r = file ? load_file(file, s, ret_error) : -ENOMEM;
        }
        free(found);
        return r;
}

int settings_load(const char *directory, Settings **ret, char **ret_error) {
        return settings_load_for(directory, STATEDIR, ret, ret_error);
}

int settings_load_for(const char *directory, const char *state_directory, Settings **ret, char **ret_error) {
        _cleanup_(settings_freep) Settings *s = settings_new();
        _cleanup_free_ char *file = strprintf("%s/config.yaml", directory);
        _cleanup_free_ char *drop_ins = strprintf("%s/config.d", directory);
        int r;

        if (!s || !file || !drop_ins)
                return -ENOMEM;
        free(s->database.path);
        s->database.path = strprintf("%s/hyper.db", state_directory);
        if (!s->database.path)
                return -ENOMEM;
        r = load_file(file, s, ret_error);
        if (r >= 0)
                r = load_drop_ins(drop_ins, s, ret_error);
        if (r >= 0 && !limit_rules_have(&s->limits, limit_of_servers))
                r = limit_rules_set(&s->limits, limit_of_servers, s->jobs.max_per_source);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

/* --- showing --------------------------------------------------------------------------------------- */

static json_t *webhooks_to_json(const Settings *s) {
        _cleanup_(json_decrefp) json_t *list = json_array();
        json_t *definition;
        size_t i;

        json_array_foreach(s->webhooks, i, definition) {
                _cleanup_(json_decrefp) json_t *shown = NULL, *secrets = NULL;

                if (webhook_secrets_cut(definition, &shown, &secrets) < 0 ||
                                json_array_append(list, shown) < 0)
                        return NULL;
        }
        return TAKE_PTR(list);
}

json_t *settings_to_json(const Settings *s) {
        _cleanup_(json_decrefp) json_t *all = settings_show(settings_entries, s);

        /* The list alone, or beside the section's other settings. */
        json_t *section = json_object_get(all, "webhooks");
        if (json_object_set_new(
                            section ? section : all, section ? "list" : "webhooks", webhooks_to_json(s)) < 0)
                return NULL;
        return TAKE_PTR(all);
}
