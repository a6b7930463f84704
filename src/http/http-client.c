/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/http-client.h"

#include <curl/curl.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <unistd.h>

#include "basic/string-util.h"
#include "basic/utf8.h"

#define HEADERS_MAX ((size_t) 64 * 1024)
#define CONNECTIONS_MAX 128L
#define ERROR_MAX ((size_t) 512)

typedef struct Exchange {
        HttpClient *client;
        CURL *easy;
        struct curl_slist *headers;
        void *userdata;
        usec_t started_at, timeout;
        size_t header_bytes;
        char *response;
        size_t n_response, allocated;
        bool cut_off; /* we ended it: the answer is longer than anybody needs */
        bool out_of_memory;
        char refuse_buffer[HTTP_REFUSE_SIZE];
        const char *refused; /* why an address was refused, or NULL */
        char error[CURL_ERROR_SIZE];
        LIST_ENTRY(Exchange) entries;
} Exchange;

struct HttpClient {
        sd_event *event;
        CURLM *multi;
        sd_event_source *timer;
        http_done_func done;
        void *userdata;
        size_t response_max;
        bool response_whole;
        http_refuse_func refuse;
        void *refuse_userdata;
        char *ca_file, *unix_socket, *certificate_file, *key_file;
        LIST_HEAD(, Exchange) exchanges;
};

static void exchange_free(Exchange *e) {
        LIST_REMOVE(e, entries);
        if (e->easy) {
                (void) curl_multi_remove_handle(e->client->multi, e->easy);
                curl_easy_cleanup(e->easy);
        }
        for (struct curl_slist *h = e->headers; h; h = h->next)
                explicit_bzero(h->data, strlen(h->data));
        curl_slist_free_all(e->headers);
        free(e->response);
        free(e);
}

/* --- what curl calls while a request is on its way ------------------------------------------------- */

/* 0 ends the request. */
static size_t on_body(char *data, size_t size, size_t n, void *userdata) {
        Exchange *e = userdata;
        size_t room = e->client->response_max - e->n_response, taken = MIN(size * n, room);

        if (!GREEDY_REALLOC(e->response, e->allocated, e->n_response + taken + 1)) {
                e->out_of_memory = true;
                return 0;
        }
        memcpy(e->response + e->n_response, data, taken);
        e->n_response += taken;
        e->response[e->n_response] = '\0';
        e->cut_off = e->cut_off || taken < size * n;
        return e->cut_off ? 0 : size * n;
}

static size_t on_header(char *data, size_t size, size_t n, void *userdata) {
        Exchange *e = userdata;

        e->header_bytes += size * n;
        return e->header_bytes > HEADERS_MAX ? 0 : size * n;
}

static curl_socket_t on_open_socket(void *userdata, curlsocktype purpose, struct curl_sockaddr *address) {
        Exchange *e = userdata;
        const char *why = e->client->refuse ? e->client->refuse(&address->addr, address->addrlen,
                                                              e->client->refuse_userdata, e->refuse_buffer)
                                            : NULL;

        if (why) {
                e->refused = why;
                return CURL_SOCKET_BAD;
        }
        return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* --- its end --------------------------------------------------------------------------------------- */

static bool is_complete(const Exchange *e, CURLcode code) {
        /* That we have read enough is no mistake of the other side, if enough is enough. */
        return code == CURLE_OK || (e->cut_off && !e->client->response_whole);
}

static char *describe_error(const Exchange *e, CURLcode code, unsigned status) {
        char span[TIMESPAN_SIZE];

        if (is_complete(e, code))
                return status >= 300 && status < 400
                                ? strprintf("the answer was status %u, and redirects are not followed",
                                                  status)
                                : strprintf("the answer was status %u", status);
        if (e->cut_off)
                return strprintf("the answer is longer than %zu bytes", e->client->response_max);
        if (e->out_of_memory)
                return strdup("out of memory");
        if (e->refused)
                return strdup(e->refused);
        if (e->header_bytes > HEADERS_MAX)
                return strprintf("the answer's headers are longer than 64 KiB");
        if (code == CURLE_OPERATION_TIMEDOUT)
                return strprintf(
                                "there was no complete answer within %s", format_timespan(span, e->timeout));
        return strdup(e->error[0] ? e->error : curl_easy_strerror(code));
}

/* Tells how it ended, and forgets it. */
static void exchange_done(Exchange *e, CURLcode code) {
        _cleanup_free_ char *error = NULL, *valid_error = NULL, *response = NULL;
        HttpClient *c = e->client;
        void *userdata = e->userdata;
        curl_off_t retry_after = 0;
        long status = 0;

        (void) curl_easy_getinfo(e->easy, CURLINFO_RESPONSE_CODE, &status);
        (void) curl_easy_getinfo(e->easy, CURLINFO_RETRY_AFTER, &retry_after);
        HttpResult result = {
                .status = (unsigned) status,
                .duration = now_monotonic() - e->started_at,
                .retry_after = retry_after > 0 ? (usec_t) MIN(retry_after, 86400) * USEC_PER_SEC : 0,
        };
        result.success = is_complete(e, code) && status >= 200 && status < 300;
        if (!result.success) {
                error = describe_error(e, code, (unsigned) status);
                valid_error = error ? utf8_make_valid(error, strlen(error), ERROR_MAX) : NULL;
                result.error = valid_error ? utf8_replace_control(valid_error, ' ') : "out of memory";
        }
        response = TAKE_PTR(e->response);
        result.response = strempty(response);
        result.response_size = response ? e->n_response : 0;
        exchange_free(e);
        c->done(&result, userdata, c->userdata);
}

static void read_messages(HttpClient *c) {
        CURLMsg *message;
        int left;

        while ((message = curl_multi_info_read(c->multi, &left))) {
                CURLcode code = message->data.result;
                Exchange *e = NULL;

                if (message->msg != CURLMSG_DONE)
                        continue;
                (void) curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **) &e);
                exchange_done(e, code);
        }
}

/* --- curl in the event loop: curl_multi_socket_action(3) ------------------------------------------- */

static int on_io(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        HttpClient *c = userdata;
        int mask = 0, running;

        if (revents & (EPOLLIN | EPOLLHUP))
                mask |= CURL_CSELECT_IN;
        if (revents & EPOLLOUT)
                mask |= CURL_CSELECT_OUT;
        if (revents & EPOLLERR)
                mask |= CURL_CSELECT_ERR;
        (void) curl_multi_socket_action(c->multi, fd, mask, &running);
        read_messages(c);
        return 0;
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        HttpClient *c = userdata;
        int running;

        (void) curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        read_messages(c);
        return 0;
}

static int on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *userdata, void *socketp) {
        static const uint32_t events[] = {
                [CURL_POLL_NONE] = 0,
                [CURL_POLL_IN] = EPOLLIN,
                [CURL_POLL_OUT] = EPOLLOUT,
                [CURL_POLL_INOUT] = EPOLLIN | EPOLLOUT,
        };
        sd_event_source *source = socketp;
        HttpClient *c = userdata;
        int r;

        if (what == CURL_POLL_REMOVE) {
                sd_event_source_disable_unref(source);
                (void) curl_multi_assign(c->multi, fd, NULL);
                return 0;
        }
        if (source)
                return sd_event_source_set_io_events(source, events[what]) < 0 ? -1 : 0;
        r = sd_event_add_io(c->event, &source, fd, events[what], on_io, c);
        if (r < 0)
                return -1;
        (void) curl_multi_assign(c->multi, fd, source);
        return 0;
}

static int on_timer_wanted(CURLM *multi, long milliseconds, void *userdata) {
        HttpClient *c = userdata;
        int r;

        if (milliseconds < 0)
                return sd_event_source_set_enabled(c->timer, SD_EVENT_OFF) < 0 ? -1 : 0;
        r = sd_event_source_set_time_relative(c->timer, (uint64_t) milliseconds * USEC_PER_MSEC);
        if (r >= 0)
                r = sd_event_source_set_enabled(c->timer, SD_EVENT_ONESHOT);
        return r < 0 ? -1 : 0;
}

/* --- requests -------------------------------------------------------------------------------------- */

static int add_header(struct curl_slist **list, const char *name, const char *value) {
        /* "Name;" is curl's way to write a header without a value, see CURLOPT_HTTPHEADER(3). */
        _cleanup_free_ char *line = *value ? strprintf("%s: %s", name, value) : strprintf("%s;", name);
        struct curl_slist *longer = line ? curl_slist_append(*list, line) : NULL;

        if (line)
                explicit_bzero(line, strlen(line));
        if (!longer)
                return -ENOMEM;
        *list = longer;
        return 0;
}

static int make_headers(const HttpRequest *request, struct curl_slist **list) {
        bool has_type = false;
        int r = 0;

        for (char *const *h = request->headers; r >= 0 && h && h[0] && h[1]; h += 2) {
                has_type = has_type || strcasecmp(h[0], "Content-Type") == 0;
                r = add_header(list, h[0], h[1]);
        }
        if (r >= 0 && request->body && !has_type)
                r = add_header(list, "Content-Type", "application/json; charset=utf-8");
        if (r < 0)
                return r;
        /* No "Expect: 100-continue": many receivers do not know it, and each would cost a second. */
        struct curl_slist *longer = curl_slist_append(*list, "Expect:");
        if (!longer)
                return -ENOMEM;
        *list = longer;
        return 0;
}

static int set_options(Exchange *x, const HttpRequest *request) {
        const HttpClient *c = x->client;
        CURL *e = x->easy;
        CURLcode bad = CURLE_OK;

#define SET(option, value)                                              \
        do {                                                            \
                CURLcode code = curl_easy_setopt(e, (option), (value)); \
                bad = bad == CURLE_OK ? code : bad;                     \
        } while (false)
        SET(CURLOPT_URL, request->url);
        SET(CURLOPT_PROTOCOLS_STR, "http,https");
        SET(CURLOPT_FOLLOWLOCATION, 0L);
        SET(CURLOPT_PROXY, ""); /* not what the environment says either */
        SET(CURLOPT_NETRC, (long) CURL_NETRC_IGNORED);
        SET(CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
        SET(CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
        SET(CURLOPT_SSL_VERIFYPEER, 1L);
        SET(CURLOPT_SSL_VERIFYHOST, 2L);
        if (c->unix_socket)
                SET(CURLOPT_UNIX_SOCKET_PATH, c->unix_socket);
        if (c->ca_file) {
                SET(CURLOPT_CAINFO, c->ca_file);
                SET(CURLOPT_CAPATH, NULL); /* or else those of the system would do, too */
        }
        if (c->certificate_file) {
                SET(CURLOPT_SSLCERT, c->certificate_file);
                SET(CURLOPT_SSLKEY, c->key_file ? c->key_file : c->certificate_file);
        }
        if (request->body) {
                SET(CURLOPT_POST, 1L);
                SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) strlen(request->body));
                SET(CURLOPT_COPYPOSTFIELDS, request->body);
        }
        SET(CURLOPT_CUSTOMREQUEST, request->method);
        SET(CURLOPT_HTTPHEADER, x->headers);
        SET(CURLOPT_USERAGENT, "hyper/" PACKAGE_VERSION);
        SET(CURLOPT_TIMEOUT_MS, (long) (request->timeout / USEC_PER_MSEC));
        SET(CURLOPT_NOSIGNAL, 1L);
        /* A name server that does not answer would hold all others up when the request is given up. */
        SET(CURLOPT_QUICK_EXIT, 1L);
        SET(CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
        SET(CURLOPT_OPENSOCKETDATA, x);
        SET(CURLOPT_WRITEFUNCTION, on_body);
        SET(CURLOPT_WRITEDATA, x);
        SET(CURLOPT_HEADERFUNCTION, on_header);
        SET(CURLOPT_HEADERDATA, x);
        SET(CURLOPT_ERRORBUFFER, x->error);
        SET(CURLOPT_PRIVATE, x);
#undef SET
        return bad == CURLE_OK ? 0 : bad == CURLE_OUT_OF_MEMORY ? -ENOMEM : -EIO;
}

int http_client_send(HttpClient *c, const HttpRequest *request, void *request_userdata) {
        Exchange *e = new0(Exchange, 1);
        int r;

        if (!e)
                return -ENOMEM;
        e->client = c;
        e->userdata = request_userdata;
        e->started_at = now_monotonic();
        e->timeout = request->timeout;
        LIST_INSERT_HEAD(&c->exchanges, e, entries);
        e->easy = curl_easy_init();
        r = e->easy ? make_headers(request, &e->headers) : -ENOMEM;
        if (r >= 0)
                r = set_options(e, request);
        if (r >= 0 && curl_multi_add_handle(c->multi, e->easy) != CURLM_OK)
                r = -EIO;
        if (r < 0)
                exchange_free(e);
        return r;
}

void http_client_abort(HttpClient *c, void *request_userdata) {
        Exchange *e = LIST_FIRST(&c->exchanges);

        while (e) {
                Exchange *next = LIST_NEXT(e, entries);

                if (e->userdata == request_userdata)
                        exchange_free(e);
                e = next;
        }
}

HttpClient *http_client_free(HttpClient *c) {
        if (!c)
                return NULL;
        while (!LIST_EMPTY(&c->exchanges))
                exchange_free(LIST_FIRST(&c->exchanges));
        if (c->multi)
                (void) curl_multi_cleanup(c->multi);
        sd_event_source_disable_unref(c->timer);
        sd_event_unref(c->event);
        free(c->ca_file);
        free(c->unix_socket);
        free(c->certificate_file);
        free(c->key_file);
        return mfree(c);
}

int http_client_new(const HttpClientOptions *options, HttpClient **ret) {
        _cleanup_(http_client_freep) HttpClient *c = new0(HttpClient, 1);
        int r;

        if (!c)
                return -ENOMEM;
        c->event = sd_event_ref(options->event);
        c->done = options->done;
        c->userdata = options->userdata;
        c->response_max = options->response_max;
        c->response_whole = options->response_whole;
        c->refuse = options->refuse;
        c->refuse_userdata = options->refuse_userdata;
        LIST_INIT(&c->exchanges);
        r = free_and_strdup(&c->ca_file, options->ca_file);
        if (r >= 0)
                r = free_and_strdup(&c->unix_socket, options->unix_socket);
        if (r >= 0)
                r = free_and_strdup(&c->certificate_file, options->certificate_file);
        if (r >= 0)
                r = free_and_strdup(&c->key_file, options->key_file);
        if (r < 0)
                return r;
        r = sd_event_add_time_relative(c->event, &c->timer, CLOCK_MONOTONIC, 0, 1, on_timer, c);
        if (r >= 0)
                r = sd_event_source_set_enabled(c->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        c->multi = curl_multi_init();
        if (!c->multi)
                return -ENOMEM;
        if (curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted) != CURLM_OK ||
                        curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c) != CURLM_OK ||
                        curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted) != CURLM_OK ||
                        curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c) != CURLM_OK ||
                        curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_MAX) != CURLM_OK)
                return -EIO;
        *ret = TAKE_PTR(c);
        return 0;
}
