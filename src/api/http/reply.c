/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "api/api-state.h"
#include "api/http/http-server-state.h"
#include "api/http/reply.h"
#include "api/http/request-park.h"
#include "api/http/request-state.h"
#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "shared/bus-fields.h"
#include "shared/error-table.h"
#include "json/json-table.h"

#define JSON_CONTENT_TYPE "application/json; charset=utf-8"
#define MESSAGE_MAX 4096

void request_answer(Request *r, unsigned status, struct MHD_Response *response) {
        if (r->answered || !r->connection) { /* answered already, or nobody listens any more */
                MHD_destroy_response(response);
                return;
        }

        request_unpark(r);
        r->answered = true;
        r->response = response;
        r->status = status;
        if (r->suspended) {
                r->suspended = false;
                http_server_resume(r->server, r->connection);
        }
}

static bool has_header(const Request *r, const char *name) {
        for (const RequestHeader *h = r->headers; h; h = h->next)
                if (strcasecmp(h->name, name) == 0)
                        return true;
        return false;
}

enum MHD_Result request_send(Request *r) {
        struct MHD_Response *response = TAKE_PTR(r->response);
        enum MHD_Result ok = MHD_YES;

        /* Answers are about now; nothing between us and a client may keep them, but for files. */
        if (!has_header(r, MHD_HTTP_HEADER_CACHE_CONTROL))
                ok &= MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
        for (RequestHeader *h = r->headers; h; h = h->next)
                ok &= MHD_add_response_header(response, h->name, h->value);
        if (r->close || api_is_ending(request_api(r)))
                ok &= MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
        if (ok != MHD_YES)
                log_oom(); /* the answer itself still goes out */

        r->stage = REQUEST_SENDING;
        ok = MHD_queue_response(r->connection, r->status, response);
        MHD_destroy_response(response); /* our reference; libmicrohttpd has its own */
        return ok;
}

/* Takes @text over. */
static int reply_buffer(Request *r, unsigned status, const char *content_type, char *text, size_t size) {
        struct MHD_Response *response;

        response = MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_FREE);
        if (!response) {
                free(text);
                return -ENOMEM;
        }
        if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type) != MHD_YES) {
                MHD_destroy_response(response);
                return -ENOMEM;
        }
        request_answer(r, status, response);
        return 0;
}

/* When there is no memory even for an error: fixed text, which is JSON all the same. */
static int reply_plain_failure(Request *r) {
        static char text[] = "{\"error\":\"The request could not be worked on: out of memory.\"}";
        struct MHD_Response *response;

        response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_PERSISTENT);
        if (!response)
                return -ENOMEM;
        (void) MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, JSON_CONTENT_TYPE);
        request_answer(r, MHD_HTTP_INTERNAL_SERVER_ERROR, response);
        return 0;
}

int request_reply_json(Request *r, unsigned status, json_t *value) {
        _cleanup_json_ json_t *owned = value;
        char *text;

        if (r->answered || !r->connection)
                return 0;

        text = owned ? json_dumps(owned, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)) : NULL;
        if (!text) {
                log_error("No memory for the answer to %s.", request_path(r));
                return reply_plain_failure(r);
        }
        size_t size = strlen(text);
        if (status == MHD_HTTP_OK && r->route && r->route->from_database)
                api_keep_reply(request_api(r), request_dialect(r), request_path(r), text, size);
        return reply_buffer(r, status, JSON_CONTENT_TYPE, text, size);
}

int request_reply_kept(Request *r) {
        size_t size;
        const char *kept;
        char *text;

        if (!r->route->from_database)
                return 0;
        kept = api_kept_reply(request_api(r), request_dialect(r), request_path(r), &size);
        if (!kept)
                return 0;
        text = malloc(size);
        if (!text)
                return -ENOMEM;
        memcpy(text, kept, size);
        int k = reply_buffer(r, MHD_HTTP_OK, JSON_CONTENT_TYPE, text, size);
        return k < 0 ? k : 1;
}

int request_reply_empty(Request *r, unsigned status) {
        static char nothing[1];
        struct MHD_Response *response;

        response = MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
        if (!response)
                return -ENOMEM;
        request_answer(r, status, response);
        return 0;
}

int request_reply_text(Request *r, unsigned status, const char *content_type, const char *text) {
        char *copy = strdup(text);

        if (!copy)
                return -ENOMEM;
        return reply_buffer(r, status, content_type, copy, strlen(copy));
}

int request_reply_file(Request *r, unsigned status, const char *content_type, int fd, uint64_t size) {
        struct MHD_Response *response;

        response = MHD_create_response_from_fd64(size, fd);
        if (!response) {
                safe_close(fd);
                return -ENOMEM;
        }
        if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type) != MHD_YES) {
                MHD_destroy_response(response); /* which closes it */
                return -ENOMEM;
        }
        request_answer(r, status, response);
        return 0;
}

static int reply_error(Request *r, unsigned status, const char *message) {
        if (r->answered)
                return 0;
        /* A client that comes again at once finds the same; it should wait a moment. */
        if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
                (void) request_add_header(r, MHD_HTTP_HEADER_RETRY_AFTER, "1");
        return request_reply_json(r, status, request_dialect(r)->error(r, status, message));
}

/* The text may quote a client or libsystemd: it is made UTF-8, because jansson refuses anything else. */
_printf_(3, 0) static int reply_errorv(Request *r, unsigned status, const char *format, va_list ap) {
        char buf[MESSAGE_MAX];
        int n;

        n = vsnprintf(buf, sizeof(buf), format, ap);
        if (n < 0)
                return reply_plain_failure(r);
        if (!utf8_is_valid(buf)) /* also when it was cut in the middle of a character */
                for (char *p = buf; *p; p++)
                        if ((unsigned char) *p >= 0x80)
                                *p = '?';
        return reply_error(r, status, buf);
}

int request_reply_error(Request *r, unsigned status, const char *format, ...) {
        va_list ap;
        int k;

        va_start(ap, format);
        k = reply_errorv(r, status, format, ap);
        va_end(ap);
        return k;
}

const char *request_error_name(const Request *r) {
        return r->error_name;
}

int request_reply_errno(Request *r, int error, const char *format, ...) {
        const ErrorEntry *e = error_entry_by_errno(error);
        va_list ap;
        int k;

        r->error_name = e->bus_name;
        if (!format)
                return reply_error(r, (unsigned) e->http_status, e->text);

        va_start(ap, format);
        k = reply_errorv(r, (unsigned) e->http_status, format, ap);
        va_end(ap);
        return k;
}

int request_reply_bus_error(Request *r, const sd_bus_error *error) {
        const ErrorEntry *e = error_entry_by_bus_name(error->name);
        _cleanup_free_ char *text = bus_error_text(error);

        r->error_name = e->bus_name;
        return text ? request_reply_error(r, (unsigned) e->http_status, "%s", *text ? text : e->text)
                    : -ENOMEM;
}
