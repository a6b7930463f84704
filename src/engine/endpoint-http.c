/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <strings.h>
#include <sys/queue.h>

#include "basic/string-util.h"
#include "engine/endpoint-http.h"
#include "engine/http-loop.h"
#include "http/content-range.h"
#include "http/tls-trust.h"

#define CONNECTIONS_DEFAULT 8u
#define RETRY_DELAY_DEFAULT USEC_PER_SEC
#define RETRY_DELAY_MAX_SHIFT 6u
#define RETRY_DELAY_MAX 60u /* times the first delay */
#define REQUEST_SIZE ((size_t) 1024 * 1024)
#define PROBE_SIZE 512u
#define CONNECT_TIMEOUT 30L /* seconds */
#define STALL_SPEED 1L /* bytes a second, … */
#define STALL_TIME 60L /* … for so many seconds */
#define BODY_OF_ERROR_MAX 65536u /* so much of it is received, so that the connection can be used again */

/* How often in a row, without a byte received, a request is repeated. */
#define TRIES_OF_CONNECTION 5u
#define TRIES_OF_BUSY 7u

typedef struct HttpEndpoint HttpEndpoint;

typedef struct HttpRequest {
        HttpEndpoint *h;
        CURL *easy;
        char *buf;
        size_t length, got;
        size_t got_before; /* what had been received when it was sent */
        uint64_t offset;
        EndpointDone done;
        void *userdata;
        unsigned failures, busy; /* in a row */
        unsigned generation; /* of the cookie that it was sent with */
        bool sent;
        usec_t retry_at; /* if it is not sent */
        ContentRange range;
        bool has_range, too_long;
        size_t dropped; /* bytes of the body of an error */
        TAILQ_ENTRY(HttpRequest) entries;
} HttpRequest;

struct HttpEndpoint {
        Endpoint endpoint;
        HttpLoop loop;
        HttpOptions options; /* without its strings */
        TlsTrust trust;
        char *url, *cookie, *user_agent;
        unsigned generation; /* of the cookie */
        bool works; /* something was read with this cookie */
        TAILQ_HEAD(, HttpRequest) requests;
        int opening; /* of the first request: the errno that says more than that of a request */
};

#define HTTP(e) ((HttpEndpoint *) (e))

/* --- what is received ------------------------------------------------------------------------------ */

static long status_of(const HttpRequest *q) {
        long status = 0;

        (void) curl_easy_getinfo(q->easy, CURLINFO_RESPONSE_CODE, &status);
        return status;
}

static size_t on_header(char *data, _unused_ size_t one, size_t size, void *userdata) {
        static const char name[] = "Content-Range:";
        HttpRequest *q = userdata;

        if (size >= strlen("HTTP/") && strncasecmp(data, "HTTP/", strlen("HTTP/")) == 0)
                q->has_range = false; /* of an interim answer */
        if (size > strlen(name) && strncasecmp(data, name, strlen(name)) == 0) {
                _cleanup_free_ char *value = strndup(data + strlen(name), size - strlen(name));

                q->has_range = value && content_range_parse(value, &q->range) >= 0;
        }
        return size;
}

/* Exactly what was asked for, of a file of the right size. */
static bool range_is_right(const HttpRequest *q) {
        return q->has_range && q->range.first == q->offset + q->got_before &&
                        q->range.last == q->offset + q->length - 1 && q->range.size == q->h->endpoint.size;
}

static size_t on_body(char *data, _unused_ size_t one, size_t size, void *userdata) {
        HttpRequest *q = userdata;
        long status = status_of(q);

        if (status != 206) {
                q->dropped += size;
                return status == 200 || q->dropped > BODY_OF_ERROR_MAX ? 0 : size;
        }
        if (!range_is_right(q))
                return 0;
        if (size > q->length - q->got) {
                q->too_long = true;
                return 0;
        }
        memcpy(q->buf + q->got, data, size);
        q->got += size;
        return size;
}

/* --- sending --------------------------------------------------------------------------------------- */

#define SET(option, value) (curl_easy_setopt(q->easy, option, value) == CURLE_OK)

static bool set_options(HttpRequest *q, const char *range) {
        const HttpEndpoint *h = q->h;

        return SET(CURLOPT_URL, h->url) && SET(CURLOPT_PROTOCOLS_STR, h->options.plain ? "http" : "https") &&
                        SET(CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1) &&
                        SET(CURLOPT_RANGE, range) && SET(CURLOPT_COOKIE, h->cookie) &&
                        SET(CURLOPT_USERAGENT, h->user_agent) && SET(CURLOPT_NOSIGNAL, 1L) &&
                        SET(CURLOPT_NOPROXY, "*") && SET(CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT) &&
                        SET(CURLOPT_LOW_SPEED_LIMIT, STALL_SPEED) &&
                        SET(CURLOPT_LOW_SPEED_TIME, STALL_TIME) && SET(CURLOPT_TCP_KEEPALIVE, 1L) &&
                        SET(CURLOPT_BUFFERSIZE, 256L * 1024) && SET(CURLOPT_HEADERFUNCTION, on_header) &&
                        SET(CURLOPT_HEADERDATA, q) && SET(CURLOPT_WRITEFUNCTION, on_body) &&
                        SET(CURLOPT_WRITEDATA, q) && SET(CURLOPT_PRIVATE, q);
}

/* 0 or negative errno. */
static int send_request(HttpRequest *q) {
        HttpEndpoint *h = q->h;
        _cleanup_free_ char *range =
                        strprintf("%" PRIu64 "-%" PRIu64, q->offset + q->got, q->offset + q->length - 1);

        q->got_before = q->got;
        q->generation = h->generation;
        q->has_range = q->too_long = false;
        q->dropped = 0;
        if (!range || !set_options(q, range))
                return -ENOMEM;
        if (curl_multi_add_handle(h->loop.multi, q->easy) != CURLM_OK)
                return -ENOMEM;
        q->sent = true;
        return 0;
}

static HttpRequest *request_free(HttpRequest *q) {
        if (!q)
                return NULL;
        TAILQ_REMOVE(&q->h->requests, q, entries);
        if (q->sent)
                (void) curl_multi_remove_handle(q->h->loop.multi, q->easy);
        curl_easy_cleanup(q->easy);
        return mfree(q);
}

/* Frees the request, and calls its function. */
static void request_end(HttpRequest *q, int error) {
        EndpointDone done = q->done;
        void *userdata = q->userdata;

        if (error == 0)
                q->h->endpoint.bytes_read += q->length;
        request_free(q);
        done(userdata, error);
}

static void request_fail(HttpRequest *q, int opening, int error, const char *why) {
        HttpEndpoint *h = q->h;

        h->opening = opening;
        request_end(q,
                        endpoint_fail(&h->endpoint, error, "reading %zu bytes at %" PRIu64 " of %s: %s",
                                        q->length, q->offset, h->endpoint.label, why));
}

/* --- what an answer means -------------------------------------------------------------------------- */

static void send_again(HttpRequest *q, unsigned tries) {
        HttpEndpoint *h = q->h;
        usec_t delay = tries == 0 ? 0
                                  : h->options.retry_delay *
                                        MIN(UINT64_C(1) << MIN(tries - 1, RETRY_DELAY_MAX_SHIFT),
                                                        (uint64_t) RETRY_DELAY_MAX);

        q->retry_at = now_monotonic() + delay;
        http_loop_wake_at(&h->loop, q->retry_at);
}

/* The first time at once. */
static void retry_connection(HttpRequest *q, int error, const char *why) {
        if (++q->failures > TRIES_OF_CONNECTION)
                return request_fail(q, -error, error, why);
        send_again(q, q->failures - 1);
}

static void retry_busy(HttpRequest *q, long status) {
        _cleanup_free_ char *why = strprintf("the server is busy (%ld)", status);

        if (++q->busy > TRIES_OF_BUSY)
                return request_fail(q, -ETIMEDOUT, ETIMEDOUT, strempty(why));
        send_again(q, q->busy);
}

/* Of all requests that the old cookie was refused for, the first one renews it. */
static void renew(HttpRequest *q) {
        _cleanup_free_ char *cookie = NULL, *error = NULL;
        HttpEndpoint *h = q->h;
        int r;

        if (q->generation != h->generation)
                return send_again(q, 0);
        if (!h->options.renew || (!h->works && h->generation > 0))
                return request_fail(q, -EACCES, EACCES, "the server does not accept the session (401)");
        r = h->options.renew(h->options.userdata, h->cookie, &cookie, &error);
        if (r < 0)
                return request_fail(q, r, -r, error ? error : "the session could not be renewed");
        free(h->cookie);
        h->cookie = TAKE_PTR(cookie);
        h->generation++;
        h->works = false;
        send_again(q, 0);
}

static void on_range(HttpRequest *q, CURLcode code) {
        HttpEndpoint *h = q->h;

        if (!range_is_right(q) || q->too_long)
                return request_fail(q, q->has_range ? -EPROTO : -EOPNOTSUPP, EPROTO,
                                q->has_range && q->range.size != h->endpoint.size
                                                ? "the file has another size than the disk"
                                                : "the server has not sent the range that was asked for");
        h->works = true;
        if (q->got == q->length)
                return request_end(q, 0);
        if (q->got > q->got_before)
                q->failures = q->busy = 0;
        retry_connection(q, ECONNRESET,
                        code == CURLE_OK ? "the answer is too short" : curl_easy_strerror(code));
}

static void on_no_answer(HttpRequest *q, CURLcode code) {
        const TlsTrust *trust = &q->h->trust;

        if (tls_trust_refused(trust, code)) {
                _cleanup_free_ char *why = strprintf(
                                "the certificate of the server is not accepted; its SHA-256 thumbprint is %s",
                                trust->seen);
                return request_fail(q, -EKEYREJECTED, EPROTO, strempty(why));
        }
        retry_connection(q,
                        code == CURLE_OPERATION_TIMEDOUT ? ETIMEDOUT
                                        : code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST
                                        ? ECONNREFUSED
                                        : code == CURLE_OUT_OF_MEMORY ? ENOMEM
                                                                      : ECONNRESET,
                        curl_easy_strerror(code));
}

static void on_answer(HttpRequest *q, CURLcode code) {
        static const struct {
                long status;
                int opening, error;
                const char *why;
        } finals[] = {
                { 200, EOPNOTSUPP, EPROTO, "the server does not send ranges of files" },
                { 403, EACCES, EACCES, "the user may not read the file (403)" },
                { 404, ENOENT, EPROTO, "there is no such file (404)" },
                { 416, EPROTO, EPROTO, "the file is shorter than the disk (416)" },
        };
        long status = status_of(q);

        if (status == 0)
                return on_no_answer(q, code);
        if (status == 206)
                return on_range(q, code);
        if (status == 401)
                return renew(q);
        if (status == 503 || status == 429)
                return retry_busy(q, status);
        for (size_t i = 0; i < ELEMENTSOF(finals); i++)
                if (status == finals[i].status)
                        return request_fail(q, -finals[i].opening, finals[i].error, finals[i].why);
        _cleanup_free_ char *why = strprintf("the server has answered with status %ld", status);
        if (status >= 500)
                return retry_connection(q, EIO, strempty(why));
        request_fail(q, -EPROTO, EPROTO, strempty(why));
}

/* --- the endpoint ---------------------------------------------------------------------------------- */

static int http_op_read(
                Endpoint *e, void *buf, size_t length, uint64_t offset, EndpointDone done, void *userdata) {
        HttpEndpoint *h = HTTP(e);
        HttpRequest *q = new0(HttpRequest, 1);
        int r;

        if (!q)
                return -ENOMEM;
        *q = (HttpRequest){ .h = h,
                .buf = buf,
                .length = length,
                .offset = offset,
                .done = done,
                .userdata = userdata,
                .easy = curl_easy_init() };
        TAILQ_INSERT_TAIL(&h->requests, q, entries);
        r = q->easy ? 0 : -ENOMEM;
        if (r >= 0 && !h->options.plain)
                r = tls_trust_apply(&h->trust, q->easy);
        if (r >= 0)
                r = send_request(q);
        if (r < 0) {
                request_free(q);
                return endpoint_fail(
                                e, r, "reading %zu bytes at %" PRIu64 " of %s", length, offset, e->label);
        }
        return 0;
}

static void take_answers(HttpEndpoint *h) {
        CURLMsg *m;
        int left;

        while ((m = curl_multi_info_read(h->loop.multi, &left))) {
                HttpRequest *q = NULL;
                CURLcode code = m->data.result;

                if (m->msg != CURLMSG_DONE ||
                                curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **) &q) !=
                                                CURLE_OK)
                        continue;
                (void) curl_multi_remove_handle(h->loop.multi, q->easy);
                q->sent = false;
                q->retry_at = USEC_INFINITY;
                on_answer(q, code);
        }
}

/* Sends what waited long enough. */
static int send_due(HttpEndpoint *h) {
        usec_t now = now_monotonic();
        HttpRequest *q;
        int r = 0;

        TAILQ_FOREACH(q, &h->requests, entries) {
                if (q->sent || r < 0)
                        continue;
                if (q->retry_at <= now)
                        r = send_request(q);
                else
                        http_loop_wake_at(&h->loop, q->retry_at);
        }
        return r;
}

static size_t http_op_wait(Endpoint *e, struct pollfd *fds, size_t max) {
        return http_loop_wait(&HTTP(e)->loop, fds, max);
}

static int http_op_dispatch(Endpoint *e, const struct pollfd *fds, size_t n) {
        HttpEndpoint *h = HTTP(e);
        int r = http_loop_dispatch(&h->loop, fds, n);

        take_answers(h);
        if (r >= 0)
                r = send_due(h);
        return r < 0 ? endpoint_fail(e, r, "talking to the HTTP server of %s", e->label) : 0;
}

static void http_op_stop(Endpoint *e) {
        HttpEndpoint *h = HTTP(e);

        while (!TAILQ_EMPTY(&h->requests))
                request_free(TAILQ_FIRST(&h->requests));
}

static void http_op_free(Endpoint *e) {
        HttpEndpoint *h = HTTP(e);

        http_op_stop(e);
        http_loop_done(&h->loop);
        tls_trust_done(&h->trust);
        free(h->url);
        if (h->cookie)
                explicit_bzero(h->cookie, strlen(h->cookie));
        free(h->cookie);
        free(h->user_agent);
        free(h);
}

static const EndpointOps http_ops = {
        .name = "http",
        .free = http_op_free,
        .stop = http_op_stop,
        .read = http_op_read,
        .wait = http_op_wait,
        .dispatch = http_op_dispatch,
};

/* --- opening --------------------------------------------------------------------------------------- */

typedef struct Probe {
        char buf[PROBE_SIZE];
        bool ended;
        int error;
} Probe;

static void on_probed(void *userdata, int error) {
        Probe *p = userdata;

        p->error = error;
        p->ended = true;
}

/* A server without ranges, or another file, is found out now. */
static int probe(HttpEndpoint *h, int cancel_fd, char **ret_error) {
        Endpoint *e = &h->endpoint;
        Probe p = {};
        int r = endpoint_read(e, p.buf, MIN(e->size, (uint64_t) PROBE_SIZE), 0, on_probed, &p);

        while (r >= 0 && !p.ended)
                r = endpoints_run(e, NULL, cancel_fd, STALL_TIME * USEC_PER_SEC);
        endpoint_stop(e);
        if (r >= 0 && p.error < 0)
                r = h->opening < 0 ? h->opening : p.error;
        if (r < 0 && r != -ECANCELED)
                *ret_error = strdup(endpoint_error(e));
        e->bytes_read = 0;
        return r < 0 ? r : 0;
}

int endpoint_http_new(const HttpOptions *o, Endpoint **ret, char **ret_error) {
        HttpEndpoint *h = new0(HttpEndpoint, 1);
        _cleanup_endpoint_ Endpoint *e = h ? &h->endpoint : NULL;
        int r;

        if (!h)
                return -ENOMEM;
        e->ops = &http_ops;
        TAILQ_INIT(&h->requests);
        h->options = *o;
        h->options.retry_delay = o->retry_delay > 0 ? o->retry_delay : RETRY_DELAY_DEFAULT;
        e->in_flight_max = o->connections > 0 ? o->connections : CONNECTIONS_DEFAULT;
        e->preferred = REQUEST_SIZE;
        e->size = o->size;
        h->options.url = h->options.label = h->options.cookie = h->options.user_agent = NULL;
        h->options.ca = h->options.thumbprint = NULL;
        r = http_loop_init(&h->loop, e->in_flight_max);
        if (r >= 0)
                r = tls_trust_init(&h->trust, o->ca, o->thumbprint);
        if (r < 0)
                return r;
        e->label = strdup(o->label);
        h->url = strdup(o->url);
        h->cookie = o->cookie ? strdup(o->cookie) : NULL;
        h->user_agent = o->user_agent ? strdup(o->user_agent) : NULL;
        if (!e->label || !h->url || (o->cookie && !h->cookie) || (o->user_agent && !h->user_agent))
                return -ENOMEM;
        r = probe(h, o->cancel_fd, ret_error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(e);
        return 0;
}
