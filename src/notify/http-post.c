/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "notify/http-post.h"

#include <curl/curl.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <unistd.h>

#include "basic/string-util.h"
#include "basic/utf8.h"
#include "notify/address.h"
#include "shared/webhook.h"

#define HEADERS_MAX ((size_t) 64 * 1024)
#define CONNECTIONS_MAX 128L
#define ERROR_MAX ((size_t) 512)

typedef struct Post {
        HttpClient *client;
        CURL *easy;
        struct curl_slist *headers;
        void *userdata;
        usec_t started_at, timeout;
        size_t header_bytes, n_response;
        bool cut_off; /* we ended it: the answer is longer than anybody needs */
        char refused[ADDRESS_TEXT_SIZE]; /* an address that nothing is delivered to; "" */
        char error[CURL_ERROR_SIZE];
        char response[WEBHOOK_RESPONSE_MAX];
        LIST_ENTRY(Post) entries;
} Post;

struct HttpClient {
        sd_event *event;
        CURLM *multi;
        sd_event_source *timer;
        http_done_func done;
        void *userdata;
        LIST_HEAD(, Post) posts;
};

static void post_free(Post *p) {
        LIST_REMOVE(p, entries);
        if (p->easy) {
                (void) curl_multi_remove_handle(p->client->multi, p->easy);
                curl_easy_cleanup(p->easy);
        }
        for (struct curl_slist *h = p->headers; h; h = h->next)
                explicit_bzero(h->data, strlen(h->data));
        curl_slist_free_all(p->headers);
        free(p);
}

/* --- what curl calls while a request is on its way ---------------------------------------------------- */

static size_t on_body(char *data, size_t size, size_t n, void *userdata) {
        Post *p = userdata;
        size_t room = sizeof(p->response) - p->n_response, taken = MIN(size * n, room);

        memcpy(p->response + p->n_response, data, taken);
        p->n_response += taken;
        p->cut_off = p->cut_off || taken < size * n;
        return p->cut_off ? 0 : size * n;
}

static size_t on_header(char *data, size_t size, size_t n, void *userdata) {
        Post *p = userdata;

        p->header_bytes += size * n;
        return p->header_bytes > HEADERS_MAX ? 0 : size * n;
}

static curl_socket_t on_open_socket(void *userdata, curlsocktype purpose, struct curl_sockaddr *address) {
        char text[ADDRESS_TEXT_SIZE];
        Post *p = userdata;

        if (address_is_refused(&address->addr, address->addrlen)) {
                const char *shown = address_to_text(&address->addr, address->addrlen, text);

                memcpy(p->refused, shown, strlen(shown) + 1);
                return CURL_SOCKET_BAD;
        }
        return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* --- its end ------------------------------------------------------------------------------------------ */

static char *describe_error(const Post *p, CURLcode code, unsigned status) {
        char span[TIMESPAN_SIZE];

        if (code == CURLE_OK || p->cut_off)
                return status >= 300 && status < 400
                                ? strprintf("the answer was status %u, and redirects are not followed",
                                                  status)
                                : strprintf("the answer was status %u", status);
        if (p->refused[0])
                return strprintf("%s is a link-local address, to which nothing is delivered", p->refused);
        if (p->header_bytes > HEADERS_MAX)
                return strprintf("the answer's headers are longer than 64 KiB");
        if (code == CURLE_OPERATION_TIMEDOUT)
                return strprintf(
                                "there was no complete answer within %s", format_timespan(span, p->timeout));
        return strdup(p->error[0] ? p->error : curl_easy_strerror(code));
}

/* Tells how it ended, and forgets it. */
static void post_done(Post *p, CURLcode code) {
        _cleanup_free_ char *error = NULL, *valid_error = NULL, *response = NULL;
        HttpClient *c = p->client;
        void *userdata = p->userdata;
        long status = 0;

        (void) curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &status);
        HttpResult result = {
                .status = (unsigned) status,
                .duration = now_monotonic() - p->started_at,
        };
        /* That we have read enough is no mistake of the other side. */
        result.success = (code == CURLE_OK || p->cut_off) && status >= 200 && status < 300;
        if (!result.success) {
                error = describe_error(p, code, result.status);
                valid_error = error ? utf8_make_valid(error, strlen(error), ERROR_MAX) : NULL;
                result.error = valid_error ? ascii_replace_control(valid_error, ' ') : "out of memory";
        }
        response = utf8_make_valid(p->response, p->n_response, sizeof(p->response));
        result.response = strempty(response);
        post_free(p);
        c->done(&result, userdata, c->userdata);
}

static void read_messages(HttpClient *c) {
        CURLMsg *message;
        int left;

        while ((message = curl_multi_info_read(c->multi, &left))) {
                CURLcode code = message->data.result;
                Post *p = NULL;

                if (message->msg != CURLMSG_DONE)
                        continue;
                (void) curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **) &p);
                post_done(p, code);
        }
}

/* --- curl in the event loop: curl_multi_socket_action(3) ----------------------------------------------- */

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

/* --- requests ----------------------------------------------------------------------------------------- */

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
        if (r >= 0 && !has_type)
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

static int set_options(Post *p, const HttpRequest *request) {
        CURL *e = p->easy;
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
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) strlen(request->body));
        SET(CURLOPT_COPYPOSTFIELDS, request->body);
        SET(CURLOPT_HTTPHEADER, p->headers);
        SET(CURLOPT_USERAGENT, "hyper/" PACKAGE_VERSION);
        SET(CURLOPT_TIMEOUT_MS, (long) (request->timeout / USEC_PER_MSEC));
        SET(CURLOPT_NOSIGNAL, 1L);
        /* A name server that does not answer would hold all others up when the request is given up. */
        SET(CURLOPT_QUICK_EXIT, 1L);
        SET(CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
        SET(CURLOPT_OPENSOCKETDATA, p);
        SET(CURLOPT_WRITEFUNCTION, on_body);
        SET(CURLOPT_WRITEDATA, p);
        SET(CURLOPT_HEADERFUNCTION, on_header);
        SET(CURLOPT_HEADERDATA, p);
        SET(CURLOPT_ERRORBUFFER, p->error);
        SET(CURLOPT_PRIVATE, p);
#undef SET
        return bad == CURLE_OK ? 0 : bad == CURLE_OUT_OF_MEMORY ? -ENOMEM : -EIO;
}

int http_client_post(HttpClient *c, const HttpRequest *request, void *request_userdata) {
        Post *p = new0(Post, 1);
        int r;

        if (!p)
                return -ENOMEM;
        p->client = c;
        p->userdata = request_userdata;
        p->started_at = now_monotonic();
        p->timeout = request->timeout;
        LIST_INSERT_HEAD(&c->posts, p, entries);
        p->easy = curl_easy_init();
        r = p->easy ? make_headers(request, &p->headers) : -ENOMEM;
        if (r >= 0)
                r = set_options(p, request);
        if (r >= 0 && curl_multi_add_handle(c->multi, p->easy) != CURLM_OK)
                r = -EIO;
        if (r < 0)
                post_free(p);
        return r;
}

HttpClient *http_client_free(HttpClient *c) {
        if (!c)
                return NULL;
        while (!LIST_EMPTY(&c->posts))
                post_free(LIST_FIRST(&c->posts));
        if (c->multi)
                (void) curl_multi_cleanup(c->multi);
        sd_event_source_disable_unref(c->timer);
        sd_event_unref(c->event);
        return mfree(c);
}

int http_client_new(sd_event *event, http_done_func done, void *userdata, HttpClient **ret) {
        _cleanup_(http_client_freep) HttpClient *c = new0(HttpClient, 1);
        int r;

        if (!c)
                return -ENOMEM;
        c->event = sd_event_ref(event);
        c->done = done;
        c->userdata = userdata;
        LIST_INIT(&c->posts);
        r = sd_event_add_time_relative(event, &c->timer, CLOCK_MONOTONIC, 0, 1, on_timer, c);
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
