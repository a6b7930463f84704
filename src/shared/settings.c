/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include "basic/fd-util.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "shared/job-spec.h"
#include "shared/settings-internal.h"
#include "shared/webhook.h"

#define FILE_MAX ((size_t) 1024 * 1024)
#define MAX_RUNNING_LIMIT 256u
#define IDLE_TIMEOUT_LIMIT 86400u
#define ORIGIN_HOST_LIMIT 261u /* a name and a port */
#define CALL_TIMEOUT_LIMIT 600u

Settings *settings_free(Settings *s) {
        if (!s)
                return NULL;
        free(s->database.path);
        strv_free(s->jobs.source_paths);
        strv_free(s->jobs.destination_paths);
        free(s->daemon.log_level);
        strv_free(s->api.cors_origins);
        json_decref(s->webhooks);
        free(s->version);
        return mfree(s);
}

static unsigned default_max_running(void) {
        cpu_set_t cpus;
        int n = sched_getaffinity(0, sizeof(cpus), &cpus) < 0 ? 1 : CPU_COUNT(&cpus);

        return (unsigned) CLAMP(n, 1, 8);
}

Settings *settings_new(void) {
        _cleanup_(settings_freep) Settings *s = new0(Settings, 1);

        if (!s)
                return NULL;
        s->jobs.max_running = default_max_running();
        s->metrics.enabled = true;
        s->worker.local = true;
        s->daemon.idle_timeout = 30 * USEC_PER_SEC;
        s->hosts.call_timeout = 30 * USEC_PER_SEC;
        s->database.path = strdup(STATEDIR "/hyper.db");
        s->daemon.log_level = strdup("info");
        return s->database.path && s->daemon.log_level ? TAKE_PTR(s) : NULL;
}

/* --- one value ---------------------------------------------------------------------------------------- */

static int take_unsigned(const SettingsValue *v, unsigned max, unsigned *ret) {
        unsigned n;

        if (v->is_list || v->is_quoted || parse_unsigned(v->items[0], &n) < 0 || n < 1 || n > max)
                return -EINVAL;
        *ret = n;
        return 0;
}

static int set_max_running(Settings *s, const SettingsValue *v) {
        return take_unsigned(v, MAX_RUNNING_LIMIT, &s->jobs.max_running);
}

static int take_seconds(const SettingsValue *v, unsigned max, usec_t *ret) {
        unsigned seconds;
        int r = take_unsigned(v, max, &seconds);

        if (r >= 0)
                *ret = seconds * USEC_PER_SEC;
        return r;
}

static int set_idle_timeout(Settings *s, const SettingsValue *v) {
        return take_seconds(v, IDLE_TIMEOUT_LIMIT, &s->daemon.idle_timeout);
}

static int set_call_timeout(Settings *s, const SettingsValue *v) {
        return take_seconds(v, CALL_TIMEOUT_LIMIT, &s->hosts.call_timeout);
}

static int set_log_level(Settings *s, const SettingsValue *v) {
        static const char *const words[] = { "debug", "info", "notice", "warning", "err" };

        for (size_t i = 0; !v->is_list && i < ELEMENTSOF(words); i++)
                if (streq(v->items[0], words[i]))
                        return free_and_strdup(&s->daemon.log_level, v->items[0]);
        return -EINVAL;
}

static int set_database_path(Settings *s, const SettingsValue *v) {
        const char *reason;

        if (v->is_list || !job_path_is_valid(v->items[0], false, &reason))
                return -EINVAL;
        return free_and_strdup(&s->database.path, v->items[0]);
}

/* Folders, a slash at the end or not; "/" is everything. */
static int take_folders(const SettingsValue *v, char ***p) {
        _cleanup_strv_free_ char **folders = NULL;
        const char *reason;
        int r;

        if (!v->is_list)
                return -EINVAL;
        STRV_FOREACH(item, v->items) {
                size_t n = strlen(*item);

                while (n > 1 && (*item)[n - 1] == '/')
                        n--;
                char *folder = strndup(*item, n);
                r = strv_consume(&folders, folder);
                if (r < 0)
                        return r;
                if (!streq(folder, "/") && !job_path_is_valid(folder, false, &reason))
                        return -EINVAL;
        }
        strv_free(*p);
        *p = TAKE_PTR(folders);
        return 0;
}

static int set_source_paths(Settings *s, const SettingsValue *v) {
        return take_folders(v, &s->jobs.source_paths);
}

static int set_destination_paths(Settings *s, const SettingsValue *v) {
        return take_folders(v, &s->jobs.destination_paths);
}

/* "https://console.example.com" or with ":8443", as browsers write it (RFC 6454, 6.2): what is compared is the
 * text. */
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

static int set_cors_origins(Settings *s, const SettingsValue *v) {
        _cleanup_strv_free_ char **origins = NULL;

        if (!v->is_list)
                return -EINVAL;
        STRV_FOREACH(item, v->items) {
                if (!origin_is_valid(*item))
                        return -EINVAL;
                int r = strv_extend(&origins, *item);
                if (r < 0)
                        return r;
        }
        strv_free(s->api.cors_origins);
        s->api.cors_origins = TAKE_PTR(origins);
        return 0;
}

static int take_boolean(const SettingsValue *v, bool *ret) {
        return v->is_list || v->is_quoted ? -EINVAL : parse_boolean(v->items[0], ret);
}

static int set_worker_local(Settings *s, const SettingsValue *v) {
        return take_boolean(v, &s->worker.local);
}

static int set_metrics_enabled(Settings *s, const SettingsValue *v) {
        return take_boolean(v, &s->metrics.enabled);
}

static int set_metrics_port(Settings *s, const SettingsValue *v) {
        return take_unsigned(v, UINT16_MAX, &s->metrics.port);
}

const SettingsEntry settings_entries[] = {
        { "database", "path", set_database_path, "must be an absolute path" },
        { "jobs", "max_running", set_max_running, "must be a whole number, 1 to 256" },
        { "jobs", "source_paths", set_source_paths, "must be a list of absolute paths" },
        { "jobs", "destination_paths", set_destination_paths, "must be a list of absolute paths" },
        { "metrics", "enabled", set_metrics_enabled, "must be true or false" },
        { "metrics", "port", set_metrics_port, "must be a port, 1 to 65535" },
        { "daemon", "idle_timeout", set_idle_timeout, "must be a whole number of seconds, 1 to 86400" },
        { "daemon", "log_level", set_log_level, "must be one of debug, info, notice, warning, err" },
        { "hosts", "call_timeout", set_call_timeout, "must be a whole number of seconds, 1 to 600" },
        { "worker", "local", set_worker_local, "must be true or false" },
        { "api", "cors_origins", set_cors_origins,
                        "must be a list of origins as browsers send them, like https://console.example.com" },
        {},
};

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

static int load_file(const char *file, Settings *s, char **ret_error) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r = add_version(file, s);

        if (r >= 0)
                r = read_file_at(AT_FDCWD, file, FILE_MAX, &text, &size);

        if (r == -ENOENT)
                return 0;
        if (r >= 0)
                return settings_parse(file, text, size, s, ret_error);
        if (r != -ENOMEM) {
                *ret_error = r == -EFBIG ? strprintf("%s: the file is larger than 1 MiB", file)
                                         : strprintf("%s: %s", file, strerror(-r));
                if (!*ret_error)
                        return -ENOMEM;
        }
        return r;
}

static int is_drop_in(const struct dirent *de) {
        return de->d_name[0] != '.' && endswith(de->d_name, ".yaml");
}

/* By bytes, so that the order does not depend on who starts the daemon. */
static int by_name(const struct dirent **a, const struct dirent **b) {
        return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_drop_ins(const char *folder, Settings *s, char **ret_error) {
        struct dirent **found;
        int n, r = 0;

        n = scandir(folder, &found, is_drop_in, by_name);
        if (n < 0) {
                r = -errno;
                if (r == -ENOENT)
                        return 0;
                *ret_error = strprintf("%s: %s", folder, strerror(-r));
                return *ret_error ? r : -ENOMEM;
        }
        for (int i = 0; i < n; i++) {
                _cleanup_free_ char *file = strprintf("%s/%s", folder, found[i]->d_name);

                free(found[i]);
                if (r >= 0)
                        r = file ? load_file(file, s, ret_error) : -ENOMEM;
        }
        free(found);
        return r;
}

int settings_load(const char *directory, Settings **ret, char **ret_error) {
        _cleanup_(settings_freep) Settings *s = settings_new();
        _cleanup_free_ char *file = strprintf("%s/config.yaml", directory);
        _cleanup_free_ char *drop_ins = strprintf("%s/config.d", directory);
        int r;

        if (!s || !file || !drop_ins)
                return -ENOMEM;
        r = load_file(file, s, ret_error);
        if (r >= 0)
                r = load_drop_ins(drop_ins, s, ret_error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

static json_t *strv_to_json(char *const *l) {
        _cleanup_(json_decrefp) json_t *array = json_array();

        STRV_FOREACH(s, l)
        if (json_array_append_new(array, json_string(*s)) < 0)
                return NULL;
        return TAKE_PTR(array);
}

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
        return json_pack(
                        "{s:{s:s}, s:{s:I, s:o, s:o}, s:{s:b, s:o*}, s:{s:I, s:s}, s:{s:I}, s:{s:b}, s:{s:o}, s:o}",
                        "database", "path", s->database.path, "jobs", "max_running",
                        (json_int_t) s->jobs.max_running, "source_paths", strv_to_json(s->jobs.source_paths),
                        "destination_paths", strv_to_json(s->jobs.destination_paths), "metrics", "enabled",
                        s->metrics.enabled, "port",
                        s->metrics.port > 0 ? json_integer(s->metrics.port) : NULL, "daemon", "idle_timeout",
                        (json_int_t) (s->daemon.idle_timeout / USEC_PER_SEC), "log_level",
                        s->daemon.log_level, "hosts", "call_timeout",
                        (json_int_t) (s->hosts.call_timeout / USEC_PER_SEC), "worker", "local",
                        s->worker.local, "api", "cors_origins", strv_to_json(s->api.cors_origins),
                        "webhooks", webhooks_to_json(s));
}
