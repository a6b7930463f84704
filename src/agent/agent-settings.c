/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/agent-settings.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fcntl.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "basic/utf8.h"
#include "shared/settings-kind.h"
#include "shared/settings-placement.h"
#include "shared/settings-yaml.h"
#include "spec/job-spec.h"
#include "spec/label.h"

#define CREDSTORE SYSCONFDIR "/credstore"
#define API_KEY_MAX ((size_t) 1024)

/* Mixed into the machine's id, which is not for others to know (sd_id128_get_machine_app_specific(3)). */
#define WORKER_ID_SEED SD_ID128_MAKE(4d, 0b, 5c, 1f, 2a, 6e, 4c, 86, 9d, 33, 7b, 51, e8, 04, aa, 17)

AgentSettings *agent_settings_free(AgentSettings *s) {
        if (!s)
                return NULL;
        free(s->server.url);
        free(s->server.api_key_file);
        free(s->server.ca_file);
        free(s->server.certificate_file);
        free(s->server.key_file);
        free(s->worker.id);
        strv_free(s->worker.labels);
        free(s->worker.directory);
        free(s->daemon.log_level);
        if (s->api_key)
                explicit_bzero(s->api_key, strlen(s->api_key));
        free(s->api_key);
        return mfree(s);
}

static AgentSettings *agent_settings_new(void) {
        _cleanup_(agent_settings_freep) AgentSettings *s = new0(AgentSettings, 1);

        if (!s)
                return NULL;
        s->worker.max_jobs = 2;
        s->worker.heartbeat = 30 * USEC_PER_SEC;
        s->worker.directory = strdup("/");
        s->daemon.log_level = strdup("info");
        return s->worker.directory && s->daemon.log_level ? TAKE_PTR(s) : NULL;
}

/* --- kinds of settings ----------------------------------------------------------------------------- */

/* One part of a URL, decoded; NULL if it is not there. */
static char *url_part(CURLU *url, CURLUPart part) {
        char *text = NULL, *copy;

        if (curl_url_get(url, part, &text, 0) != CURLUE_OK)
                return NULL;
        copy = strdup(text);
        curl_free(text);
        return copy;
}

static bool url_has(CURLU *url, CURLUPart part) {
        _cleanup_free_ char *text = url_part(url, part);

        return text;
}

static CURLU *url_parse(const char *s) {
        CURLU *url = curl_url();

        if (url && curl_url_set(url, CURLUPART_URL, s, CURLU_DISALLOW_USER) != CURLUE_OK) {
                curl_url_cleanup(url);
                return NULL;
        }
        return url;
}

/* With no more in it than scheme, host, port and path: the rest is ours to add. */
static bool url_is_valid(const char *s) {
        CURLU *url = startswith(s, "http://") || startswith(s, "https://") ? url_parse(s) : NULL;
        bool valid;

        if (!url)
                return false;
        valid = url_has(url, CURLUPART_HOST) && !url_has(url, CURLUPART_QUERY) &&
                        !url_has(url, CURLUPART_FRAGMENT) && !url_has(url, CURLUPART_USER) &&
                        !url_has(url, CURLUPART_PASSWORD) && !utf8_has_control(s) && strlen(s) <= 1024;
        curl_url_cleanup(url);
        return valid;
}

static int set_url(const SettingsEntry *e, const SettingsValue *v, void *field) {
        char **p = field;
        size_t n;
        int r;

        if (v->is_list || !url_is_valid(v->items[0]))
                return -EINVAL;
        r = free_and_strdup(p, v->items[0]);
        if (r < 0)
                return r;
        for (n = strlen(*p); n > 0 && (*p)[n - 1] == '/'; n--)
                (*p)[n - 1] = '\0';
        return 0;
}

static int set_worker_id(const SettingsEntry *e, const SettingsValue *v, void *field) {
        return v->is_list || !job_id_is_valid(v->items[0]) ? -EINVAL : free_and_strdup(field, v->items[0]);
}

/* Other than settings_path, which is for images, this may be the root. */
static int set_directory(const SettingsEntry *e, const SettingsValue *v, void *field) {
        return v->is_list || v->items[0][0] != '/' ? -EINVAL : free_and_strdup(field, v->items[0]);
}

static const SettingsKind url = { set_url, settings_show_text };
static const SettingsKind worker_id = { set_worker_id, settings_show_text };
static const SettingsKind directory = { set_directory, settings_show_text };

#define SETTING(section, key, kind) #section, #key, &(kind), offsetof(AgentSettings, section.key)

static const SettingsEntry entries[] = {
        { SETTING(server, url, url),
                        "must be a URL like https://hyper.example.com:8000, without user, password and "
                        "query" },
        { SETTING(server, api_key_file, settings_path), "must be an absolute path" },
        { SETTING(server, ca_file, settings_path), "must be an absolute path" },
        { SETTING(server, certificate_file, settings_path), "must be an absolute path" },
        { SETTING(server, key_file, settings_path), "must be an absolute path" },
        { SETTING(server, allow_insecure, settings_boolean), "must be true or false" },
        { SETTING(worker, id, worker_id),
                        "must begin with a letter or a digit, and have only letters, digits, \".\", \"_\", "
                        "\":\" and "
                        "\"-\" in it" },
        { SETTING(worker, max_jobs, settings_number), "must be a whole number, 1 to 64", 64 },
        { SETTING(worker, heartbeat, settings_seconds), "must be a whole number of seconds, 1 to 120", 120 },
        { SETTING(worker, directory, directory), "must be an absolute path" },
        { SETTING(worker, labels, settings_labels), LABELS_EXPECTED },
        { SETTING(daemon, log_level, settings_level), "must be one of debug, info, notice, warning, err" },
        {},
};

json_t *agent_settings_to_json(const AgentSettings *s) {
        return settings_show(entries, s);
}

/* --- what belongs together ------------------------------------------------------------------------- */

static int complain(const char *file, const char *what, char **ret_error) {
        *ret_error = strprintf("%s: %s", file, what);
        return *ret_error ? -EBADMSG : -ENOMEM;
}

/* True if what is sent there does not leave this machine. */
static bool url_is_loopback(const char *s) {
        CURLU *parsed = url_parse(s);
        _cleanup_free_ char *host = parsed ? url_part(parsed, CURLUPART_HOST) : NULL;
        struct in_addr v4;

        curl_url_cleanup(parsed);
        if (!host)
                return false;
        if (streq(host, "localhost") || streq(host, "[::1]"))
                return true;
        return inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

static int check(const AgentSettings *s, const char *file, char **ret_error) {
        bool tls = s->server.url && startswith(s->server.url, "https://");

        if (!s->server.url)
                return complain(file,
                                "server.url: must be given: the machine whose jobs are to be done here",
                                ret_error);
        if (s->server.certificate_file && !tls)
                return complain(file, "server.certificate_file: needs an https:// URL", ret_error);
        if (s->server.ca_file && !tls)
                return complain(file, "server.ca_file: needs an https:// URL", ret_error);
        if (s->server.key_file && !s->server.certificate_file)
                return complain(file, "server.key_file: needs server.certificate_file, too", ret_error);
        return 0;
}

/* Who we are when nobody says so. Two machines of the same name are two workers. */
static int default_worker_id(char **ret) {
        _cleanup_free_ char *id = NULL;
        char host[65] = "";
        sd_id128_t machine;
        int r = sd_id128_get_machine_app_specific(WORKER_ID_SEED, &machine);

        if (r < 0)
                return r;
        (void) gethostname(host, sizeof(host) - 1);
        id = strprintf("%s-%02x%02x%02x%02x", host, machine.bytes[0], machine.bytes[1], machine.bytes[2],
                        machine.bytes[3]);
        if (id && !job_id_is_valid(id)) {
                free(id);
                id = strprintf("worker-%02x%02x%02x%02x", machine.bytes[0], machine.bytes[1],
                                machine.bytes[2], machine.bytes[3]);
        }
        if (!id)
                return -ENOMEM;
        *ret = TAKE_PTR(id);
        return 0;
}

int agent_settings_parse(
                const char *file, const char *text, size_t size, AgentSettings **ret, char **ret_error) {
        _cleanup_(agent_settings_freep) AgentSettings *s = agent_settings_new();
        int r = s ? settings_read(file, text, size, entries, s, NULL, ret_error) : -ENOMEM;

        if (r >= 0)
                r = check(s, file, ret_error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

/* --- files ----------------------------------------------------------------------------------------- */

/* Where a credential is; NULL if there is none of that name. */
static char *find_credential(const char *place, const char *name) {
        _cleanup_free_ char *path = strprintf("%s/%s", place ? place : CREDSTORE, name);

        return path && access(path, F_OK) >= 0 ? TAKE_PTR(path) : NULL;
}

/* One line, as it goes into a header. */
static int read_api_key(AgentSettings *s, char **ret_error) {
        _cleanup_free_ char *text = NULL;
        size_t size = 0, n;
        int r = read_file_at(AT_FDCWD, s->server.api_key_file, API_KEY_MAX, &text, &size);

        if (r < 0) {
                *ret_error = strprintf("server.api_key_file: %s: %s", s->server.api_key_file,
                                r == -EFBIG ? "this is longer than any key" : strerror(-r));
                return *ret_error ? r : -ENOMEM;
        }
        n = strcspn(text, "\r\n");
        bool valid = n > 0 && strspn(text + n, "\r\n") == size - n;
        for (size_t i = 0; valid && i < n; i++)
                valid = text[i] > ' ' && text[i] < 0x7f;
        if (valid)
                s->api_key = strndup(text, n);
        explicit_bzero(text, size);
        if (valid)
                return s->api_key ? 0 : -ENOMEM;
        return complain(s->server.api_key_file,
                        "must be the API key in one line, as hyperctl key add has printed it", ret_error);
}

int agent_settings_load(const char *file, const char *credentials, AgentSettings **ret, char **ret_error) {
        _cleanup_(agent_settings_freep) AgentSettings *s = agent_settings_new();
        int r = s ? settings_read_file(file, entries, s, NULL, ret_error) : -ENOMEM;

        if (r >= 0)
                r = check(s, file, ret_error);
        if (r < 0)
                return r;
        if (!s->server.api_key_file)
                s->server.api_key_file = find_credential(credentials, AGENT_CREDENTIAL_API_KEY);
        if (s->server.certificate_file && !s->server.key_file)
                s->server.key_file = find_credential(credentials, AGENT_CREDENTIAL_TLS_KEY);
        if (!s->worker.id && (r = default_worker_id(&s->worker.id)) < 0) {
                *ret_error = strprintf(
                                "worker.id: must be given, as this machine has no id: %s", strerror(-r));
                return *ret_error ? r : -ENOMEM;
        }
        if (s->server.api_key_file && (r = read_api_key(s, ret_error)) < 0)
                return r;
        if (s->api_key && startswith(s->server.url, "http://") && !url_is_loopback(s->server.url) &&
                        !s->server.allow_insecure)
                return complain(file,
                                "server.url: is http:// to another machine, which would tell the API key to "
                                "the whole "
                                "network; use https://, or say server.allow_insecure: true",
                                ret_error);
        *ret = TAKE_PTR(s);
        return 0;
}
