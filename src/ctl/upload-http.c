/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/upload-http.h"

#include <inttypes.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/server-client.h"
#include "ctl/upload-digest.h"

#define CREATE_PATH "/upload/init"

typedef struct HttpTarget {
        UploadTarget target;
        ServerClient *client;
} HttpTarget;

static bool may_succeed_later(const ServerReply *reply, bool chunk) {
        if (reply->refused)
                return false;
        return reply->status == 0 || reply->status == 429 || reply->status == 502 || reply->status == 503 ||
                        reply->status == 504 || (chunk && reply->status == 409);
}

/* Sends a request, with JSON if @body is set; ends the reference to it. */
static int call(HttpTarget *h, ServerRequest *request, json_t *body, json_t **ret) {
        _cleanup_server_reply_ ServerReply reply = {};
        _cleanup_free_ char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
        bool chunk = request->body;
        int r;

        json_decref(body);
        if (text) {
                request->body = text;
                request->size = strlen(text);
                request->header = "Content-Type: application/json";
        }
        r = server_call(h->client, request, &reply);
        h->target.pause = reply.retry_after;
        if (r >= 0) {
                if (ret)
                        *ret = json_incref(reply.body);
                return EXIT_OK;
        }
        if (r == -ENOMEM)
                return log_oom(), EXIT_OTHER;
        /* A server without uploads is none of hyper. */
        if (reply.status == 404 && !streq(request->path, CREATE_PATH))
                return UPLOAD_GONE;
        if (!h->target.last && may_succeed_later(&reply, chunk))
                return UPLOAD_AGAIN;
        return server_failure(h->target.ctl, &reply, "The upload");
}

static int call_json(UploadTarget *t, const char *path, json_t *body, json_t **ret) {
        ServerRequest request = { .method = "POST", .path = path };

        if (!body)
                return log_oom(), EXIT_OTHER;
        return call((HttpTarget *) t, &request, body, ret);
}

static int http_create(UploadTarget *t, json_t *definition, json_t **ret) {
        return call_json(t, CREATE_PATH, json_incref(definition), ret);
}

static int call_id(UploadTarget *t, const char *method, const char *path, const char *id, json_t **ret) {
        _cleanup_free_ char *whole = strprintf("%s%s", path, id);
        ServerRequest request = { .method = method, .path = whole };

        if (!whole)
                return log_oom(), EXIT_OTHER;
        return call((HttpTarget *) t, &request, NULL, ret);
}

static int http_get(UploadTarget *t, const char *id, json_t **ret) {
        return call_id(t, "GET", "/upload/status/", id, ret);
}

static int http_send(UploadTarget *t, const char *id, uint64_t index, const void *data, size_t size) {
        _cleanup_free_ char *path = NULL, *header = NULL;
        char hex[UPLOAD_DIGEST_SIZE];
        struct sha256_ctx context;

        sha256_init(&context);
        sha256_update(&context, size, data);
        upload_digest_text(&context, hex);
        path = strprintf("/upload/chunk?upload_id=%s&chunk_index=%" PRIu64, id, index);
        header = strprintf("X-Chunk-SHA256: %s", hex);
        if (!path || !header)
                return log_oom(), EXIT_OTHER;
        ServerRequest request = { .method = "POST",
                .path = path,
                .body = data,
                .size = size,
                .header = header,
                .progress = t->progress,
                .userdata = t->userdata };
        return call((HttpTarget *) t, &request, NULL, NULL);
}

static int http_complete(UploadTarget *t, const char *id, const char *sha256, json_t **ret) {
        return call_json(t, "/upload/complete", json_pack("{s:s, s:s}", "upload_id", id, "sha256", sha256),
                        ret);
}

static int http_drop(UploadTarget *t, const char *id) {
        return call_id(t, "DELETE", "/upload/", id, NULL);
}

static UploadTarget *http_free(UploadTarget *t) {
        HttpTarget *h = (HttpTarget *) t;

        server_free(h->client);
        free(t->place);
        free(h);
        return NULL;
}

static const UploadOps ops = {
        .create = http_create,
        .get = http_get,
        .send = http_send,
        .complete = http_complete,
        .drop = http_drop,
        .free = http_free,
};

int upload_http_new(Ctl *ctl, UploadTarget **ret) {
        _cleanup_(upload_target_freep) UploadTarget *t = NULL;
        HttpTarget *h = new0(HttpTarget, 1);
        int status;

        if (!h)
                return log_oom(), EXIT_OTHER;
        t = &h->target;
        t->ops = &ops;
        t->ctl = ctl;
        t->pause_unit = USEC_PER_SEC;
        status = server_open(ctl, &h->client);
        if (status != EXIT_OK)
                return status;
        t->place = strdup(server_url(h->client));
        if (!t->place)
                return log_oom(), EXIT_OTHER;
        *ret = TAKE_PTR(t);
        return EXIT_OK;
}
