/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/server-client.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/password.h"
#include "ctl/text.h"
#include "http/tls-trust.h"
#include "json/json-parse.h"
#include "json/json-table.h"

#define LOCAL_SOCKET "/run/hyper/api.sock"
#define PORT_DEFAULT "5080"
#define CA_MAX ((size_t) 1024 * 1024)
#define CONNECT_TIMEOUT 20L /* seconds */
#define SILENCE_MAX 60L /* seconds without a byte; completing an upload takes at most 10 */
#define REPLY_MAX ((size_t) 4 * 1024 * 1024) /* the status of an upload lists up to 100,000 chunks */
#define RETRY_AFTER_MAX 60
#define ERROR_MAX ((size_t) 2048)

struct ServerClient {
        char *url, *authorization;
        bool local;
        TlsTrust trust;
        CURL *easy;
        char error[CURL_ERROR_SIZE];
};

/* --- the address ----------------------------------------------------------------------------------- */

static void url_freep(CURLU **u) {
        curl_url_cleanup(*u);
}

static void curl_text_freep(char **p) {
        curl_free(*p);
}

static bool has_part(CURLU *u, CURLUPart part) {
        _cleanup_(curl_text_freep) char *text = NULL;

        return curl_url_get(u, part, &text, 0) == CURLUE_OK && !isempty(text) &&
                        !(part == CURLUPART_PATH && streq(text, "/"));
}

int server_parse(const char *server, char **ret) {
        static const CURLUPart none[] = { CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_PATH,
                CURLUPART_QUERY, CURLUPART_FRAGMENT };
        _cleanup_(curl_text_freep) char *scheme = NULL, *host = NULL, *port = NULL;
        _cleanup_free_ char *text = strstr(server, "://") ? strdup(server) : strprintf("https://%s", server);
        _cleanup_(url_freep) CURLU *u = curl_url();

        if (!text || !u)
                return -ENOMEM;
        if (curl_url_set(u, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
                        curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
                        curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK || !streq(scheme, "https") ||
                        isempty(host))
                return -EINVAL;
        for (size_t i = 0; i < ELEMENTSOF(none); i++)
                if (has_part(u, none[i]))
                        return -EINVAL;
        (void) curl_url_get(u, CURLUPART_PORT, &port, 0);
        *ret = strprintf("https://%s:%s", host, port ? port : PORT_DEFAULT);
        return *ret ? 0 : -ENOMEM;
}

/* --- who we are ------------------------------------------------------------------------------------ */

/* Of a header: printable ASCII. */
static bool key_is_valid(const char *key) {
        size_t n = 0;

        while (key[n] > ' ' && key[n] <= '~')
                n++;
        return n > 0 && !key[n];
}

static int read_key(const Ctl *ctl, const char *url, char **ret) {
        _cleanup_free_ char *prompt = strprintf("API key for %s", url), *path = NULL;
        const char *directory = getenv("CREDENTIALS_DIRECTORY");

        if (!prompt)
                return log_oom(), EXIT_OTHER;
        if (!ctl->args.key_file && directory) {
                path = strprintf("%s/" SERVER_CREDENTIAL, directory);
                if (!path)
                        return log_oom(), EXIT_OTHER;
                if (access(path, R_OK) < 0)
                        path = mfree(path);
        }
        return password_read_key(ctl, path ? path : ctl->args.key_file, prompt, ret);
}

static int take_key(const Ctl *ctl, ServerClient *c) {
        _cleanup_(password_freep) char *key = NULL;
        int status = read_key(ctl, c->url, &key);

        if (status != EXIT_OK)
                return status;
        if (!key_is_valid(key)) {
                log_error("What was read is no API key and no token.");
                return EXIT_REFUSED;
        }
        c->authorization = strprintf("Authorization: Bearer %s", key);
        return c->authorization ? EXIT_OK : (log_oom(), EXIT_OTHER);
}

/* --- whom we trust --------------------------------------------------------------------------------- */

static int take_trust(const Ctl *ctl, ServerClient *c) {
        _cleanup_free_ char *ca = NULL;
        int r = ctl->args.ca ? read_file_at(AT_FDCWD, ctl->args.ca, CA_MAX, &ca, NULL) : 0;

        if (r < 0) {
                log_error_errno(r, "Failed to read the certificates in %s: %m", ctl->args.ca);
                return EXIT_OTHER;
        }
        r = tls_trust_init(&c->trust, ca, ctl->args.thumbprint);
        if (r == -EINVAL) {
                log_error("--thumbprint= must be the SHA-256 of a certificate in hexadecimal digits, and "
                          "--ca= a file with certificates in PEM.");
                return EXIT_USAGE;
        }
        return r < 0 ? (log_oom(), EXIT_OTHER) : EXIT_OK;
}

int server_check_options(const Ctl *ctl) {
        static const Option options[] = { OPTION_CA, OPTION_THUMBPRINT, OPTION_KEY_FILE };

        for (size_t i = 0; i < ELEMENTSOF(options) && !ctl->args.server; i++)
                if (ctl->args.given & OPTION_BIT(options[i])) {
                        log_error("--%s= requires --server=.", option_info(options[i])->name);
                        return EXIT_USAGE;
                }
        return EXIT_OK;
}

int server_open(Ctl *ctl, ServerClient **ret) {
        _cleanup_(server_freep) ServerClient *c = new0(ServerClient, 1);
        int status, r;

        if (!c)
                return log_oom(), EXIT_OTHER;
        if (ctl->args.transport != TRANSPORT_LOCAL) {
                log_error("--server= cannot be combined with --host= and --machine=.");
                return EXIT_USAGE;
        }
        r = server_parse(ctl->args.server, &c->url);
        if (r == -EINVAL) {
                log_error("--server= must be HOST, HOST:PORT or https://HOST:PORT.");
                return EXIT_USAGE;
        }
        if (r < 0)
                return log_oom(), EXIT_OTHER;
        status = take_trust(ctl, c);
        if (status == EXIT_OK)
                status = take_key(ctl, c);
        if (status != EXIT_OK)
                return status;
        c->easy = curl_easy_init();
        if (!c->easy)
                return log_oom(), EXIT_OTHER;
        *ret = TAKE_PTR(c);
        return EXIT_OK;
}

int server_open_local(Ctl *ctl, ServerClient **ret) {
        _cleanup_(server_freep) ServerClient *c = new0(ServerClient, 1);

        if (!c)
                return log_oom(), EXIT_OTHER;
        if (ctl->args.transport != TRANSPORT_LOCAL) {
                log_error("This cannot be asked over --host= and --machine=. Use --server=.");
                return EXIT_USAGE;
        }
        c->local = true;
        c->url = strdup("http://localhost");
        c->easy = curl_easy_init();
        if (!c->url || !c->easy)
                return log_oom(), EXIT_OTHER;
        *ret = TAKE_PTR(c);
        return EXIT_OK;
}

ServerClient *server_free(ServerClient *c) {
        if (!c)
                return NULL;
        if (c->easy)
                curl_easy_cleanup(c->easy);
        tls_trust_done(&c->trust);
        password_free(c->authorization);
        free(c->url);
        return mfree(c);
}

const char *server_url(const ServerClient *c) {
        return c->url;
}

/* --- a call ---------------------------------------------------------------------------------------- */

typedef struct Call {
        const ServerRequest *request;
        char *text;
        size_t size, allocated;
} Call;

static size_t on_reply(char *data, size_t size, size_t n, void *userdata) {
        Call *call = userdata;

        if (size * n > REPLY_MAX - call->size ||
                        !GREEDY_REALLOC(call->text, call->allocated, call->size + size * n + 1))
                return 0;
        memcpy(call->text + call->size, data, size * n);
        call->size += size * n;
        call->text[call->size] = '\0';
        return size * n;
}

static int on_progress(
                void *userdata, curl_off_t total_in, curl_off_t in, curl_off_t total, curl_off_t sent) {
        const Call *call = userdata;

        if (call->request->progress && sent > 0)
                call->request->progress((uint64_t) sent, call->request->userdata);
        return 0;
}

static void slist_freep(struct curl_slist **list) {
        for (struct curl_slist *l = *list; l; l = l->next)
                explicit_bzero(l->data, strlen(l->data));
        curl_slist_free_all(*list);
}

static int add_line(struct curl_slist **list, const char *line) {
        struct curl_slist *longer = line ? curl_slist_append(*list, line) : *list;

        if (!longer && line)
                return -ENOMEM;
        *list = longer;
        return 0;
}

static int set_options(ServerClient *c, Call *call, const char *url, struct curl_slist *headers) {
        const ServerRequest *request = call->request;
        CURLcode bad = CURLE_OK;

        curl_easy_reset(c->easy); /* connections are kept */
#define SET(option, value)   \
        if (bad == CURLE_OK) \
                bad = curl_easy_setopt(c->easy, (option), (value));
        SET(CURLOPT_URL, url);
        SET(CURLOPT_PROTOCOLS_STR, c->local ? "http" : "https");
        if (c->local) {
                SET(CURLOPT_UNIX_SOCKET_PATH, LOCAL_SOCKET);
                SET(CURLOPT_PROXY, "");
        }
        SET(CURLOPT_FOLLOWLOCATION, 0L);
        SET(CURLOPT_NETRC, (long) CURL_NETRC_IGNORED);
        SET(CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
        SET(CURLOPT_HTTPHEADER, headers);
        SET(CURLOPT_USERAGENT, "hyperctl/" PACKAGE_VERSION);
        SET(CURLOPT_NOSIGNAL, 1L);
        SET(CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT);
        SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
        SET(CURLOPT_LOW_SPEED_TIME, SILENCE_MAX);
        SET(CURLOPT_WRITEFUNCTION, on_reply);
        SET(CURLOPT_WRITEDATA, call);
        SET(CURLOPT_XFERINFOFUNCTION, on_progress);
        SET(CURLOPT_XFERINFODATA, call);
        SET(CURLOPT_NOPROGRESS, 0L);
        SET(CURLOPT_ERRORBUFFER, c->error);
        if (request->body) {
                SET(CURLOPT_POST, 1L);
                SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->size);
                SET(CURLOPT_POSTFIELDS, request->body);
        }
        SET(CURLOPT_CUSTOMREQUEST, request->method);
#undef SET
        if (bad == CURLE_OK)
                return c->local ? 0 : tls_trust_apply(&c->trust, c->easy);
        return bad == CURLE_OUT_OF_MEMORY ? -ENOMEM : -EIO;
}

static void read_error(const ServerClient *c, CURLcode code, ServerReply *reply) {
        const char *text = json_string_value(json_object_get(reply->body, "error"));

        reply->refused = tls_trust_refused(&c->trust, code);
        if (reply->refused)
                reply->error = strprintf(
                                "the certificate of %s is not trusted. If its SHA-256 thumbprint is %s, as "
                                "\"journalctl -u hyper-tls-certificate\" shows there, use --thumbprint=, or "
                                "else --ca=",
                                c->url, c->trust.seen);
        else if (code == CURLE_COULDNT_CONNECT && c->local)
                reply->error = strdup("there is no connection to " LOCAL_SOCKET
                                      ". \"systemctl start hyper.socket\" starts to listen there");
        else if (code != CURLE_OK)
                reply->error = strprintf("%s: %s", c->url, *c->error ? c->error : curl_easy_strerror(code));
        else if (text && strlen(text) <= ERROR_MAX)
                reply->error = strdup(text);
        else
                reply->error = strprintf("%s has answered with status %u, and not as hyper does", c->url,
                                reply->status);
}

static int read_reply(ServerClient *c, CURLcode code, const Call *call, ServerReply *ret) {
        curl_off_t retry_after = 0;
        long status = 0;

        (void) curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
        (void) curl_easy_getinfo(c->easy, CURLINFO_RETRY_AFTER, &retry_after);
        ret->status = code == CURLE_OK ? (unsigned) status : 0;
        ret->retry_after = (unsigned) MIN(MAX(retry_after, 0), RETRY_AFTER_MAX);
        if (code == CURLE_OK && call->text)
                ret->body = json_loadb(call->text, call->size, JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(ret->body)) {
                json_decref(ret->body);
                ret->body = NULL;
        }
        if (ret->status >= 200 && ret->status < 300 && ret->body)
                return 0;
        read_error(c, code, ret);
        return ret->error ? -EIO : -ENOMEM;
}

int server_call(ServerClient *c, const ServerRequest *request, ServerReply *ret) {
        _cleanup_free_ char *url = strprintf("%s%s%s", c->url, c->local ? "" : "/api/v1", request->path);
        _cleanup_(slist_freep) struct curl_slist *headers = NULL;
        Call call = { .request = request };
        CURLcode code;
        int r = url ? 0 : -ENOMEM;

        *ret = (ServerReply){};
        if (r >= 0)
                r = add_line(&headers, c->authorization);
        if (r >= 0)
                r = add_line(&headers, request->header);
        if (r >= 0)
                r = add_line(&headers, "Expect:");
        if (r >= 0)
                r = set_options(c, &call, url, headers);
        if (r < 0)
                return r;
        *c->error = '\0';
        c->trust.seen[0] = '\0';
        code = curl_easy_perform(c->easy);
        r = read_reply(c, code, &call, ret);
        free(call.text);
        return r;
}

void server_reply_done(ServerReply *r) {
        json_decref(r->body);
        free(r->error);
        *r = (ServerReply){};
}

int server_failure(const Ctl *ctl, const ServerReply *reply, const char *what) {
        static const struct {
                unsigned status;
                int exit_status;
        } table[] = { { 400, EXIT_REFUSED }, { 401, EXIT_DENIED }, { 403, EXIT_DENIED },
                { 404, EXIT_NO_SUCH_JOB }, { 409, EXIT_REFUSED }, { 413, EXIT_REFUSED },
                { 507, EXIT_REFUSED }, { 0, EXIT_UNAVAILABLE }, { 429, EXIT_UNAVAILABLE },
                { 503, EXIT_UNAVAILABLE } };
        _cleanup_free_ char *text = reply->error ? text_escape(reply->error, ctl->err.utf8) : NULL;

        if (!text)
                return log_oom(), EXIT_OTHER;
        log_error("%s failed: %s%s", what, text, endswith(text, ".") ? "" : ".");
        if (reply->refused)
                return EXIT_REFUSED;
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (table[i].status == reply->status)
                        return table[i].exit_status;
        return EXIT_OTHER;
}
